package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/status"
)

// span is a time above zero, also in days, such as 90d or 36h.
type span time.Duration

const day = 24 * time.Hour

func (s *span) Type() string { return "DURATION" }

func (s *span) String() string {
	switch d := time.Duration(*s); {
	case d == 0:
		return ""
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	default:
		return d.String()
	}
}

func (s *span) Set(text string) error {
	d, err := time.ParseDuration(text)
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(n) * day
		if n > 36500 {
			d = 0
		}
	}
	if err != nil || d <= 0 {
		return errors.New("it needs a time above zero, such as 90d or 36h")
	}
	*s = span(d)
	return nil
}

// young reports whether the key is not due yet, and says so. A rotation that is not
// finished is due, and so is a key with which something is wrong. Where nobody knows the
// key's age, the error says so: a timer must not end all sessions by a guess.
func (w *walk) young(ctx context.Context) (bool, error) {
	run, limit := w.e.Run, time.Duration(w.o.older)
	if limit == 0 || len(finding.Errors(w.e.Findings())) > 0 {
		return false, nil
	}
	if err := run.Home().Look(ctx); err != nil {
		return false, err
	}
	keys, err := run.Home().Found()
	if err != nil {
		return false, err
	}
	since, known := status.Since(run, keys.InForce())
	switch {
	case status.Begun(run, keys.InForce()):
		return false, nil
	case !known:
		err := steps.CannotLook("the key's age is not known, since keysplit did not bring it here. Rotate it once without --if-older-than")
		w.f.Event(steps.Event{Kind: steps.EventFailed, Text: prose.Of(err.Error())})
		return false, err
	case time.Since(since) >= limit:
		return false, nil
	}
	due := since.Add(limit).UTC().Format("2006-01-02 15:04 MST")
	w.f.Event(steps.Event{Kind: steps.EventProgress, Text: prose.Say("The key is %s old. It is due on %s.", steps.Plural(int(time.Since(since)/day), "day"), due)})
	return true, nil
}
