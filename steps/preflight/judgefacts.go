package preflight

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
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
	var found []finding.Finding
	settings := d.project.Rel(f.SettingsFile)
	add := func(code finding.Code, message, file string) {
		found = append(found, finding.New(code, message).At(file, 0))
	}
	has := func(codes ...finding.Code) bool {
		for _, c := range codes {
			if finding.Has(d.found, c) {
				return true
			}
		}
		return false
	}
	// With --env-file for another environment, Django reads another file.
	about := d.run.Options.EnvFile == "" || d.place.path == "" || steps.SameFile(d.place.path, d.project.EnvFile.Path)
	// What stands in a file of references is no key, whatever the settings made of it.
	about = about && (d.project.EnvFile.Owner == nil || d.keys.Key.Secret.Set())
	if about {
		switch f.State {
		case "key-missing":
			if !has(finding.JWTKeyMissing, finding.JWTKeyEmpty, finding.KeyUnread, finding.LineGlued, finding.JWTKeyShadowed, finding.EnvFileWrongPlace, finding.EnvFileMissing) {
				add(finding.KeyUnread, "The settings find no JWT_SECRET_KEY, though the file has one.", d.rel())
			}
		case "key-equal":
			if !has(finding.JWTKeyEqualsSecretKey) {
				add(finding.JWTKeyEqualsSecretKey, "The settings refuse JWT_SECRET_KEY: it equals SECRET_KEY.", d.rel())
			}
		case "key-short":
			if !has(finding.JWTKeyTooShort) {
				add(finding.JWTKeyTooShort, "The settings refuse JWT_SECRET_KEY: it is too short.", d.rel())
			}
		case "key-refused":
			if !has(finding.JWTKeyWeak, finding.JWTKeyPlaceholder, finding.JWTKeyMissing) {
				add(finding.JWTKeyWeak, "The settings refuse JWT_SECRET_KEY: "+f.StateError, d.rel())
			}
		case "ok":
			d.judgeLoaded(f, add, has)
		}
		if len(f.ReaderFiles) == 0 && d.reader() != envfile.Shell && d.project.EnvFile.Exists {
			add(finding.EnvFileWrongPlace, "The settings did not open this file.", d.rel())
		}
		if !f.SecretKey.Set && !has(finding.SecretKeyMissing) {
			add(finding.SecretKeyMissing, "", settings)
		}
	}
	if fallback && !f.Enforced {
		message := ""
		if !f.SigningEqualsSecretKey {
			message = "The settings start without JWT_SECRET_KEY and then sign tokens with SECRET_KEY."
		}
		text := finding.New(finding.SettingsNotUpgraded, message).At(settings, 0)
		if place, ok := notUpgraded(d.project, d.sources); ok {
			text = text.At(place.File, place.Line)
		}
		found = append(found, text)
	}
	for _, c := range f.Checks {
		if c.Level >= 40 {
			add(finding.DjangoCheckFailed, strings.TrimSpace(c.ID+" "+c.Message), settings)
		}
	}
	if !f.Tokens.Shared() {
		found = append(found, f.NotShared().At(settings, 0))
	}
	if made, other := d.project.MadeBy(); other && d.project.Source.Kind != steps.OwnCode {
		found = append(found, made)
	}
	return found
}

// judgeLoaded compares the keys of settings that load with those of the file.
func (d *diagnosis) judgeLoaded(f *steps.Facts, add func(finding.Code, string, string), has func(...finding.Code) bool) {
	key := d.keys.Key
	if f.Key.Set && key.Secret.Set() && f.Key.Sum != d.run.Prints.Of(key.Secret) && f.Key.Source != "environment" {
		add(finding.KeyUnread, "The settings have another JWT_SECRET_KEY than the one in the file.", d.rel())
	}
	if f.Key.Set && !key.Secret.Set() && f.Key.Length < steps.MinKeyLength {
		add(finding.JWTKeyTooShort, fmt.Sprintf("The settings have a JWT_SECRET_KEY of %d characters; %d are needed.", f.Key.Length, steps.MinKeyLength), d.project.Rel(f.SettingsFile))
	}
	switch {
	case !f.Key.Set || !f.SigningEqualsSecretKey || has(finding.JWTKeyEqualsSecretKey):
	case f.SigningEqualsKey:
		add(finding.JWTKeyEqualsSecretKey, "The key that signs tokens equals SECRET_KEY.", d.project.Rel(f.SettingsFile))
	default:
		add(finding.SettingsNotUpgraded, "The settings sign tokens with SECRET_KEY, although JWT_SECRET_KEY is set.", d.project.Rel(f.SettingsFile))
	}
}
