package edits

import (
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
)

// public is what the example beside a .env shows to everybody who has the repository: its
// values by their names, and its comments.
type public struct {
	values   map[string]string
	comments map[string]bool
}

// publicOf reads the example of a .env; nothing is public where there is none.
func publicOf(path string) public {
	p := public{map[string]string{}, map[string]bool{}}
	sample := steps.SampleOf(path)
	if sample == "" {
		return p
	}
	data, _ := file.ReadSmall(sample)
	for _, l := range envfile.Parse(text(data)).Lines() {
		switch {
		case l.Kind == envfile.Comment:
			p.comments[strings.TrimSpace(l.Text())] = true
		case l.Kind == envfile.Assignment && !l.Inside:
			value, comment := valueOf(l)
			p.values[l.Name] = value
			if comment != "" {
				p.comments[comment] = true
			}
		}
	}
	return p
}

// valueOf is what a line sets, and the comment behind it, "" for none.
func valueOf(l envfile.Line) (value, comment string) {
	if value, comment, ok := l.Behind(); ok {
		return value, strings.TrimSpace(comment)
	}
	return l.Value, ""
}

// shown is the value of a line as a diff shows it, where it need not be hidden: the example
// has the same, and nothing in the name says that it is a secret. ok is false else. Whether
// a value looks like one says nothing: a PIN is a number, and a password may be a word.
func (p public) shown(l envfile.Line) (text string, ok bool) {
	value, comment := valueOf(l)
	is, named := p.values[l.Name]
	switch {
	case !named || is != value || value == "" || strings.ContainsAny(value, "\n\r") || mixed(value):
		return "", false
	case private(l.Name) && !(measures.MatchString(l.Name) && few.MatchString(value)):
		return "", false
	}
	switch {
	case comment == "":
	case p.comments[comment]:
		value += "  " + comment
	default:
		value += "  # " + dots
	}
	return secret.Inert(value), true
}

var (
	// measures are names of how long, how many or how big something is, or whether it is
	// so: that of a token is no token.
	measures = lazyregexp.New(`(?i)_(?:LIFETIME|LIFE|TTL|AGE|TIMEOUT|SECONDS|SECS|MINUTES|MINS|HOURS|DAYS|WEEKS|LIMIT|COUNT|ATTEMPTS|LENGTH|SIZE|ROTATE|ENABLED|REQUIRED)$`)
	few      = lazyregexp.New(`^(?i:\d{1,5}|true|false|yes|no|on|off)$`)
	// privateWords are parts of names that say secret, beside those of secret.Sensitive.
	privateWords = strings.Fields("PIN CODE OTP PWD PW PSW CRED CREDS CREDENTIAL CREDENTIALS SALT PEPPER PRIVATE CERT PEM PHRASE HASH SEED NONCE SID " +
		"LICENSE LICENCE SERIAL COOKIE SESSION DATABASE DB REDIS BROKER SENTRY WEBHOOK ADMIN")
)

// private reports whether a name says that its value is a secret, or may hold one.
func private(name string) bool {
	return secret.Sensitive(name) || slices.ContainsFunc(strings.FieldsFunc(strings.ToUpper(name), func(r rune) bool { return r == '_' || r == '-' || r == '.' }),
		func(part string) bool { return slices.Contains(privateWords, part) })
}

// mixed reports whether a value has a long word of letters and digits, as keys have them.
func mixed(value string) bool {
	return slices.ContainsFunc(words.FindAllString(value, -1), func(w string) bool {
		return len(w) >= 16 && strings.ContainsAny(w, "0123456789") && strings.IndexFunc(w, func(r rune) bool { return r >= 'A' }) >= 0
	})
}

var words = lazyregexp.New(`[A-Za-z0-9+/=_-]+`)
