package preflight

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
)

// correct takes over what Django's reader really did, and tells whether that
// changes anything.
func (d *diagnosis) correct(ctx context.Context, f *steps.Facts) bool {
	names := d.run.Options.Names.Or(f.Variables).Or(d.project.Names)
	renamed := names != d.project.Names
	d.project.Names = names
	reader := envfile.Shell
	for _, known := range []envfile.Dialect{envfile.Decouple, envfile.PythonDotenv, envfile.DjangoEnviron} {
		if f.Reader == string(known) {
			reader = known
		}
	}
	path, hidden := opened(d.run.Names(), f.ReaderFiles)
	changed := renamed || d.reader() != reader
	if path != "" && !steps.SameFile(path, d.place.path) || hidden != d.place.hidden {
		if path != "" {
			d.place = place{path: path, found: f.Reader + " reads it"}
		}
		d.place.hidden = hidden
		changed = true
	}
	if d.place.path != "" && d.run.Options.EnvFile == "" {
		d.project.EnvFile.Path, d.project.EnvFile.Found = d.place.path, d.place.found
	}
	d.setReader(reader)
	before := d.project.Source
	d.project.Source = d.sourceOf(ctx, f)
	return changed || before != d.project.Source
}

// opened chooses the .env among the files that the readers opened: the one with
// the key, else the one with SECRET_KEY, else the first. hidden is a
// settings.ini that was read in its place.
func opened(names steps.Names, files []string) (env, hidden string) {
	best := -1
	for _, f := range files {
		if filepath.Base(f) == "settings.ini" {
			hidden = f
			continue
		}
		worth := 0
		if holdsKeys(names, f) {
			worth = 1
			if sets(f, names.IsKey) {
				worth = 2
			}
		}
		if worth > best {
			best, env = worth, f
		}
	}
	if env != "" {
		hidden = ""
	}
	return env, hidden
}

// fallsBackTo reports whether tokens would be signed with SECRET_KEY when nothing
// sets the key.
func fallsBackTo(django steps.Django, f *steps.Facts) bool {
	if s, ok := django.(*session); ok {
		return s.fallback
	}
	return !f.Enforced && f.State == "ok"
}

// overrule drops what only the files seemed to say: settings that load may
// get their keys from a place that the files do not show, such as a secret
// manager. A value that stands in the code is no such place.
func (d *diagnosis) overrule(f *steps.Facts) {
	var kept []finding.Finding
	for _, found := range d.project.Findings {
		if !f.Tokens.Shared() && aboutKey[found.Code] {
			if f.State == "ok" {
				continue // it signs nothing
			}
			found = found.WithFix(f.NotShared().Fix).NotFixable()
		}
		if _, other := d.project.MadeBy(); found.Code == finding.JWTKeyMissing && f.State == "ok" && !f.Key.Set && !f.SigningEqualsSecretKey && !other {
			found.Why = prose.Say("The backend starts without it, and cannot sign a token: every login fails.")
		}
		switch found.Code {
		case finding.JWTKeyMissing, finding.EnvFileMissing:
			if f.State == "ok" && f.Key.Set && !f.SigningEqualsSecretKey {
				if !keyIsInCode(d.project.Names, d.sources) {
					continue
				}
				if found.Code == finding.JWTKeyMissing {
					found.Message = prose.Say("JWT_SECRET_KEY is not set; the settings use a value that is in the code.")
				}
			}
		case finding.SecretKeyMissing:
			if f.SecretKey.Set && !d.refuses[0] { // else only the plan's own edit sets it
				continue
			}
		}
		kept = append(kept, found)
	}
	d.project.Findings = kept
}

// aboutKey are the findings about the key itself.
var aboutKey = map[finding.Code]bool{
	finding.JWTKeyMissing: true, finding.JWTKeyEmpty: true, finding.JWTKeyEqualsSecretKey: true, finding.JWTKeyPlaceholder: true,
	finding.JWTKeyWeak: true, finding.JWTKeyTooShort: true,
}

// judgeFacts adds what only running the settings could tell.
func (d *diagnosis) judgeFacts(f *steps.Facts, fallback bool) []finding.Finding {
	j := judged{d: d, f: f}
	shared := f.Tokens.Shared()
	if d.readsWhatIsJudged() {
		if shared {
			j.state()
		}
		if len(f.ReaderFiles) == 0 && d.reader() != envfile.Shell && !d.project.EnvFile.Sourced && d.project.EnvFile.Exists {
			j.add(finding.EnvFileWrongPlace, "The settings did not open this file.", d.rel())
		}
		if !f.SecretKey.Set && !j.has(finding.SecretKeyMissing) {
			j.add(finding.SecretKeyMissing, "", j.settings())
		}
	}
	switch {
	case !shared: // whatever the settings have, SECRET_KEY signs nothing
	case fallback && j.storedTwice():
	case fallback && !f.Enforced:
		j.fallsBack()
	case d.ignores:
		j.add(finding.SettingsNotUpgraded, "The settings read JWT_SECRET_KEY, and would sign tokens with SECRET_KEY all the same.", j.settings())
	}
	for _, c := range f.Checks {
		if c.Level >= 40 {
			j.add(finding.DjangoCheckFailed, strings.TrimSpace(c.ID+" "+c.Message), j.settings())
		}
	}
	if !shared {
		j.found = append(j.found, f.NotShared().At(j.settings(), 0))
	}
	if made, other := d.project.MadeBy(); other && d.project.Source.Kind != steps.OwnCode {
		j.found = append(j.found, made)
	}
	return j.found
}

// readsWhatIsJudged reports whether the file that was judged is the one that Django
// reads: with --env-file for another environment it is not, and what stands in a file of
// references is no key, whatever the settings made of it.
func (d *diagnosis) readsWhatIsJudged() bool {
	same := d.run.Options.EnvFile == "" || d.place.path == "" || steps.SameFile(d.place.path, d.project.EnvFile.Path)
	return same && (d.project.EnvFile.Owner == nil || d.keys.Key.Secret.Set())
}

// judged collects what the facts add to what the files told.
type judged struct {
	d     *diagnosis
	f     *steps.Facts
	found []finding.Finding
}

func (j *judged) settings() string { return j.d.project.Rel(j.f.SettingsFile) }

func (j *judged) add(code finding.Code, message, file string) {
	j.found = append(j.found, finding.New(code, message).At(file, 0))
}

// has reports whether the files told one of these already.
func (j *judged) has(codes ...finding.Code) bool {
	return slices.ContainsFunc(codes, func(c finding.Code) bool { return finding.Has(j.d.found, c) })
}

// state says why the settings refuse the key, where the files did not.
func (j *judged) state() {
	var said []finding.Code
	code, message := finding.Code(""), ""
	switch j.f.State {
	case "key-missing":
		said = []finding.Code{finding.JWTKeyEmpty, finding.KeyUnread, finding.EncodingInvalid, finding.LineGlued, finding.JWTKeyShadowed, finding.EnvFileWrongPlace, finding.EnvFileMissing, finding.JWTKeyMissing}
		code, message = finding.KeyUnread, "The settings find no JWT_SECRET_KEY, though the file has one."
		if _, set := j.d.run.LookupEnv(j.d.run.Names().Key); set && j.d.project.Inside() && !j.has(said...) {
			j.found = append(j.found, finding.New(finding.JWTKeyMissing, "JWT_SECRET_KEY of the environment does not reach the container.").At(j.d.rel(), 0).
				WithFix(finding.Do("Take it out of the environment, then run `keysplit` again: the key goes where the container gets its variables.")).NotFixable())
			return
		}
	case "key-equal":
		code, message = finding.JWTKeyEqualsSecretKey, "The settings refuse JWT_SECRET_KEY: it equals SECRET_KEY."
	case "key-short":
		code, message = finding.JWTKeyTooShort, "The settings refuse JWT_SECRET_KEY: it is too short."
	case "key-refused":
		said = []finding.Code{finding.JWTKeyPlaceholder, finding.JWTKeyMissing}
		code, message = finding.JWTKeyWeak, "The settings refuse JWT_SECRET_KEY: "+j.f.StateError
	case "ok":
		j.loaded()
		return
	default:
		return
	}
	if !j.has(append(said, code)...) {
		j.add(code, message, j.d.rel())
	}
}

// storedTwice says of settings that get their keys in a way of their own that these are
// equal, and reports whether they are: nothing falls back there, whatever a variable holds.
func (j *judged) storedTwice() bool {
	d, f := j.d, j.f
	both := f.Key.Set && f.SigningEqualsKey && (f.Key.Source == "code" || f.Key.Source == "value-file")
	if !f.SigningEqualsSecretKey || f.Takes || !both && (f.Key.Set || !signsWithFetched(d.run.Names(), d.sources)) {
		return false
	}
	told := func(f finding.Finding) bool {
		return f.Code == finding.JWTKeyMissing || f.Code == finding.JWTKeyEqualsSecretKey
	}
	j.found, d.project.Findings = slices.DeleteFunc(j.found, told), slices.DeleteFunc(d.project.Findings, told)
	source, at := d.project.Source, j.settings()
	if source.Kind != steps.ValueFile {
		source = steps.Source{Kind: steps.FromCode, File: f.Key.File}
	}
	if source.File != "" {
		at = d.project.Rel(source.File)
	}
	j.found = append(j.found, finding.New(finding.JWTKeyEqualsSecretKey, "The settings fetch both keys themselves, and get the same value for both.").
		At(at, 0).WithFix(d.run.Untaken(source).Fix).NotFixable())
	return true
}

// fetched is what the settings give the package as its key, and asksVariable a reader of
// variables.
var (
	fetched      = lazyregexp.New(`['"]SIGNING_KEY['"]\s*:\s*([^\n]*)`)
	asksVariable = lazyregexp.New(`environ|getenv|\bconfig\(|\benv\w*[(.\[]`)
)

// signsWithFetched reports whether the settings give the package a key that they fetch by a
// call of their own, and neither read from a variable nor have as SECRET_KEY.
func signsWithFetched(names steps.Names, sources []source) bool {
	for _, s := range sources {
		m := fetched.FindStringSubmatch(s.text)
		if m == nil {
			continue
		}
		expression := argumentOrLine(m[1])
		return strings.ContainsAny(expression, "([") && !strings.Contains(strings.ReplaceAll(expression, names.Key, ""), "SECRET_KEY") && !asksVariable.MatchString(expression)
	}
	return false
}

// fallsBack says that the settings sign with SECRET_KEY where nothing sets the key.
func (j *judged) fallsBack() {
	message := ""
	if !j.f.SigningEqualsSecretKey {
		message = "The settings start without JWT_SECRET_KEY and then sign tokens with SECRET_KEY."
	}
	text := finding.New(finding.SettingsNotUpgraded, message).At(j.settings(), 0)
	if place, ok := notUpgraded(j.d.project, j.d.sources); ok {
		text = text.At(place.File, place.Line)
	}
	j.found = append(j.found, text)
}

// loaded compares the keys of settings that load with those of the file.
func (j *judged) loaded() {
	d, f, key := j.d, j.f, j.d.keys.Key
	if d.project.Source.Kind == "" && f.Key.Set && key.Secret.Set() && f.Key.Sum != d.run.Prints.Of(key.Secret) && f.Key.Source != "environment" {
		j.add(finding.KeyUnread, "The settings have another JWT_SECRET_KEY than the one in the file.", d.rel())
	}
	if f.Key.Set && !key.Secret.Set() && f.Key.Length < steps.MinKeyLength {
		j.add(finding.JWTKeyTooShort, fmt.Sprintf("The settings have a JWT_SECRET_KEY of %d characters; %d are needed.", f.Key.Length, steps.MinKeyLength), j.settings())
	}
	switch {
	case !f.Key.Set || !f.SigningEqualsSecretKey || f.Takes || j.has(finding.JWTKeyEqualsSecretKey): // what a variable replaces is said as a fallback
	case f.SigningEqualsKey:
		j.add(finding.JWTKeyEqualsSecretKey, "The key that signs tokens equals SECRET_KEY.", j.settings())
	default:
		j.add(finding.SettingsNotUpgraded, "The settings sign tokens with SECRET_KEY, although JWT_SECRET_KEY is set.", j.settings())
	}
}
