//go:build !linux

package cli

import "dj/keysplit/steps/sys/child"

// guardMemory keeps the process's memory, which holds keys, out of core dumps.
func guardMemory() { child.ForbidCore() }
