package smoketest

import (
	"fmt"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// inStage makes the second key of a rotation in stages one that must be accepted, on
// every connection.
func (s *session) inStage(run *steps.Run) {
	s.stage, s.grace = run.Stage, run.Until
	s.previous, s.previousIsSecret = keySigner(run.Second), false
	s.shows = textCurrent
	if s.stage == steps.Signing {
		s.shows = textBoth
	}
}

// linePrevious is the line about the previous key, or in a stage about the second one.
func (s *session) linePrevious() (id, text string) {
	switch s.stage {
	case steps.Accepting:
		return steps.LineSecond, "accepts the new key"
	case steps.Signing:
		return steps.LineSecond, "accepts the previous key"
	}
	return steps.LinePrevious, textPrevious
}

// showSecond puts on its line how many connections accept the second key.
func (s *session) showSecond(t tally, limited string) {
	mark, detail := steps.MarkOK, fmt.Sprintf("%d of %d new connections, until %s%s", t.accepted, s.connections, deadline(s.grace), limited)
	switch {
	case t.refused > 0:
		mark, detail = steps.MarkFailed, fmt.Sprintf("%d of %d new connections do not%s", t.refused, t.told(), limited)
	case t.accepted == 0:
		mark, detail = steps.MarkWarn, "same answer for every key"+limited
	case t.accepted < s.connections:
		mark = steps.MarkWarn
	}
	id, text := s.linePrevious()
	s.emit.Check(id, mark, text, detail)
}

// oneSided is the finding of processes that accept one of the two keys only.
func (s *session) oneSided(o outcome) finding.Finding {
	key, refused, told := "the new key", o.previous.refused, o.previous.told()
	if s.stage == steps.Signing {
		key = "the previous key"
	}
	if o.fresh.refused > 0 {
		key, refused, told = "the key of this stage", o.fresh.refused, o.fresh.told()
	}
	return finding.New(finding.GraceNotInForce, fmt.Sprintf("%d of %d new connections met a process that does not accept %s: it was not restarted, or its code does not load the module of the grace period.", refused, told, key))
}

// seenToStart reports whether every process was seen to start after the write: here, or by
// a restart that waits for it. What a command of the user's does is not seen.
func seenToStart(run *steps.Run, young bool) bool {
	if run.Home().Here() && young {
		return true
	}
	way := run.Options.Restart
	return run.Restarted && (way == nil && !run.Home().Here() || way != nil && !steps.IsOwnCommand(way.String()))
}

// unsigned is the finding of a second stage in which nothing showed which key signs: both
// are accepted before and after it.
func unsigned() finding.Finding {
	f := finding.New(finding.ProofInconclusive, "Every process accepts both keys, and nothing showed that the new one signs: no process was seen that started after the write, and nobody logged in.")
	return f.WithFix(finding.Do("Go on with an account that logs in: `keysplit upgrade --rotate --grace --username NAME`. Or with a way to restart whose processes keysplit sees."))
}
