package repo

import (
	"bytes"
	"regexp"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
)

// given is one line of a pipeline, compose file or manifest that gives one of the
// two keys a value.
type given struct {
	line int
	key  bool   // JWT_SECRET_KEY
	from string // the value: a literal, or what it is a reference to
}

// Twins finds in a text what gives the two keys, of these names, a value.
type Twins struct {
	steps.Names
	// A value that stands for one thing and no more: a literal, or a reference to
	// a variable or a secret. A command gives another value each time.
	gives, itemName, passedOn *regexp.Regexp
}

// TwinsOf finds what gives the two keys of these names a value.
func TwinsOf(names steps.Names) Twins {
	pattern := func(text string) *regexp.Regexp {
		if names.AnyCase {
			text = "(?i)" + text
		}
		return regexp.MustCompile(strings.ReplaceAll(text, "NAME", "("+regexp.QuoteMeta(names.Key)+"|"+regexp.QuoteMeta(names.SecretKey)+")"))
	}
	return Twins{
		Names:    names,
		gives:    pattern(`(?:^|[^A-Za-z0-9_.${])NAME["']?\s*[:=]\s*("[^"]*"|'[^']*'|\$\{\{[^}]*\}\}|\{\{[^}]*\}\}|\$\{[^}]*\}|[^\s,}]+)`),
		itemName: pattern(`(?:^|[\s{,-])["']?name["']?\s*:\s*["']?NAME["']?(?:$|[\s,}])`),
		passedOn: pattern(`^-\s+["']?NAME["']?$`),
	}
}

var (
	plainValue = lazyregexp.New(`^[^\s$(){}\[\]|>&*#!<"'` + "`]+$")
	// ${NAME}, ${NAME:?said}, $NAME, and Azure's $(NAME).
	variable = lazyregexp.New(`^\$(?:\{(\w+)(?:\}|:?[?+-][^}]*\})|(\w+)|\((\w+)\))$`)
	// ${NAME:-${OTHER}} is OTHER wherever it matters.
	fallsBack = lazyregexp.New(`^\$\{\w+:?-\$\{?(\w+)`)
	// GitHub's ${{ secrets.NAME }} and Helm's {{ .Values.name }}.
	property = lazyregexp.New(`^\$?\{\{-?\s*(\.?[A-Za-z][\w.-]*?)\s*-?\}\}$`)

	listItem    = lazyregexp.New(`^(\s*)-\s`)
	itemValue   = lazyregexp.New(`(?:^|[\s{,])["']?value["']?\s*:\s*("[^"]*"|'[^']*'|[^\s,}]+)`)
	secretName  = lazyregexp.New(`(?:^|[\s{,])["']?name["']?\s*:\s*["']?([^\s,}"']+)`)
	secretKey   = lazyregexp.New(`(?:^|[\s{,])["']?key["']?\s*:\s*["']?([^\s,}"']+)`)
	yamlComment = lazyregexp.New(`(?:^|\s)(?:#|//).*$`)
)

// Same finds the first line that gives JWT_SECRET_KEY the value that SECRET_KEY
// has, 0 for none. What SECRET_KEY has is said by the line nearest to it; where
// none says so, it is the variable or secret of that name.
func (t Twins) Same(data []byte) int {
	all := t.givenIn(data)
	for _, g := range all {
		if !g.key {
			continue
		}
		nearest := given{from: "$" + t.SecretKey}
		for _, o := range all {
			if !o.key && (nearest.line == 0 || distance(o, g) < distance(nearest, g)) {
				nearest = o
			}
		}
		if g.from == nearest.from || nearest.line == 0 && g.from == "secrets."+t.SecretKey {
			return g.line
		}
	}
	return 0
}

func distance(a, b given) int { return max(a.line-b.line, b.line-a.line) }

// givenIn lists what the lines of a file give to the two keys.
func (t Twins) givenIn(data []byte) (all []given) {
	var lines []string
	for l := range bytes.Lines(data) {
		lines = append(lines, yamlComment.ReplaceAllString(strings.TrimRight(string(l), "\r\n"), ""))
	}
	add := func(line int, name, value string) {
		if from := source(value); from != "" {
			all = append(all, given{line + 1, t.IsKey(name), from})
		}
	}
	for i, l := range lines {
		for _, m := range t.gives.FindAllStringSubmatch(l, -1) {
			add(i, m[1], m[2])
		}
		if m := t.passedOn.FindStringSubmatch(strings.TrimSpace(l)); m != nil {
			add(i, m[1], "$"+m[1])
		}
		if m := listItem.FindStringSubmatch(l); m != nil {
			item, _ := itemOf(l, lines[i+1:], len(m[1]))
			if !t.In([]byte(item)) {
				continue
			}
			name, ref, isRef := strings.Cut(item, "secretKeyRef")
			n := t.itemName.FindStringSubmatch(name)
			if n == nil && isRef {
				n = t.itemName.FindStringSubmatch(ref)
			}
			secret, key, value := secretName.FindStringSubmatch(ref), secretKey.FindStringSubmatch(ref), itemValue.FindStringSubmatch(item)
			switch {
			case n == nil:
			case isRef && secret != nil && key != nil:
				all = append(all, given{i + 1, t.IsKey(n[1]), "the key " + key[1] + " of " + secret[1]})
			case !isRef && value != nil:
				add(i, n[1], value[1])
			}
		}
	}
	return all
}

// source says what a value is, so that two of them can be compared; "" when it is
// nothing that can be: a command, a template to be filled in, a block below.
func source(value string) string {
	value = strings.TrimSpace(strings.Trim(value, `"'`))
	if m := fallsBack.FindStringSubmatch(value); m != nil {
		return "$" + m[1]
	}
	if m := variable.FindStringSubmatch(value); m != nil {
		return "$" + m[1] + m[2] + m[3]
	}
	if m := property.FindStringSubmatch(value); m != nil {
		return m[1]
	}
	if !plainValue.MatchString(value) || steps.Placeholder(value) {
		return ""
	}
	return "the value " + value
}
