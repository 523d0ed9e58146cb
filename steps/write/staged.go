package write

import (
	"context"
	"fmt"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// secondKey are the edits of a rotation in stages: the second key and its deadline, or
// their end.
func secondKey(run *steps.Run) []envfile.Op {
	key, until := run.Names().Grace()
	switch {
	case run.Stage.Both():
		return []envfile.Op{envfile.Set{Name: key, Value: run.Second.Reveal()}, envfile.Set{Name: until, Value: steps.GraceUntil(run.Until)}}
	case run.Stage == steps.Closing:
		return []envfile.Op{envfile.Unset{Name: key}, envfile.Unset{Name: until}}
	}
	return nil
}

// writing begins the sentence about what goes to a file.
func writing(run *steps.Run) string {
	switch run.Stage {
	case steps.Accepting:
		return "Write the new key, as the second one that is accepted, to "
	case steps.Signing:
		return "Write the new key, and the previous one as the second that is accepted, to "
	case steps.Closing:
		return "Take the previous key and its deadline out of "
	}
	return "Write the key to "
}

// readSecond wants the second key and its deadline to be what was written, as one reader
// of the file has them.
func readSecond(run *steps.Run, vars envfile.Vars, reader envfile.Dialect, rel string) error {
	key, until := run.Names().Grace()
	wrong := func(name string) error {
		return steps.Fail(finding.New(finding.KeyUnread, fmt.Sprintf("After writing, %s reads another value of %s.", reader, name)).At(rel, 0))
	}
	second, hasKey := vars.Says(key)
	deadline, hasUntil := vars.Says(until)
	switch {
	case run.Stage == steps.Closing && (hasKey || hasUntil):
		return wrong(key)
	case !run.Stage.Both():
		return nil
	case !hasKey || !run.Prints.Secret(second).Equal(run.Second):
		return wrong(key)
	case !hasUntil || deadline != steps.GraceUntil(run.Until):
		return wrong(until)
	}
	return nil
}

// staged refuses a rotation in stages where a place cannot take a second key from
// keysplit: before anything is written.
func staged(_ context.Context, run *steps.Run, targets []steps.Target) error {
	if run.Stage == steps.NoStage {
		return nil
	}
	for _, t := range targets {
		if t.Local() {
			continue
		}
		f := finding.New(finding.GraceNotAdvised, "keysplit brings the key alone to "+t.Spec()+", and no second one beside it.").At(t.Spec(), 0)
		return steps.Fail(f.WithFix(finding.Do("Rotate first, then bring the previous key there by hand: %s, then %s. People who come in between log in again.",
			finding.Command(run.Command("upgrade", "--rotate")), finding.Command(run.Command("grace")))))
	}
	return nil
}
