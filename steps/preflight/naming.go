package preflight

import (
	"regexp"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
)

// naming reads the names of the two variables in the settings' own text. What running
// the settings tells is better; this is for where they do not run.
type naming struct {
	sources []source
	all     string // the text of all sources
}

func namingOf(sources []source) naming {
	n := naming{sources: sources}
	for _, s := range sources {
		n.all += s.text + "\n"
	}
	return n
}

// namesIn are the names that the sources tell, "" for what they do not.
func namesIn(sources []source) steps.Names {
	n := namingOf(sources)
	names := steps.Names{
		Key:       n.filling(signingKeyIs, trail{}),
		SecretKey: n.filling(settingIs("SECRET_KEY"), trail{}),
		AnyCase:   baseSettings.MatchString(n.all) && !caseSensitive.MatchString(n.all),
	}
	switch prefix, ok := n.prefixOfDynaconf(); {
	case !ok:
	case names.SecretKey == "":
		names.SecretKey = prefix + steps.GuideNames.SecretKey
		fallthrough
	case names.Key == "":
		names.Key = prefix + steps.GuideNames.Key
	}
	if names.Key == names.SecretKey {
		names.Key = "" // tokens are signed with SECRET_KEY
	}
	return names
}

var (
	// The package's dict has the key under one of these names.
	signingKeyIs = lazyregexp.New(`(?:['"]?\b(?:SIGNING_KEY|HEADLESS_JWT_PRIVATE_KEY)['"]?\s*(?:\]\s*=|:|=)|['"]JWT_SECRET_KEY['"]\s*:)\s*()`)

	// A name of a variable that a key can be in, as the first argument of a call or
	// as a subscript.
	askedName = lazyregexp.New(`[(\[]\s*(?:\w+\s*=\s*)?[rbuRBU]?['"]([A-Za-z_][A-Za-z0-9_]*)['"]`)
	ofKeys    = lazyregexp.New(`(?i)KEY|SECRET|TOKEN|SIGN|JWT_|_JWT|^(?-i:JWT)$`)
	points    = lazyregexp.New(`(?i)(?:^|_)(?:NAME|PATH|DIR|ARN|ID|PARAM|PARAMETER|VERSION|URL)(?:_|$)`) // to a secret, or to what it is called in a store
	onlyName  = lazyregexp.New(`^[A-Za-z_]\w*$`)
	attribute = lazyregexp.New(`^(\w+(?:\(\))?)\.(\w+)(?:\.get_secret_value\(\))?$`)
	asText    = lazyregexp.New(`^str\((.*)\)$`)
	prefixed  = lazyregexp.New(`\bprefixed\(\s*['"](\w+)['"]`)

	baseSettings  = lazyregexp.New(`class\s+\w+\([^)\n]*\bBaseSettings\b`)
	caseSensitive = lazyregexp.New(`\bcase_sensitive\s*=\s*True\b`)
	envPrefix     = lazyregexp.New(`\benv_prefix\s*=\s*['"](\w*)['"]`)
	fieldAlias    = lazyregexp.New(`\b(?:validation_alias|alias|env)\s*=\s*(?:AliasChoices\(\s*)?['"](\w+)['"]`)

	valuesCall    = lazyregexp.New(`^(?:values\.)?\w*Value\(`)
	environName   = lazyregexp.New(`\benviron_name\s*=\s*['"](\w+)['"]`)
	environPrefix = lazyregexp.New(`\benviron_prefix\s*=\s*(?:None|['"](\w*)['"])`)

	dynaconfMade   = lazyregexp.New(`\b(DjangoDynaconf|Dynaconf|LazySettings)\(`)
	dynaconfPrefix = lazyregexp.New(`\benvvar_prefix\s*=\s*(?:False|['"](\w*)['"])|\bENVVAR_PREFIX_FOR_DYNACONF\s*=\s*['"](\w*)['"]`)
)

// settingIs finds what a setting is assigned, in a module or a class.
func settingIs(name string) *lazyregexp.Regexp {
	return lazyregexp.New(`(?m)^[ \t]*` + regexp.QuoteMeta(name) + `[ \t]*(?::[^=\n]*)?=[ \t]*()`)
}

// trail are the settings that a look went past, each assigned from another one.
type trail map[string]bool

// maxTrail bounds them: each is looked for in all of the settings' text.
const maxTrail = 20

// filling is the variable that fills what a pattern finds, whose last group is where an
// expression begins; "" for none. The settings module itself comes last among the sources,
// and its last word counts.
func (n naming) filling(what *lazyregexp.Regexp, past trail) (name string) {
	n.each(what, past, func(_ source, _ int, is string) (done bool) {
		name = is
		return is != ""
	})
	return name
}

// each calls use for each place that a pattern finds, the last one first, with the variable
// that fills it, until that is done.
func (n naming) each(what *lazyregexp.Regexp, past trail, use func(s source, at int, name string) (done bool)) {
	for _, s := range slices.Backward(n.sources) {
		for _, m := range slices.Backward(what.FindAllStringSubmatchIndex(s.text, -1)) {
			at := m[len(m)-2]
			if use(s, at, n.variable(s, at, strings.TrimSpace(argumentOrLine(s.text[at:])), past)) {
				return
			}
		}
	}
}

// signsWith is where the signing key is filled by a variable, ok reports whether it is.
func (n naming) signsWith(variable string) (in source, at int, ok bool) {
	n.each(signingKeyIs, trail{}, func(s source, place int, name string) (done bool) {
		in, at, ok = s, place, name == variable
		return ok || name != ""
	})
	return in, at, ok
}

// argumentOrLine is an expression: up to a comma, a bracket that closes, or the end of
// the line outside of all brackets. In a string of one line they are none: the keys that
// startproject makes have brackets.
func argumentOrLine(text string) string {
	depth, quote, escaped := 0, rune(0), false
	for i, r := range text {
		switch {
		case escaped:
			escaped = false
		case quote != 0 && r == '\\':
			escaped = true
		case quote != 0 && (r == quote || r == '\n'):
			quote = 0
		case quote != 0:
		case r == '"' || r == '\'':
			quote = r
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]},\n", r) && depth == 0:
			return text[:i]
		case strings.ContainsRune(")]}", r):
			depth--
		}
	}
	return text
}

// variable is the variable that an expression reads, "" where that is not sure.
func (n naming) variable(s source, at int, expression string, past trail) string {
	if m := asText.FindStringSubmatch(expression); m != nil {
		expression = m[1]
	}
	if valuesCall.MatchString(expression) {
		return n.ofValue(s, at, expression)
	}
	if m := askedName.FindStringSubmatch(expression); m != nil && ofKeys.MatchString(m[1]) {
		if name := strings.TrimSuffix(m[1], "_FILE"); !points.MatchString(name) {
			return prefixAt(s.text, at) + name
		}
		return ""
	}
	if m := attribute.FindStringSubmatch(expression); m != nil {
		switch prefix, dynamic := n.prefixOfDynaconf(); {
		case baseSettings.MatchString(n.all):
			return n.ofField(m[2])
		case dynamic:
			return prefix + m[2]
		case m[1] == "self" || m[1] == "settings" || m[1] == "cls":
			expression = m[2]
		}
	}
	if onlyName.MatchString(expression) && expression != "None" && !past[expression] && len(past) < maxTrail {
		past[expression] = true
		return n.filling(settingIs(expression), past)
	}
	return ""
}

// prefixAt is what environs puts before each name at a place in a text: the prefixes of
// the with blocks around it.
func prefixAt(text string, at int) string {
	lines := strings.Split(text[:at], "\n")
	indent := indentOf(lines[len(lines)-1])
	prefix := ""
	for _, line := range slices.Backward(lines[:len(lines)-1]) {
		if strings.TrimSpace(line) == "" || indentOf(line) >= indent {
			continue
		}
		indent = indentOf(line)
		if m := prefixed.FindStringSubmatch(line); m != nil {
			prefix = m[1] + prefix
		}
	}
	return prefix
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }

// ofField is the variable of a field of pydantic's settings: its alias, or the prefix
// and its name. They are written in capitals as a rule, and any case is read.
func (n naming) ofField(field string) string {
	declared := regexp.MustCompile(`(?m)^[ \t]+` + regexp.QuoteMeta(field) + `[ \t]*:([^\n]*(?:\([^)]*\))?)`)
	if m := declared.FindStringSubmatch(n.all); m != nil {
		if alias := fieldAlias.FindStringSubmatch(m[1]); alias != nil {
			return alias[1]
		}
	}
	name := field
	if m := envPrefix.FindStringSubmatch(n.all); m != nil {
		name = m[1] + field
	}
	if caseSensitive.MatchString(n.all) {
		return name
	}
	return strings.ToUpper(name)
}

// ofValue is the variable of a value of django-configurations: by default the
// setting's name, behind a prefix.
func (n naming) ofValue(s source, at int, expression string) string {
	prefix, name := "DJANGO_", ""
	line := s.text[strings.LastIndexByte(s.text[:at], '\n')+1 : at]
	name = strings.TrimSpace(strings.Split(strings.Split(line, "=")[0], ":")[0])
	if m := environName.FindStringSubmatch(expression); m != nil {
		name = m[1]
	}
	if m := environPrefix.FindStringSubmatch(expression); m != nil {
		prefix = ""
		if m[1] != "" {
			prefix = m[1] + "_"
		}
	}
	return prefix + name
}

// prefixOfDynaconf is what dynaconf wants before the name of a setting; ok reports
// whether the settings use it.
func (n naming) prefixOfDynaconf() (prefix string, ok bool) {
	made := dynaconfMade.FindStringSubmatch(n.all)
	if made == nil {
		return "", false
	}
	name := map[bool]string{true: "DJANGO", false: "DYNACONF"}[made[1] == "DjangoDynaconf"]
	if m := dynaconfPrefix.FindStringSubmatch(n.all); m != nil {
		name = m[1] + m[2]
	}
	if name == "" {
		return "", true
	}
	return name + "_", true
}

// spell takes the names as the .env has them, where their case does not matter to the
// settings; a key that is not there is spelled as SECRET_KEY is.
func (d *diagnosis) spell() {
	names := &d.project.Names
	if !names.AnyCase {
		return
	}
	found := false
	for _, l := range envfile.Parse(readSome(d.project.EnvFile.Path)).Lines() {
		switch {
		case l.Kind != envfile.Assignment || l.Inside:
		case names.IsKey(l.Name):
			names.Key, found = l.Name, true
		case names.IsSecretKey(l.Name):
			names.SecretKey = l.Name
		}
	}
	if !found && names.SecretKey == strings.ToLower(names.SecretKey) {
		names.Key = strings.ToLower(names.Key)
	}
}
