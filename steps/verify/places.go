package verify

import (
	"context"
	"fmt"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// places judges an environment that keeps its keys elsewhere: each place is read
// again. The project's Django is asked where it is given what the backend of that
// environment has; else what it reads here is another environment's, and that the two
// keys differ is proved where a place holds both, or by the running server, which must
// refuse SECRET_KEY.
func (s *Step) places(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if err := run.Home().Look(ctx); err != nil {
		return err
	}
	compared := false
	for i, h := range run.Held {
		id := steps.LinesPlace + run.Targets[i].Spec()
		codes := run.Judge(h.Key, h.Rivals()...)
		switch {
		case !h.Readable && h.There:
			emit.Check(id, steps.MarkWarn, h.Where, "cannot be read back, so not checked")
		case len(codes) > 0:
			emit.Check(id, steps.MarkFailed, h.Where, run.InWords(codes[0]))
		case run.Key.Set() && !h.Key.Equal(run.Key):
			emit.Check(id, steps.MarkFailed, h.Where, "holds another key than the one that was written")
		default:
			emit.Check(id, steps.MarkOK, h.Where, fmt.Sprintf("%d characters, fingerprint %s", h.Key.Len(), h.Key.Fingerprint()))
			compared = compared || h.SecretKey.Set()
		}
	}
	found := run.JudgePlaces()
	for i, h := range run.Held {
		if run.Key.Set() && h.Key.Set() && !h.Key.Equal(run.Key) {
			found = append(found, finding.New(finding.PlaceConflict, h.Where+" holds another key than the one that was written.").At(run.Targets[i].Spec(), 0))
		}
	}
	if run.Django != nil {
		more, _, err := s.django(ctx, run, emit)
		if err != nil {
			return err
		}
		found = append(found, more...)
	}
	if len(finding.Errors(found)) > 0 {
		return steps.Fail(found...)
	}
	for _, f := range found {
		emit.Find(f)
	}
	switch {
	case run.Django != nil: // it has compared them
	case compared:
		emit.Check(steps.LineDiffer, steps.MarkOK, "JWT_SECRET_KEY differs from SECRET_KEY", "both are in the same place")
	default:
		emit.Check(steps.LineDiffer, steps.MarkWarn, "JWT_SECRET_KEY and SECRET_KEY", "SECRET_KEY cannot be read here: not compared")
	}
	return nil
}
