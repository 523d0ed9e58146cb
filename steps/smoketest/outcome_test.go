package smoketest

import (
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// What each outcome means: the findings, in order, and the mark of each line of the proof.
func TestWhatAnOutcomeMeans(t *testing.T) {
	t.Parallel()
	yes := func(n int) tally { return tally{accepted: n, label: "200"} }
	no := func(n int) tally { return tally{refused: n, label: "401"} }
	mixed := tally{accepted: 15, refused: 5}
	until := time.Date(2027, 1, 2, 3, 4, 0, 0, time.UTC)
	key := &signer{}
	before := func(s *session) { s.previous = key }
	secretBefore := func(s *session) { s.previous, s.previousIsSecret = key, true }
	inGrace := func(s *session) { s.previous, s.grace = key, until }
	signing := func(s *session) { s.previous, s.grace, s.stage = key, until, steps.Signing }
	accepting := func(s *session) { s.previous, s.grace, s.stage = key, until, steps.Accepting }
	ok, warn, failed := steps.MarkOK, steps.MarkWarn, steps.MarkFailed
	type marks = map[string]steps.Mark
	for name, c := range map[string]struct {
		make  func(*session)
		o     outcome
		codes []finding.Code
		says  string
		marks marks
	}{
		"proved":                  {nil, outcome{fresh: yes(20), secret: no(1), control: no(1), usable: true}, nil, "", marks{steps.LineFresh: ok, steps.LineSecret: ok, steps.LineControl: ok}},
		"some connections failed": {nil, outcome{fresh: tally{accepted: 18, failed: 2}, secret: no(1), control: no(1)}, nil, "18 of 20 new connections, process count unknown, 2 failed", marks{steps.LineFresh: warn}},
		"nothing is told apart":   {nil, outcome{fresh: tally{unclear: 20}, secret: tally{unclear: 1}, control: tally{unclear: 1}}, nil, "same answer for every key", marks{steps.LineFresh: warn, steps.LineSecret: warn, steps.LineControl: warn}},
		"a limit":                 {nil, outcome{fresh: yes(3), throttled: true, secret: no(1), control: no(1)}, nil, "then the server was rate limiting", marks{steps.LineFresh: warn}},
		"one process is old":      {nil, outcome{fresh: mixed, secret: no(1), control: no(1), usable: true}, []finding.Code{finding.ServerStaleKey}, "5 of 20 new connections met a process", marks{steps.LineFresh: failed, steps.LineSecret: ok}},
		"one is old, on SECRET_KEY": {nil, outcome{fresh: mixed, secret: mixed, control: no(1)}, []finding.Code{finding.ServerStaleKey, finding.ServerSignsWithSecretKey}, "15 of 20 connections accept",
			marks{steps.LineFresh: failed, steps.LineSecret: failed}},
		"SECRET_KEY alone":         {nil, outcome{fresh: no(20), secret: yes(1), control: no(1)}, []finding.Code{finding.ServerSignsWithSecretKey}, "and not with the new key.", marks{steps.LineFresh: failed, steps.LineSecret: failed}},
		"the previous, SECRET_KEY": {secretBefore, outcome{fresh: no(20), secret: yes(1), control: no(1)}, []finding.Code{finding.ServerSignsWithSecretKey}, "SECRET_KEY was also the previous key", marks{steps.LineSecret: failed}},
		"SECRET_KEY as well":       {nil, outcome{fresh: yes(20), secret: yes(1), control: no(1)}, []finding.Code{finding.ServerAcceptsSecretKeyToken}, "still accepts a token that is signed with SECRET_KEY", marks{steps.LineFresh: ok, steps.LineSecret: failed}},
		"the previous key":         {before, outcome{fresh: no(20), secret: no(1), previous: yes(1), control: no(1)}, []finding.Code{finding.ServerStaleKey}, "still signs with the previous key", marks{steps.LineFresh: failed, steps.LinePrevious: failed}},
		"no key that is known":     {before, outcome{fresh: no(20), secret: no(1), previous: no(1), control: no(1)}, []finding.Code{finding.ServerStaleKey}, "nor with any other key", marks{steps.LinePrevious: ok}},
		"the previous as well":     {before, outcome{fresh: yes(20), secret: no(1), previous: yes(1), control: no(1)}, []finding.Code{finding.ServerAcceptsOldToken}, "still accepts a token that is signed with the previous", marks{steps.LineFresh: ok, steps.LinePrevious: failed}},
		"by intent":                {inGrace, outcome{fresh: yes(20), secret: no(1), previous: yes(1), control: no(1)}, nil, "accepted until 2027-01-02 03:04 UTC", marks{steps.LinePrevious: warn}},
		"a grace that is not":      {inGrace, outcome{fresh: yes(20), secret: no(1), previous: no(1), control: no(1)}, nil, "", marks{steps.LinePrevious: ok}},
		"any key":                  {before, outcome{fresh: yes(20), secret: yes(1), previous: yes(1), control: yes(1)}, []finding.Code{finding.ServerAcceptsSecretKeyToken}, "signed with a random key", marks{steps.LineControl: failed}},
		"both keys":                {signing, outcome{fresh: yes(20), secret: no(1), previous: yes(20), control: no(1)}, nil, "20 of 20 new connections, until 2027-01-02", marks{steps.LineFresh: ok, steps.LineSecond: ok}},
		"both on some":             {signing, outcome{fresh: yes(20), secret: no(1), previous: yes(7), control: no(1)}, nil, "7 of 20", marks{steps.LineSecond: warn}},
		"one side of two":          {signing, outcome{fresh: yes(20), secret: no(1), previous: mixed, control: no(1)}, []finding.Code{finding.GraceNotInForce}, "5 of 20 new connections met a process that does not accept the previous key", marks{steps.LineSecond: failed}},
		"the other side":           {accepting, outcome{fresh: yes(20), secret: no(1), previous: mixed, control: no(1)}, []finding.Code{finding.GraceNotInForce}, "does not accept the new key", marks{steps.LineSecond: failed}},
		"the key of the stage":     {signing, outcome{fresh: mixed, secret: no(1), previous: yes(20), control: no(1)}, []finding.Code{finding.GraceNotInForce}, "does not accept the key of this stage", marks{steps.LineFresh: failed}},
		"neither":                  {signing, outcome{fresh: no(20), secret: no(1), previous: no(20), control: no(1)}, []finding.Code{finding.ServerStaleKey}, "nor with any other key", marks{steps.LineFresh: failed}},
		"guessed settings":         {func(s *session) { s.guessed = true }, outcome{fresh: no(20), secret: no(1), control: no(1)}, []finding.Code{finding.ServerStaleKey}, "token settings are not known", nil},
		"SECRET_KEY is unknown":    {func(s *session) { s.secret = nil }, outcome{fresh: yes(20), control: no(1)}, nil, "not known to keysplit", marks{steps.LineSecret: steps.MarkSkipped}},
		"processes are counted":    {func(s *session) { s.counted = true }, outcome{fresh: yes(20), secret: no(1), control: no(1)}, nil, "", marks{steps.LineFresh: ok}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, said := marks{}, ""
			s := &session{connections: 20, secret: key, shows: textFresh}
			s.emit = func(e steps.Event) { got[e.ID] = e.Mark; said += " " + e.Text.Rendered() + " " + e.Detail.Rendered() }
			if c.make != nil {
				c.make(s)
			}
			s.show(c.o)
			for _, f := range s.findings(c.o) {
				if len(c.codes) == 0 || f.Code != c.codes[0] {
					t.Errorf("finding %s: %s", f.Code, f.Message.Rendered())
				} else {
					c.codes = c.codes[1:]
				}
				said += " " + f.Message.Rendered()
			}
			if len(c.codes) > 0 {
				t.Errorf("no finding %v", c.codes)
			}
			if !strings.Contains(said, c.says) {
				t.Errorf("not said: %q\n%s", c.says, said)
			}
			if s.counted == strings.Contains(said, "process count unknown") && c.o.fresh.refused == 0 && c.o.fresh.accepted > 0 {
				t.Errorf("counted %t: %s", s.counted, said)
			}
			for id, mark := range c.marks {
				if got[id] != mark {
					t.Errorf("%s is %v, want %v", id, got[id], mark)
				}
			}
		})
	}
}

// What could not be shown, and what may help.
func TestWhatWasNotTold(t *testing.T) {
	t.Parallel()
	s := &session{client: &client{address: "http://127.0.0.1:1"}, routes: steps.Routes{Verify: "/verify", Protected: "/me"}}
	for want, f := range map[string]finding.Finding{
		"--temp-user": s.notTold(false, false), "authentication classes": s.notTold(false, true), "few minutes": s.notTold(true, true),
		"keysplit --url": s.stranger(), "password of the login": s.withheld(),
	} {
		if text := f.Message.Rendered() + f.Fix.Rendered() + f.Ask.Rendered(); !strings.Contains(text, want) {
			t.Errorf("%s: %q", want, text)
		}
	}
	if got := tried(steps.Routes{Protected: "/me"}); len(got) != 1 || got[0] != "/me" {
		t.Errorf("tried %q", got)
	}
}
