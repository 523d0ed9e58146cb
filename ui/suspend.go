package ui

import (
	"io"

	tea "github.com/charmbracelet/bubbletea"
)

// suspendMsg asks for what ctrl+z does: a SIGTSTP came.
type suspendMsg struct{}

// suspend gives the terminal back to the shell, and takes it again when the shell
// brings the wizard back. Bubble Tea's own tea.Suspend will not do: it sends
// SIGTSTP, which is caught here, and waits for ever where there is no shell.
func (w *wizard) suspend() tea.Cmd {
	if !haveShell() {
		w.flash = "There is no shell here to go back to."
		return nil
	}
	return tea.Exec(pause{}, nil)
}

// pause is the program that the terminal is given back for: this one, stopped.
type pause struct{}

func (pause) Run() error {
	stopJob()
	return nil
}

func (pause) SetStdin(io.Reader)  {}
func (pause) SetStdout(io.Writer) {}
func (pause) SetStderr(io.Writer) {}
