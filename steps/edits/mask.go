package edits

import (
	"fmt"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// dots stand for a value, always as many, so that not even its length shows.
const dots = "••••••••••••••••"

// mask makes a line of a .env file fit to be shown: names are shown and values are not,
// but for a placeholder, which is public by its nature, and for what the example shows to
// everybody; a comment keeps its ordinary words. note says what is hidden, where that is
// worth saying.
func mask(run *steps.Run, known public, line string) (text, note string) {
	of, key := run.Names(), run.Key
	parsed := envfile.Parse([]byte(line))
	if parsed.Len() == 0 {
		return "", ""
	}
	l := parsed.Line(0)
	switch {
	case l.Kind == envfile.Comment && known.comments[strings.TrimSpace(line)]:
		return secret.Inert(line), ""
	case l.Kind == envfile.Comment || l.Kind == envfile.Blank:
		return run.Redactor.Show(secret.Said(line)), "" // an earlier value may be in a comment
	case l.Kind == envfile.Bare:
		return dots, "a value without a name"
	}
	name := secret.Inert(l.Name)
	if l.Export {
		name = "export " + name
	}
	value, plain := known.shown(l)
	switch {
	case l.Value == "":
		return name + "=", "empty"
	case l.Value == key.Reveal():
		return name + "=" + dots, fmt.Sprintf("%d characters, fingerprint %s", key.Len(), key.Fingerprint())
	case strings.Contains(l.Value, of.Key+"="):
		return name + "=" + dots + of.Key + "=" + dots, "two settings on one line"
	case of.IsKey(l.Name) && steps.Placeholder(l.Value) && !strings.Contains(l.Value, " "):
		return name + "=" + shorten(secret.Inert(l.Value), 28), "placeholder, public"
	case plain:
		return name + "=" + value, ""
	}
	if of.IsKey(l.Name) {
		return name + "=" + dots, formerly(run, l.Value)
	}
	return name + "=" + dots, ""
}

// formerly says what an earlier key was, "" where that is not known.
func formerly(run *steps.Run, value string) string {
	switch old := run.Prints.Secret(value); {
	case run.Project != nil && finding.Has(run.Project.Findings, finding.JWTKeyEqualsSecretKey):
		return "same as SECRET_KEY"
	case run.Previous.Set() && old.Equal(run.Previous):
		return "previous, " + old.Fingerprint()
	}
	return ""
}

func shorten(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
