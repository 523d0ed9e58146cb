package cli

import "golang.org/x/sys/windows"

// dropTyped forgets what was typed on a terminal and not read yet.
func dropTyped(fd int) error { return windows.FlushConsoleInputBuffer(windows.Handle(fd)) }
