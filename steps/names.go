package steps

import (
	"bytes"
	"cmp"
	"strings"

	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
)

// Names are the environment variables that the two keys are read from.
type Names struct {
	Key       string `json:"key"`        // of the key that signs tokens
	SecretKey string `json:"secret_key"` // of Django's own
	AnyCase   bool   `json:"-"`          // the settings take them in any case
}

// GuideNames are those of the upgrade guide. They count where neither the settings nor
// the configuration name others, and every text of a step calls the keys by them: the
// names in force are filled in where a text goes to a person.
var GuideNames = Names{Key: "JWT_SECRET_KEY", SecretKey: "SECRET_KEY"}

// Or are the names, with those of other for the ones that are not known.
func (n Names) Or(other Names) Names {
	return Names{Key: cmp.Or(n.Key, other.Key), SecretKey: cmp.Or(n.SecretKey, other.SecretKey), AnyCase: n.AnyCase || other.AnyCase}
}

// Known are the names that are not "", by what the configuration calls them.
func (n Names) Known() (known []string) {
	if n.Key != "" {
		known = append(known, "key")
	}
	if n.SecretKey != "" {
		known = append(known, "secret_key")
	}
	return known
}

// IsKey reports whether a variable of that name is the key that signs tokens.
func (n Names) IsKey(name string) bool { return n.same(name, n.Key) }

// IsSecretKey reports whether a variable of that name is SECRET_KEY.
func (n Names) IsSecretKey(name string) bool { return n.same(name, n.SecretKey) }

// In reports whether a text may hold one of the names.
func (n Names) In(text []byte) bool {
	if n.AnyCase {
		text = bytes.ToUpper(text)
		n.Key, n.SecretKey = strings.ToUpper(n.Key), strings.ToUpper(n.SecretKey)
	}
	return bytes.Contains(text, []byte(n.SecretKey)) || bytes.Contains(text, []byte(n.Key))
}

func (n Names) same(a, b string) bool { return a == b || n.AnyCase && strings.EqualFold(a, b) }

// Names are the names in force: those of the configuration, else those that the
// settings ask for, else the guide's.
func (r *Run) Names() Names {
	n := r.Options.Names
	if r.Project != nil {
		n = n.Or(r.Project.Names)
	}
	return n.Or(GuideNames)
}

var guideName = lazyregexp.New(`(?:[/\\]|\b)(?:JWT_)?SECRET_KEY\b`)

// Fill writes the names in force into a text that has the guide's. A file of that name,
// such as /run/secrets/SECRET_KEY, is what it is.
func (n Names) Fill(text string) string {
	n = n.Or(GuideNames)
	if n.Key == GuideNames.Key && n.SecretKey == GuideNames.SecretKey || !strings.Contains(text, GuideNames.SecretKey) {
		return text
	}
	return guideName.ReplaceAllStringFunc(text, func(name string) string {
		switch name {
		case GuideNames.Key:
			return n.Key
		case GuideNames.SecretKey:
			return n.SecretKey
		}
		return name
	})
}

// Show is a text of keysplit's own, fit to be shown: without a secret, and with the
// names in force.
func (r *Run) Show(text string) string { return r.Redactor.Clean(r.Names().Fill(text)) }

// Fit is Show for a text; its commands of keysplit get the flags that say which project
// and environment this run is about.
func (r *Run) Fit(t prose.Text) prose.Text {
	return t.Name(r.Names().Fill).Clean(r.Redactor.Clean).For(r.Flags())
}

// SecretEntry is the key's name in a Kubernetes Secret, as in the upgrade guide's
// manifest.
const SecretEntry = "jwt-secret-key" // #nosec G101 -- a name, no value

// IsDockerfile tells by a file's name (without folders) that an image is built
// from it.
func IsDockerfile(base string) bool {
	base = strings.ToLower(base)
	return base == "dockerfile" || strings.HasPrefix(base, "dockerfile.") || strings.HasSuffix(base, ".dockerfile")
}
