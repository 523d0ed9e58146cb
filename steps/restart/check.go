package restart

import (
	"context"
	"strings"

	"dj/keysplit/steps"
)

// Check tells whether a --restart value can be understood, before anything is
// done. Its error wraps steps.ErrUsage.
func Check(spec string) error {
	_, err := (&Step{}).way(spec)
	return err
}

// Ways lists the forms of --restart, as they are written.
func Ways() string { return strings.Join(forms(), ", ") }

func forms() []string {
	var out []string
	for _, w := range ways {
		if w.argument != "" {
			out = append(out, w.name+":"+w.argument)
		} else {
			out = append(out, w.name)
		}
	}
	return out
}

// Again says in words how a rollback has the backend read the value that was put
// back.
func Again(run *steps.Run) string {
	switch name, _, _ := strings.Cut(backWith(run), ":"); {
	case name == "" || name == "runserver":
		return "a server of this project that runs here reads its settings again"
	case name == "none":
		return "restart the backend yourself"
	case backWith(run) == unkept:
		return "run your restart command once more, yourself: keysplit did not keep it"
	default:
		return "restart " + steps.Inert(backWith(run))
	}
}

// ByItself tells whether what a kind of target delivers to restarts by itself when
// its secret changes, and so is only waited for.
func ByItself(kind string) bool { return byItself(kind) }

// Places are the names of what --restart restarts, as a person recognises them:
// an app, a service, the cluster. What cannot be asked is left out; the restart
// itself then says why.
func Places(ctx context.Context, run *steps.Run) []string {
	w, err := (&Step{}).way(backWith(run))
	if err != nil {
		return nil
	}
	if m, ok := w.(managed); ok {
		return m.Places(ctx, run)
	}
	return nil
}
