// Package verify is the step Verify: it proves that the two keys differ, as the
// backend itself reads them, and that Django's system checks pass.
//
// Three witnesses must agree: the file as every reader in use reads it, the
// environment that keysplit runs in, and the project's own Django, which
// evaluates its settings from scratch. It all runs before the restart, so that
// a bad configuration never takes a running service down. Lengths, fingerprints
// and yes or no are shown, and no part of a key: the guide's way prints the
// first 20 characters of both into the terminal's scrollback.
package verify

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// Step is the step Verify. Its zero value is ready for use.
type Step struct{}

// Name is steps.Distinct.
func (*Step) Name() steps.Name { return steps.Distinct }

// Plan says what will be looked at.
func (*Step) Plan(_ context.Context, run *steps.Run) (steps.Plan, error) {
	return steps.Plan{
		Summary: prose.Say("Prove that the two keys differ, before anything is restarted."),
		Details: run.Home().Witnesses(),
	}, nil
}

// Apply changes nothing: the look is the work. It fails with every finding that
// it came upon, not with the first one only.
func (s *Step) Apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if !run.Home().Here() {
		return s.places(ctx, run, emit)
	}
	var found []finding.Finding
	if run.Home().File() == "" {
		found = append(found, given(run, emit)...)
	} else {
		at, err := envfile.Open(run.Project.EnvFile.Path)
		if err != nil {
			return steps.CannotLook("%w", err)
		}
		found = append(found, s.file(run, at.Data, emit)...)
	}
	var facts *steps.Facts
	if run.Django != nil {
		fs, f, err := s.django(ctx, run, emit)
		if err != nil {
			return err
		}
		found, facts = append(found, fs...), f
	} else {
		emit.Check("django", steps.MarkWarn, "Django was not asked", "the proof rests on the file alone")
	}
	found = append(found, s.environment(run, facts, emit)...)
	if errs := finding.Errors(found); len(errs) > 0 {
		return steps.Fail(found...)
	}
	for _, f := range found {
		emit.Find(f)
	}
	return nil
}

// given judges a key that no file of variables gives. One that only the settings can
// read is judged by them.
func given(run *steps.Run, emit steps.Emit) (found []finding.Finding) {
	home := run.Home()
	if home.Sealed() {
		return nil
	}
	keys, err := home.Keys()
	if err != nil {
		return []finding.Finding{finding.New(finding.KeyUnread, "The key cannot be read: "+err.Error())}
	}
	key := keys.Key.Secret
	for _, code := range run.Judge(key, keys.Rivals()...) {
		found = append(found, finding.New(code, run.InWords(code)))
	}
	mark, detail := steps.MarkOK, fmt.Sprintf("%d characters, fingerprint %s", key.Len(), key.Fingerprint())
	if len(found) > 0 {
		mark, detail = steps.MarkFailed, "not good"
	}
	emit.Check("given", mark, home.ReadBy(""), detail)
	return found
}

// file reads the bytes as every reader in use does and applies the rules.
func (s *Step) file(run *steps.Run, data []byte, emit steps.Emit) []finding.Finding {
	rel := run.Project.Rel(run.Project.EnvFile.Path)
	var found []finding.Finding
	edited := anotherKey(run, data)
	if edited {
		f := finding.New(finding.EnvFileChanged, rel+" holds another JWT_SECRET_KEY than the one that was written: someone has changed it since.").At(rel, 0)
		f.Why = prose.Say("Nothing is known about the current key.")
		found = append(found, f)
	}
	for _, reader := range run.Project.EnvFile.Readers {
		id := "file " + string(reader)
		keys, err := steps.ReadKeys(run, reader, data)
		if err != nil {
			emit.Check(id, steps.MarkFailed, "the file, as "+string(reader)+" reads it", "refused as a whole")
			found = append(found, finding.New(finding.KeyUnread, fmt.Sprintf("%s cannot read the file at all.", reader)).At(rel, 0))
			continue
		}
		before := len(found)
		others := keys.Rivals()
		key, text := keys.InForce(), run.Home().ReadBy(reader)
		for _, code := range run.Judge(key, others...) {
			f := finding.New(code, run.InWords(code))
			if code == finding.JWTKeyEqualsSecretKey {
				f.Message = prose.Of(keys.EqualTo(key))
			}
			found = append(found, f.At(rel, 0))
		}
		if run.Key.Set() && key.Set() && !key.Equal(run.Key) && !edited {
			found = append(found, finding.New(finding.ValueDialectAmbiguous,
				fmt.Sprintf("%s reads another value than the key of %s.", reader, steps.About(steps.Generate).Called())).At(rel, 0).WithSeverity(finding.Error))
		}
		if twin := sameAs(run, reader, data, key); twin != "" {
			found = append(found, finding.New(finding.JWTKeyEqualsSecretKey,
				fmt.Sprintf("JWT_SECRET_KEY has the same value as %s.", secret.Inert(twin))).At(rel, 0))
		}
		mark, detail := steps.MarkOK, prose.Say("%d characters, fingerprint %s", key.Len(), key.Fingerprint())
		if len(found) > before {
			mark, detail = steps.MarkFailed, found[before].Message
		}
		emit.CheckWith(id, mark, text, detail)
	}
	return found
}

// anotherKey reports whether the file holds another key than this run's, and that all
// its readers agree on it: it was not written wrong but changed since.
func anotherKey(run *steps.Run, data []byte) bool {
	var seen secret.Secret
	for _, reader := range run.Project.EnvFile.Readers {
		keys, err := steps.ReadKeys(run, reader, data)
		if err != nil || seen.Set() && !keys.InFile.Secret.Equal(seen) {
			return false
		}
		seen = keys.InFile.Secret
	}
	return run.Wrote && run.Key.Set() && seen.Len() > 0 && !seen.Equal(run.Key)
}

// sameAs names another variable of the file that holds the very same value.
// SECRET_KEY is left out: it has a rule of its own.
func sameAs(run *steps.Run, reader envfile.Dialect, data []byte, key secret.Secret) string {
	if key.Len() == 0 {
		return ""
	}
	vars, _ := envfile.Read(reader, data, run.LookupEnv) // none in a file that the reader refuses
	var twins []string
	for _, name := range vars.Names() {
		v, _ := vars.Get(name)
		if name != run.Names().Key && name != run.Names().SecretKey && run.Prints.Secret(v).Equal(key) {
			twins = append(twins, name)
		}
	}
	sort.Strings(twins)
	return strings.Join(twins, ", ")
}

// environment looks for variables that beat the file. A reader can be told to
// override the environment instead; then Django has the file's key all the same.
func (s *Step) environment(run *steps.Run, facts *steps.Facts, emit steps.Emit) []finding.Finding {
	v, ok := run.LookupEnv(run.Names().Key)
	if !ok {
		emit.Check("environment", steps.MarkOK, "the environment", "does not override the file")
		return nil
	}
	if facts != nil && run.Key.Set() && facts.Key.Sum == run.Prints.Of(run.Key) {
		if how := map[string]string{"file": "is overridden by the file", "value-file": "names the file of the key"}[facts.Key.Source]; how != "" {
			emit.Check("environment", steps.MarkOK, "the environment", how)
			return nil
		}
	}
	if run.Prints.Secret(v).Equal(run.Key) {
		emit.Check("environment", steps.MarkOK, "the environment", "holds the same key")
		return nil
	}
	emit.Check("environment", steps.MarkFailed, "the environment", "overrides the file with another value")
	return []finding.Finding{finding.New(finding.JWTKeyShadowed, "")}
}

// django asks the project's own settings.
func (s *Step) django(ctx context.Context, run *steps.Run, emit steps.Emit) ([]finding.Finding, *steps.Facts, error) {
	emit.Check("django", steps.MarkRunning, "the project's settings", "as Django loads them")
	f, err := run.Django.Recheck(ctx)
	if err != nil {
		emit.Check("django", steps.MarkFailed, "the project's settings", "could not be evaluated")
		var failure *steps.Failure
		if errors.As(err, &failure) {
			return failure.Findings, nil, nil
		}
		return nil, nil, fmt.Errorf("evaluate the settings: %w", err)
	}
	found := judgeFacts(run, f)
	if errs := finding.Errors(found); len(errs) > 0 {
		emit.CheckWith("django", steps.MarkFailed, "the project's settings", errs[0].Message)
		return found, f, nil
	}
	emit.Check("django", steps.MarkOK, "the project's settings", fmt.Sprintf("%d characters, fingerprint %s", f.Key.Length, short(f.Key.Sum)))
	emit.Check(steps.LineDiffer, steps.MarkOK, "JWT_SECRET_KEY differs from SECRET_KEY", "compared inside Django")
	emit.Check(steps.LineChecks, steps.MarkOK, "system checks", checksInWords(f.Checks))
	return found, f, nil
}

// judgeFacts turns what the settings say into findings.
func judgeFacts(run *steps.Run, f *steps.Facts) []finding.Finding {
	file := run.Project.Rel(f.SettingsFile)
	var found []finding.Finding
	add := func(code finding.Code, message string) {
		found = append(found, finding.New(code, message).At(file, 0))
	}
	switch f.State {
	case "key-missing":
		add(finding.JWTKeyMissing, "The settings still find no JWT_SECRET_KEY.")
	case "key-equal":
		add(finding.JWTKeyEqualsSecretKey, "The settings refuse the key: it equals SECRET_KEY.")
	case "key-short":
		add(finding.JWTKeyTooShort, "The settings refuse the key: it is too short.")
	case "key-refused":
		add(finding.JWTKeyWeak, "The settings refuse the key: "+f.StateError)
	case "ok":
		switch {
		case !f.Key.Set:
			add(finding.SettingsNotUpgraded, "The settings do not read JWT_SECRET_KEY at all.")
		case run.Key.Set() && f.Key.Sum != run.Prints.Of(run.Key):
			found = append(found, another(run, f).At(file, f.Key.Line))
		}
		switch {
		case f.SigningEqualsSecretKey && f.SigningEqualsKey:
			add(finding.JWTKeyEqualsSecretKey, "The key that signs tokens equals SECRET_KEY.")
		case f.SigningEqualsSecretKey:
			add(finding.SettingsNotUpgraded, "The settings sign tokens with SECRET_KEY, although JWT_SECRET_KEY is set.")
		case f.Key.Set && !f.SigningEqualsKey:
			add(finding.SettingsNotUpgraded, "The key that signs tokens is not JWT_SECRET_KEY.")
		}
	default:
		add(finding.DjangoNotRunnable, "The settings do not load: "+f.StateError)
	}
	found = withUndo(run, found)
	for _, c := range f.Checks {
		if c.Level >= 40 {
			add(finding.DjangoCheckFailed, strings.TrimSpace(c.ID+" "+c.Message))
		}
	}
	if !f.Tokens.Shared() {
		found = append(found, f.NotShared().At(file, 0))
	}
	return found
}

// another is the finding of settings that load, and have another key than the file: it
// says where they have it from, as far as they told.
func another(run *steps.Run, f *steps.Facts) finding.Finding {
	from := map[string]string{
		"settings":    ": it is written in their code.",
		"code":        ": they fetch it themselves.",
		"value-file":  ": they read it from " + run.Project.Rel(f.Key.File) + ".",
		"environment": ": the environment sets it.",
	}[f.Key.Source]
	if from == "" {
		return finding.New(finding.KeyUnread, "The settings have another JWT_SECRET_KEY than the one in the file.")
	}
	made := finding.New(finding.KeyUnread, "The settings have another JWT_SECRET_KEY than the one in the file"+from).
		WithFix(finding.Do("Change it there, or let the settings read the file, then run `keysplit` again."))
	made.Why = prose.Say("A value that the settings do not read has no effect.")
	return made
}

// withUndo offers to take away what this run wrote where the settings do not see it: a
// secret in a file that nothing reads is only a risk.
func withUndo(run *steps.Run, found []finding.Finding) []finding.Finding {
	if !run.Wrote {
		return found
	}
	for i, f := range found {
		if f.Unread() {
			found[i] = f.WithFix(f.Fix.Then(finding.Do("To remove what was written and is not read: %s", finding.Command(run.Command("rollback")))))
		}
	}
	return found
}

func checksInWords(checks []steps.SystemCheck) string {
	warnings := 0
	for _, c := range checks {
		if c.Level >= 30 {
			warnings++
		}
	}
	switch warnings {
	case 0:
		return "no issues"
	case 1:
		return "1 warning"
	}
	return fmt.Sprintf("%d warnings", warnings)
}

func short(sum string) string {
	if len(sum) < 6 {
		return sum
	}
	return sum[:6]
}

// Verify has nothing to add: Apply only looked.
func (*Step) Verify(context.Context, *steps.Run, steps.Emit) error { return nil }

// Undo has nothing to undo.
func (*Step) Undo(context.Context, *steps.Run, steps.Emit) error { return nil }
