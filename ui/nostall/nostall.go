// Package nostall keeps keysplit from asking the terminal for its background
// colour before it has anything to show.
//
// Bubble Tea v1 asks in its init function, and waits five seconds when the
// terminal does not answer, even for --version. Lip Gloss does not ask when it
// has been told. Go initialises packages that are ready in the order of their
// import paths, so this one must come before github.com/charmbracelet/bubbletea:
// that is why the module's path begins with "dj/". A test on a terminal that
// never answers holds both in place.
package nostall

import "github.com/charmbracelet/lipgloss"

func init() { lipgloss.SetHasDarkBackground(true) }
