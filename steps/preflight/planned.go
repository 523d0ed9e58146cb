package preflight

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/edits"
	"dj/keysplit/steps/finding"
)

// overlay is what the settings are first evaluated with, beside what is there.
type overlay struct {
	Env   map[string]string `json:"env"`
	Files map[string][]byte `json:"files"`
}

// planned is the .env as the needed edits of the plan will leave it: with
// DEBUG=TrueJWT_SECRET_KEY=..., or a comment behind a number, the settings do not load at
// all, and Django could not be asked anything. A file that a shell sources, or that
// another user reads, is given as variables. A JWT_SECRET_KEY that no reader sees now is
// left out, since whatever is there is replaced.
func planned(ctx context.Context, run *steps.Run, p *steps.Project) overlay {
	if run.Project != p {
		return overlay{} // nothing was diagnosed
	}
	now, err := willBe(ctx, run)
	if err != nil || now == nil {
		return overlay{} // the write step says why
	}
	reader := p.EnvFile.Readers[0]
	var old []byte
	if p.EnvFile.At != nil {
		old = p.EnvFile.At.Data
	}
	before, err := envfile.Read(reader, old, run.LookupEnv)
	if utf, from := envfile.Decoded(old); err != nil && from != "" {
		before, err = envfile.Read(reader, utf, run.LookupEnv)
	}
	if err != nil {
		before = envfile.Vars{}
	}
	if _, there := before.Says(run.Names().Key); !there {
		now = withoutKey(now, run.Names())
	}
	after, err := envfile.Read(reader, now, run.LookupEnv)
	if err != nil {
		return overlay{}
	}
	out := overlay{Files: map[string][]byte{p.EnvFile.Path: now}}
	values := map[string]string{}
	for _, name := range after.Names() {
		now, known := after.Says(name)
		old, was := before.Says(name)
		if _, set := run.LookupEnv(name); known && (!was || now != old) && !set {
			values[name] = now
		}
	}
	if p.EnvFile.Sourced || p.User != nil {
		out.Env = values
	}
	return out
}

// withoutKey leaves out the lines that set the key.
func withoutKey(data []byte, names steps.Names) (out []byte) {
	for _, l := range envfile.Parse(data).Lines() {
		if l.Kind != envfile.Assignment || l.Inside || !names.IsKey(l.Name) {
			out = append(out, l.Raw...)
		}
	}
	return out
}

// willBe is the .env as the needed edits of the plan leave it, nil where there is none.
func willBe(ctx context.Context, run *steps.Run) ([]byte, error) {
	d, err := edits.OfFile(ctx, run, slices.DeleteFunc(slices.Clone(run.Project.Findings), func(f finding.Finding) bool { return f.Optional }))
	if err != nil {
		return nil, err
	}
	return d.Trial().Files[run.Project.EnvFile.Path], nil
}

// lacksSecretKey reports whether it has come to light that nothing else than the .env
// would set SECRET_KEY, which the file does not.
func (d *diagnosis) lacksSecretKey(f *steps.Facts) bool {
	if f.SecretKey.Set || d.refuses[0] || !finding.Has(d.found, finding.SecretKeyMissing) {
		return false
	}
	lines := maps.Clone(d.refuses)
	if lines == nil {
		lines = map[int]bool{}
	}
	lines[0] = true
	d.refuses = lines
	return true
}

// maxTried is how many edits are tried one by one.
const maxTried = 24

// startPlanned starts a Django that did not start, with the edits that may be the reason:
// comments behind values, a SECRET_KEY that is a placeholder. Those of them without which
// the settings do not load are needed from then on. first is why it did not start; it is
// the error where that is not the reason.
func (s *Step) startPlanned(ctx context.Context, d *diagnosis, first error) (steps.Django, error) {
	suspects := d.suspects()
	if len(suspects) == 0 || len(suspects) > maxTried || ctx.Err() != nil || errors.Is(first, errEnded) {
		return nil, first
	}
	suspect := func(lines map[int]bool) error {
		d.refuses, d.found = lines, nil
		err := d.diagnose()
		d.project.Findings = d.found
		return err
	}
	all := map[int]bool{}
	for _, line := range suspects {
		all[line] = true
	}
	if err := suspect(all); err != nil {
		return nil, err
	}
	django, err := s.open(ctx, d)
	if err != nil {
		return nil, errors.Join(first, suspect(nil))
	}
	needed := map[int]bool{}
	if trier, ok := django.(steps.Trier); ok {
		for _, line := range suspects {
			others := maps.Clone(all)
			delete(others, line)
			if err = suspect(others); err != nil {
				break
			}
			if refused, err := d.stillRefused(ctx, trier); err != nil || refused {
				needed[line] = true
			}
		}
	}
	if err := errors.Join(err, suspect(needed)); err != nil {
		return nil, errors.Join(err, django.Close())
	}
	return django, nil
}

// suspects are what may keep the settings from loading: lines with a comment behind the
// value, and 0 for SECRET_KEY.
func (d *diagnosis) suspects() (lines []int) {
	for _, f := range d.found {
		switch {
		case f.File != d.rel():
		case f.Code == finding.ValueInlineComment && f.Severity != finding.Error:
			lines = append(lines, f.Line)
		case (f.Code == finding.SecretKeyPlaceholder || f.Code == finding.SecretKeyMissing) && d.mayGenerate():
			lines = append(lines, 0)
		}
	}
	return lines
}

// stillRefused reports whether the settings refuse to load with the needed edits made and a
// key in the file, for another reason than the key; or load without a SECRET_KEY, at which
// Django stops later.
func (d *diagnosis) stillRefused(ctx context.Context, by steps.Trier) (bool, error) {
	now, err := willBe(ctx, d.run)
	if err != nil {
		return false, err
	}
	if now == nil {
		now = bytes.Clone(d.project.EnvFile.At.Data)
	}
	c, err := envfile.Edit(now, envfile.For{Readers: d.project.EnvFile.Readers, Env: d.run.LookupEnv}, envfile.Set{Name: d.run.Names().Key, Value: randomToken() + randomToken()})
	if err != nil {
		return false, err
	}
	facts, err := by.Try(ctx, d.trial(map[string][]byte{d.project.EnvFile.Path: c.New}))
	return err == nil && (facts.State == "error" || !facts.SecretKey.Set), err
}
