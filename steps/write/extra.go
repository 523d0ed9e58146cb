package write

import (
	"dj/keysplit/steps"
	"dj/keysplit/steps/vendor"
)

// ExtraSteps are what a person does to bring two further variables to the place of a
// target: commands of the place's own program that take the secret from its file, so
// that it is on no command line, as indented lines below a sentence. keysplit does not
// do that itself: a place is written to for the one key, and so is a rollback of it.
func ExtraSteps(t steps.Target, x vendor.Extra) []string {
	switch t := t.(type) {
	case *remote:
		return append([]string{"For " + t.spec + ":"}, t.store.ByHand(x)...)
	case *manual:
		return []string{
			"In " + t.place() + ":",
			"    set " + x.SecretName + " to the whole content of " + x.File,
			"    set " + x.PlainName + " to " + x.Plain,
		}
	}
	return nil
}
