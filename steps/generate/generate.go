// Package generate is the step Key: it settles which key is to sign tokens.
//
// A key that is already good is kept. Otherwise one is made: 64 bytes from the
// system's random source as base64url without padding, 86 characters, just as
// Python's secrets.token_urlsafe(64). That alphabet (letters, digits, - and _)
// is the one that every reader of .env files reads alike, without quotes. Or
// the user brings one, and every rule applies to it.
package generate

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// size is the number of random bytes in a key that is made here, where no more
// are needed.
const size = 64

// length is how many random bytes give the characters that this run wants.
func length(run *steps.Run) int { return max(size, (run.MinLength()*3+3)/4) }

// Step is the step Key. Its zero value is ready for use.
type Step struct {
	Random io.Reader // nil means crypto/rand
	// Ready is a *steps.Failure where the backend would not accept two keys; nil means that
	// it would.
	Ready func(ctx context.Context, run *steps.Run) error
}

// Name is steps.Generate.
func (*Step) Name() steps.Name { return steps.Generate }

// choice is what the step would do with what is there.
type choice struct {
	action   string        // "keep", "make", "import", "resume", "go on", "leave"; of a rotation in stages "accept", "sign", "end"
	previous secret.Secret // the key in force, if any
	keys     steps.Keys
	chosen   secret.Secret  // by an earlier run, which did not bring it to every place
	bad      []finding.Code // what is wrong with the key in force
	next     secret.Secret  // of a rotation in stages: the new key, unset where it is not made yet
	old      secret.Secret  // and the one that signs until then
}

// inStages reports whether the choice is that of a rotation in stages.
func (c choice) inStages() bool {
	return c.action == "accept" || c.action == "sign" || c.action == "end"
}

func (s *Step) choose(run *steps.Run) (choice, error) {
	var c choice
	if f := run.Project.Facts; f != nil && !f.Tokens.Shared() {
		return c, steps.Fail(f.NotShared().At(run.Project.Rel(f.SettingsFile), 0).WithSeverity(finding.Error))
	}
	if run.Journal != nil {
		if others := run.Journal.Unfinished(run.Specs()); len(others) > 0 {
			return c, steps.Fail(unfinished(run, others))
		}
	}
	keys, err := run.Home().Found()
	if err != nil {
		return c, err
	}
	c.keys = keys
	if key := c.keys.InForce(); key.Set() && key.Len() > 0 {
		c.previous = key
	}
	c.bad = s.judge(run, c.keys.InForce(), c)
	if run.Answers.Grace || run.Answers.EndGrace {
		return s.staged(run, c)
	}
	if err := half(run); err != nil {
		return c, err
	}
	if run.Journal != nil {
		if key, ok := run.Journal.Chosen(run.Specs()); ok {
			c.chosen = run.Secret(string(key))
		}
	}
	begun := c.begun(run)
	if run.Answers.Import.Set() && begun.Set() && !begun.Equal(run.Answers.Import) {
		return c, steps.Fail(anotherKey(run))
	}
	c.action = s.action(run, c, begun)
	if c.action == "keep" && c.keys.Key.Secret.Equal(c.previous) {
		return c, nil // nothing is written that would have to be read
	}
	if c.action == "leave" {
		return c, nil
	}
	return c, run.Home().Takes(c.keys)
}

// action is what to do with what is there; begun is the key of a rotation that has not
// come to its end, if any.
func (s *Step) action(run *steps.Run, c choice, begun secret.Secret) string {
	switch {
	case run.Answers.Import.Set():
		return "import"
	case c.chosen.Set() && len(s.judge(run, c.chosen, c)) == 0:
		return "resume"
	case run.Answers.Rotate && begun.Set() && len(c.bad) == 0:
		return "go on"
	case !run.Answers.Rotate && run.Home().Sealed():
		return "leave" // it may be good, and in use
	case run.Answers.Rotate || len(c.bad) > 0:
		return "make"
	}
	return "keep"
}

// begun is the key of a rotation that was written, in whole or in part, and never came
// to the end of its restart: nothing may be in force that two of those follow.
func (c choice) begun(run *steps.Run) secret.Secret {
	if run.Journal == nil || run.Wrote {
		return secret.Secret{} // this run's own, which can still be chosen again
	}
	if c.chosen.Set() && run.Journal.Delivering() {
		return c.chosen
	}
	if run.Journal.Brought(c.previous, steps.Passed(steps.Restart)) {
		return c.previous
	}
	return secret.Secret{}
}

// anotherKey refuses a key beside that of a rotation that is not finished.
func anotherKey(run *steps.Run) finding.Finding {
	return finding.New(finding.UpgradeUnfinished, "An earlier upgrade has written another key, and did not come to the end of its restart.").
		WithFix(finding.Do("To finish it with its key: %s. To undo it: %s", finding.Command(run.Command("upgrade")), finding.Command(run.Command("rollback"))))
}

// unfinished names the upgrade that comes first, and the two ways to end it.
func unfinished(run *steps.Run, others []string) finding.Finding {
	return finding.New(finding.UpgradeUnfinished, fmt.Sprintf("An upgrade of %s is not finished: only a part of it has the new key.", secret.Inert(strings.Join(others, ", ")))).
		WithFix(finding.Do("To finish it: %s. To undo it: %s", finding.Command(run.FinishCommand(others)), finding.Command(run.Command("rollback"))))
}

// Plan says whether the key will be kept, made or imported.
func (s *Step) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	c, err := s.choose(run)
	if err != nil {
		return steps.Plan{}, err
	}
	if c.inStages() {
		return s.stagePlan(ctx, run, c)
	}
	switch c.action {
	case "keep":
		return steps.Plan{
			Summary: run.Home().Kept(),
			Nothing: true, Keeps: true,
			Details: []prose.Text{describe(c.previous)},
		}, nil
	case "leave":
		if run.Home().Here() { // Django has told that it is good
			return steps.Plan{Summary: run.Home().Kept(), Nothing: true, Keeps: true, Details: []prose.Text{prose.Say("%s", told(run))}}, nil
		}
		return steps.Plan{
			Summary: prose.Say("There is a key that cannot be read back. It stays."),
			Nothing: true,
			Details: []prose.Text{prose.Say("keysplit cannot check it. To replace it: `keysplit upgrade --rotate`")},
		}, nil
	case "resume":
		return steps.Plan{
			Summary: prose.Say("Go on with the key that the interrupted run chose."),
			Details: []prose.Text{describe(c.chosen), prose.Say("It has not reached every place yet. To make a new one instead, first run: `keysplit rollback`")},
			Effects: effects(run),
		}, nil
	case "go on":
		return steps.Plan{
			Summary: prose.Say("Go on with the key that the interrupted run wrote."),
			Details: []prose.Text{describe(c.previous), prose.Say("No restart has finished with it yet. To make a new one instead, first run: `keysplit rollback`")},
			Effects: effects(run),
		}, nil
	case "import":
		return steps.Plan{
			Summary:  prose.Say("Use the key you entered."),
			Details:  []prose.Text{describe(run.Answers.Import)},
			Effects:  effects(run),
			Question: prose.Say("Use this key?"),
		}, nil
	}
	return steps.Plan{
		Summary:  prose.Say("Make a new key."),
		Details:  []prose.Text{prose.Say("%d random bytes as %d characters of letters, digits, - and _", length(run), base64.RawURLEncoding.EncodedLen(length(run))), prose.Labelled("Reason", "%s", reason(run, c))},
		Effects:  effects(run),
		Question: prose.Say("Make the key?"),
	}, nil
}

// told is what the project's Django says about a key that only its settings can fetch.
func told(run *steps.Run) string {
	return fmt.Sprintf("%d characters, different from %s, as Django has it", run.Project.Facts.Key.Length, run.Names().SecretKey)
}

func reason(run *steps.Run, c choice) prose.Text {
	if len(c.bad) == 0 {
		return prose.Say("You asked for a new one.")
	}
	if c.bad[0] == finding.JWTKeyEqualsSecretKey {
		return prose.Of(c.keys.EqualTo(c.previous))
	}
	if c.bad[0] == finding.JWTKeyMissing {
		for _, f := range run.Project.Findings {
			if f.Code == finding.LineGlued || f.Code == finding.LineBare || f.Code == finding.KeyUnread {
				return f.Message // why it is missing
			}
		}
	}
	return prose.Of(run.InWords(c.bad[0]))
}

// effects says what users will notice. A new signing key ends every session,
// refresh tokens included; the guide's "still valid: yes" is wrong. How long tokens
// live tells how many sessions that is, and how soon they would have ended anyway.
func effects(run *steps.Run) []prose.Text {
	line := "Everyone will have to log in again: all tokens issued so far stop working. "
	if f := run.Project.Facts; f != nil && f.Tokens.AccessSeconds > 0 && f.Tokens.RefreshSeconds > 0 {
		line += fmt.Sprintf("Access tokens last %s here, refresh tokens %s.", steps.Span(f.Tokens.AccessLifetime()), steps.Span(f.Tokens.RefreshLifetime()))
	} else {
		line += "How long tokens last here is not known, since the project's Django did not say."
	}
	lines := []prose.Text{prose.Of(line)}
	if run.Elsewhere() != "" {
		lines = append(lines, prose.Say("Choose a quiet hour, and tell the team first. The message to send: `keysplit report --team`"))
	}
	return lines
}

// Apply settles run.Key, run.KeyFrom and run.Previous. A second call keeps a
// key that was made by the first.
func (s *Step) Apply(_ context.Context, run *steps.Run, emit steps.Emit) error {
	c, err := s.choose(run)
	if err != nil {
		return err
	}
	if c.inStages() {
		return s.applyStage(run, c, emit)
	}
	if err := unstage(run); err != nil {
		return err
	}
	switch c.action {
	case "keep":
		run.Key, run.KeyFrom = c.previous, "kept"
	case "leave":
		run.Key, run.KeyFrom, run.Previous = secret.Secret{}, "kept", secret.Secret{}
		if run.Home().Here() {
			emit.Check("key", steps.MarkOK, "key kept", told(run))
			return nil
		}
		emit.Check("key", steps.MarkWarn, "key kept", "it cannot be read back, so it is not checked")
		return nil
	case "resume":
		run.Key, run.KeyFrom = c.chosen, "chosen before"
	case "go on":
		run.Key, run.KeyFrom = c.previous, "chosen before"
	case "import":
		key := run.Answers.Import
		if codes := s.judge(run, key, c); len(codes) > 0 {
			return steps.Fail(refusals(run, codes)...)
		}
		run.Redactor.Add(key)
		run.Key, run.KeyFrom = key, "imported"
	case "make":
		if run.KeyFrom != "made" {
			key, err := s.make(run)
			if err != nil {
				return err
			}
			run.Key, run.KeyFrom = key, "made"
		}
	}
	run.Previous = run.PreviousTo(run.Key).Key
	if err := remember(run); err != nil {
		return err
	}
	label, detail := "key "+run.KeyFrom, inShort(run.Key)
	if run.Options.ReadOnly && run.KeyFrom == "made" {
		label, detail = "a new key", fmt.Sprintf("%d characters; the real run makes its own", run.Key.Len())
	}
	emit.Check("key", steps.MarkOK, label, detail)
	return nil
}

// Witness settles the previous key again, by what the server was seen to take.
func (*Step) Witness(_ context.Context, run *steps.Run) error {
	run.Previous = run.PreviousTo(run.Key).Key
	return nil
}

// remember keeps a key that is about to be brought to several places, or to one
// that may never show it again, until all of them have it. That makes all of it
// one upgrade, which goes on after an interruption and goes back as a whole; also
// for a key that some of them had before.
func remember(run *steps.Run) error {
	alone := len(run.Targets) == 0 || len(run.Targets) == 1 && run.Targets[0].Local()
	if alone || run.Journal == nil || run.KeyFrom == "kept" && everywhere(run) {
		return nil
	}
	return run.Journal.Choose(run.Key, run.Specs())
}

// everywhere reports whether every place was seen to hold the key.
func everywhere(run *steps.Run) bool {
	return len(run.Held) == len(run.Targets) && !slices.ContainsFunc(run.Held, func(h steps.Held) bool {
		return !h.Readable || !h.Key.Equal(run.Key)
	})
}

func (s *Step) make(run *steps.Run) (secret.Secret, error) {
	random := s.Random
	if random == nil {
		random = rand.Reader
	}
	b := make([]byte, length(run))
	if _, err := io.ReadFull(random, b); err != nil {
		return secret.Secret{}, fmt.Errorf("read random bytes: %w", err)
	}
	return run.Secret(base64.RawURLEncoding.EncodeToString(b)), nil
}

// judge applies every rule, also against a SECRET_KEY that only the settings
// know: of that one there is a fingerprint to compare.
func (s *Step) judge(run *steps.Run, key secret.Secret, c choice) []finding.Code {
	codes := run.Judge(key, c.keys.Rivals()...)
	if f := run.Project.Facts; f != nil && len(codes) == 0 &&
		f.SecretKey.Sum != "" && f.SecretKey.Sum == run.Prints.Of(key) {
		codes = append(codes, finding.JWTKeyEqualsSecretKey)
	}
	return codes
}

func refusals(run *steps.Run, codes []finding.Code) []finding.Finding {
	var fs []finding.Finding
	for _, code := range codes {
		f := finding.New(code, finding.Broken(code, "The key you entered", run.MinLength())).
			WithFix(finding.Do("Enter another key, or let keysplit make one."))
		fs = append(fs, f)
	}
	return fs
}

// Verify holds the settled key against the rules once more.
func (s *Step) Verify(_ context.Context, run *steps.Run, _ steps.Emit) error {
	c, err := s.choose(run)
	if err != nil {
		return err
	}
	if c.action == "leave" || c.action == "end" {
		return nil
	}
	if codes := s.judge(run, run.Key, c); len(codes) > 0 {
		return steps.Fail(refusals(run, codes)...)
	}
	return nil
}

// Undo forgets the key. Nothing was written yet.
func (s *Step) Undo(_ context.Context, run *steps.Run, _ steps.Emit) error {
	run.Chosen = steps.Chosen{}
	if run.Journal == nil {
		return nil
	}
	return run.Journal.Settle()
}

// inShort tells a key by what may be known of it.
func inShort(key secret.Secret) string {
	return fmt.Sprintf("%d characters, fingerprint %s", key.Len(), key.Fingerprint())
}

func describe(key secret.Secret) prose.Text { return prose.Of(inShort(key)) }
