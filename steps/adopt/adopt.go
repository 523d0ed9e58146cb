// Package adopt gives a project that signs its tokens with SECRET_KEY a key of its own:
// it makes the upgrade guide's change in the settings, in the project's own manner.
//
// The rules:
//
//   - The places are found in the syntax tree, by the project's own Python, which runs
//     none of the project's code for that (look/*.py). A shape that is not known for
//     certain is not edited: the lines to paste are shown, with the place.
//   - What is inserted reads the key as the settings read SECRET_KEY, with the names that
//     they have imported, in their quotes, indentation and line ends, and refuses to load
//     without it, with SECRET_KEY in its place, and with a short one. What signed before
//     gets the key's name in its place. Every other byte is compared, and stays.
//   - It is tried in the project's Django before anything is written: without the edit;
//     with it and no key, with SECRET_KEY as the key, with a short one, all of which it
//     must refuse; and with it and a new key, with which it must start, and sign.
//   - It writes nothing itself.
package adopt

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
)

// Draft makes the edit of a project whose Django runs, and tries it. Where there is none
// that is sure, the error is a *steps.Failure with the lines to paste.
func Draft(ctx context.Context, run *steps.Run) (*steps.Adopted, error) {
	trier, ok := run.Django.(steps.Trier)
	if !ok || run.Project.SettingsFile == "" || run.Project.Python == "" {
		return nil, steps.Fail(finding.New(finding.SettingsNotUpgraded, "The settings cannot be tried before they are edited, so keysplit does not edit them.").At(run.Project.Rel(run.Project.SettingsFile), 0).NotFixable())
	}
	p, err := look(ctx, run, "key")
	if err != nil {
		return nil, err
	}
	if p.Unsure != "" {
		return nil, unsure(run, p)
	}
	var refused error
	for _, w := range p.Ways {
		made, err := write(run, p, w)
		if err != nil {
			refused = err
			continue
		}
		var failed *triedError
		if err = try(ctx, run, trier, made); !errors.As(err, &failed) {
			return made, err
		}
		refused = failed
	}
	p.Unsure = refused.Error()
	return nil, unsure(run, p)
}

// Refused is why no edit of the settings is sure, with the lines to paste: a
// *steps.Failure, nil where Draft may make one.
func Refused(ctx context.Context, run *steps.Run) error {
	if run.Project.SettingsFile == "" || run.Project.Python == "" {
		return nil
	}
	if p, err := look(ctx, run, "key"); err != nil || p.Unsure != "" {
		return cmp.Or(err, unsure(run, p))
	}
	return nil
}

// write makes the edit in one of the ways to read the key.
func write(run *steps.Run, p place, w way) (*steps.Adopted, error) {
	if p.File == "" || run.Project.Rel(p.File) == p.File {
		return nil, errors.New("the file is outside of the project")
	}
	if info, err := os.Lstat(p.File); err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	was, err := file.ReadSmall(p.File)
	if err != nil {
		return nil, err
	}
	is, err := mannerOf(run, p, w).edit(was)
	if err != nil {
		return nil, err
	}
	return &steps.Adopted{File: p.File, Was: was, Is: is, Line: p.Line, Literal: p.Literal, Package: w.Package, Version: w.Version, LeftOut: p.LeftOut}, nil
}

func mannerOf(run *steps.Run, p place, w way) manner {
	m := manner{place: p, way: w, key: run.Names().Key, least: run.MinLength()}
	m.grace[0], m.grace[1] = run.Names().Grace()
	return m
}

// unsure is the finding of settings that are not edited: the reason, the place, and the
// lines to paste.
func unsure(run *steps.Run, p place) error {
	at := run.Project.Rel(p.File)
	code := finding.SettingsNotUpgraded
	if p.Tail == "apps" {
		code = finding.GraceModuleNotLoaded
	}
	f := finding.New(code, "").At(at, p.Line).NotFixable()
	f.Message = prose.Say("keysplit does not edit the settings: %s.", prose.Code(strings.TrimRight(secret.Inert(p.Unsure), ".")))
	f.Fix = byHand(run, p)
	return steps.Fail(f)
}

// byHand says what a person adds to the settings, and where.
func byHand(run *steps.Run, p place) finding.Fix {
	m := mannerOf(run, p, way{Call: "os.environ.get", Form: "get", Import: "import os"})
	if len(p.Ways) > 0 {
		m.way = p.Ways[0]
	}
	if p.Reader != "" {
		m.way = way{Form: "object"}
	}
	m.Read = true
	where := "below SECRET_KEY and " + p.Dict
	switch {
	case p.Reader != "" && p.Tail == "apps":
		as := prose.Say("")
		if m.grace[0] != steps.GraceKeyName {
			as = prose.Say(", as the settings %s and %s", steps.GraceKeyName, steps.GraceUntilName)
		}
		return finding.Do("Let %s read %s and %s, empty by default%s. Then add %s to INSTALLED_APPS.", p.Reader, m.grace[0], m.grace[1], as, steps.GraceApp)
	case p.Reader != "" && p.Reading == "": // the settings are made last, and from the dictionary
		return finding.Do("Give %s the first of these lines, above the call of %s, and that call the second. Then run `keysplit` again.\n%s", p.Dict, p.Reader,
			prose.Code(fmt.Sprintf("%s: %s,\nvalidators=[dynaconf.Validator(%s, must_exist=True, len_min=%d)],", m.quoted("SIGNING_KEY"), m.quoted("@format {this."+m.Var+"}"), m.quoted(m.Var), m.least)))
	case p.Tail == "apps":
		where = "below INSTALLED_APPS"
	case m.Class:
		m.Tail, where = "entry", "at the end of the class"
	default:
		m.Tail = cmp.Or(m.Tail, "entry")
	}
	if m.Package != "" && !listed(run.Project, m.Package) {
		where += ", and " + m.Package + " to the project's requirements"
	}
	if field := m.Reading[strings.LastIndexByte(strings.TrimSuffix(m.Reading, ".get_secret_value()"), '.')+1:]; p.Reader == "pydantic-settings" {
		field, _, _ = strings.Cut(field, ".")
		where += ", and the field " + field + " to the class of SECRET_KEY's"
	}
	return finding.Do("Add these lines to %s, %s:\n%s", run.Project.Rel(p.File), prose.Code(where), prose.Code(strings.Join(append(m.imports(), m.lines()...), "\n")))
}

// throwaway is a random key of n characters, for one evaluation.
func throwaway(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read never fails
	return base64.RawURLEncoding.EncodeToString(b)[:n]
}

// triedError is an edit that the project's Django did not take as it should.
type triedError struct{ why string }

func (e *triedError) Error() string { return e.why }

// try evaluates the settings with and without the edit, before anything is written.
func try(ctx context.Context, run *steps.Run, trier steps.Trier, made *steps.Adopted) error {
	name := run.Names().Key
	key, short := throwaway(run.MinLength()+20), throwaway(run.MinLength()-1)
	plain, err := trier.Try(ctx, steps.Trial{Pin: map[string]*string{name: &key}})
	if err != nil {
		return err
	}
	if plain.State != "ok" {
		return &triedError{"the settings do not load as they are: " + plain.StateError}
	}
	edit := map[string][]byte{made.File: made.Is}
	for _, t := range []struct {
		trial steps.Trial
		what  string
	}{
		{steps.Trial{Files: edit, Pin: map[string]*string{name: nil}}, "without the key"},
		{steps.Trial{Files: edit, Same: true}, "with SECRET_KEY as the key"},
		{steps.Trial{Files: edit, Pin: map[string]*string{name: &short}}, "with a short key"},
	} {
		f, err := trier.Try(ctx, t.trial)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(f.State, "key-") {
			why := "the edited settings load " + t.what
			if f.State != "ok" {
				why = fmt.Sprintf("the edited settings fail %s, but not because of it: %s", t.what, f.StateError)
			}
			return &triedError{why}
		}
	}
	f, err := trier.Try(ctx, steps.Trial{Files: edit, Pin: map[string]*string{name: &key}})
	switch {
	case err != nil:
		return err
	case f.State != "ok":
		return &triedError{"the edited settings do not load with a new key: " + f.StateError}
	case !f.SigningEqualsKey || f.SigningEqualsSecretKey || f.Key.Sum != run.Prints.Sum([]byte(key)):
		return &triedError{"the edited settings do not sign with the new key"}
	case f.SecretKey.Sum != plain.SecretKey.Sum:
		return &triedError{"SECRET_KEY would change"}
	case f.BesideKey != plain.BesideKey:
		return &triedError{"other settings of the tokens would change"}
	}
	return nil
}
