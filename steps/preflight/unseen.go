package preflight

import (
	"context"
	"slices"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/edits"
	"dj/keysplit/steps/finding"
)

// unseen tries the line that is to be written before it is: the settings may open the file,
// and read the key from elsewhere. It reports whether that came to light, and notes where
// else they read the key from, as far as that can be told; or that they read it and sign
// with SECRET_KEY all the same.
func (d *diagnosis) unseen(ctx context.Context, django steps.Django) bool {
	p, f := d.project, django.Facts()
	by, ok := django.(steps.Trier)
	if !ok || p.Source.Kind != "" || p.EnvFile.Owner != nil || !f.Tokens.Shared() || !d.readsWhatIsJudged() || !slices.ContainsFunc(d.found, writesKey) {
		return false
	}
	made := randomToken() + randomToken()
	text, ok := d.withKey(ctx, made)
	if !ok || p.EnvFile.Sourced { // as a variable it is seen
		return false
	}
	told, err := by.Try(ctx, d.trial(map[string][]byte{p.EnvFile.Path: text}))
	if err != nil || !d.misses(told, made) {
		d.ignores = err == nil && told.State == "ok" && told.SigningEqualsSecretKey && !told.SigningEqualsKey
		return false
	}
	if d.reader() == envfile.Shell && len(f.ReaderFiles)+len(f.Looked) == 0 {
		p.Source = d.nothingReads(f.SecretKey) // what is said to hand it over does not
		return true
	}
	p.Source = steps.Source{Kind: steps.Unseen, File: p.EnvFile.Path}
	given := d.trial(nil)
	given.Env = map[string]*string{d.run.Names().Key: &made}
	if told, err = by.Try(ctx, given); err == nil && told.State == "ok" && !d.misses(told, made) {
		p.Source.Given = true
	} else if f.SecretKey.Source == "code" {
		p.Source.SecretKey = f.SecretKey
	}
	return true
}

// trial is one with these files, of the settings as they will be where their edit is not
// written yet.
func (d *diagnosis) trial(files map[string][]byte) steps.Trial {
	return steps.Trial{Files: overlay{Files: files}.with(d.run.Adopted).Files}
}

// withKey is the .env as it will be, with a key in it. ok is false where it cannot be
// written, for which the step Write has the reason.
func (d *diagnosis) withKey(ctx context.Context, key string) (text []byte, ok bool) {
	env := d.project.EnvFile
	now, err := willBe(ctx, d.run)
	if err != nil {
		return nil, false
	}
	if now == nil && env.At != nil {
		now = env.At.Data
	}
	c, err := envfile.Edit(now, envfile.For{Readers: env.Readers, Env: d.run.LookupEnv}, envfile.Set{Name: d.run.Names().Key, Value: key})
	if err != nil {
		return nil, false
	}
	return c.New, true
}

// writesKey reports whether a finding is one that a key in the .env would fix.
func writesKey(f finding.Finding) bool {
	return f.Severity == finding.Error && f.Fixable && (edits.OfKey(f.Code) || f.Code == finding.EnvFileMissing)
}

// misses reports whether settings were evaluated with a key in a place, and do not have it
// from there.
func (d *diagnosis) misses(f *steps.Facts, key string) bool {
	return f.State == "key-missing" || f.State == "ok" && f.Key.Sum != d.run.Prints.Of(d.run.Secret(key))
}
