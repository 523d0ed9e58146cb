package repo

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"dj/keysplit/steps"
)

// setting is a line that sets SECRET_KEY: what stands before the name, a quote
// around the name, the sign with its spaces, and the value.
var setting = regexp.MustCompile(`^(\s*(?:[-*$]\s+)?(?:export\s+|#\s?)?)(["']?)SECRET_KEY(["']?)(\s*[:=]\s*|\s+)(.*?)\s*$`)

// part is a setting in its parts.
type part struct {
	before, quote, after, sign, value string
}

func parse(line string) (part, bool) {
	m := setting.FindStringSubmatch(line)
	if m == nil || m[2] != m[3] && !strings.HasPrefix(m[5], "=") {
		return part{}, false
	}
	return part{m[1], m[2], m[3], m[4], m[5]}, true
}

// with is the line that sets JWT_SECRET_KEY in the same form. A value that was
// quoted is quoted in the same way.
func (p part) with(value string) string {
	if n := len(p.value); n >= 2 && (p.value[0] == '"' || p.value[0] == '\'') && strings.HasSuffix(p.value, p.value[:1]) {
		value = p.value[:1] + value + p.value[:1]
	}
	return p.before + p.quote + steps.KeyName + p.after + p.sign + value
}

// bare is the value without a comment behind it and without quotes.
func (p part) bare() string {
	v, _, _ := strings.Cut(p.value, " #")
	return strings.Trim(strings.TrimSpace(v), `"'`)
}

// Placeholder is what a proposal writes where a person has to put a key. It is
// one that JudgeKey refuses.
const Placeholder = "REQUIRED-make-one-with-keysplit"

// throwaway is a value for tests and builds that need a key and protect nothing.
// It has the length that the backend insists on.
const throwaway = "throwaway-for-tests-only-not-a-secret-0123456789-0123456789"

// made is the shell's way to a fresh key, for scripts and for documents that tell
// what to type. It has no colon and no # behind a space, so that it is also a plain
// value in YAML.
const made = `$(python -c 'import secrets; print(secrets.token_urlsafe(64))')`

var (
	secretsExpression = regexp.MustCompile(`^\$\{\{\s*secrets\.\w+\s*\}\}$`)
	azureVariable     = regexp.MustCompile(`^\$\(\w+\)$`)
	shellVariable     = regexp.MustCompile(`^\$\{?\w+[^}]*\}?$`)
)

// example is the rule for files that people copy, and for documents that tell
// how to set the keys. Where a document's shell command makes SECRET_KEY, or takes it
// from a variable, it gets one that makes a key: a reference to the variable that is
// just being set would do nothing.
func example(file, line string, _ []string) ([]string, int) {
	p, ok := parse(line)
	if !ok || strings.TrimSpace(p.sign) == "" {
		return nil, 0
	}
	document := !strings.Contains(strings.ToLower(file), ".env")
	v := p.bare()
	command := strings.HasPrefix(v, "$(") || strings.HasPrefix(v, "`")
	switch {
	case v == "":
		return []string{p.with("")}, 0
	case document && p.exported() && !command && !strings.HasPrefix(v, "$"):
		// A command here would make another key in every shell that is opened.
		return p.inShell(Placeholder), 0
	case document && (p.exported() || command):
		return p.inShell(made), 0
	case command:
	case secretsExpression.MatchString(v):
		return []string{p.with("${{ secrets." + steps.KeyName + " }}")}, 0
	case strings.HasPrefix(v, "${"):
		return []string{p.with("${" + steps.KeyName + "}")}, 0
	case document && strings.Contains(v, " "):
		return nil, 0 // a command with a variable before it, or prose
	}
	return []string{p.with(Placeholder)}, 0
}

// exported tells that the line is a command of the shell.
func (p part) exported() bool { return strings.HasSuffix(strings.TrimSpace(p.before), "export") }

// inShell is the command that sets JWT_SECRET_KEY to what the shell makes of the
// value. There is none where more than the one variable is set on the line.
func (p part) inShell(value string) []string {
	v := p.value
	if at := strings.Index(v, " #"); at >= 0 {
		v = strings.TrimSpace(v[:at])
	}
	whole := false
	if v != "" {
		end, opened := map[byte]string{'"': `"`, '\'': "'", '`': "`", '$': ")", '<': ">"}[v[0]]
		whole = opened && strings.HasSuffix(v, end)
	}
	if strings.TrimSpace(p.sign) != "=" || strings.ContainsAny(v, "; &|\\") && !whole {
		return nil
	}
	return []string{p.before + steps.KeyName + "=" + value}
}

// pipeline is the rule for CI. What comes from a secret there comes from a secret
// of the new name; a literal is a value for tests. A script makes a key of its
// own; where only a value can stand, it is one that everyone can see is none.
// A Dockerfile gets nothing: what ENV sets stays in the image for everyone who
// can pull it, and beats the .env of whoever runs it.
func pipeline(file, line string, below []string) ([]string, int) {
	if lines, skip := entry(line, below); len(lines) > 0 {
		return lines, skip
	}
	p, ok := parse(line)
	if !ok || strings.HasSuffix(p.value, `\`) || strings.HasSuffix(p.value, ",") || strings.HasSuffix(p.value, "{") ||
		strings.TrimSpace(p.before) == "#" || strings.TrimSpace(p.sign) == "" || byHand(file) {
		return nil, 0
	}
	switch v := p.bare(); {
	case secretsExpression.MatchString(v):
		return []string{p.with("${{ secrets." + steps.KeyName + " }}")}, 0
	case p.exported() && shellVariable.MatchString(v):
		return []string{p.with("${" + steps.KeyName + ":?}")}, 0 // stops where nothing sets it
	case p.exported():
		return p.inShell(made), 0
	case azureVariable.MatchString(v):
		return []string{p.with("$(" + steps.KeyName + ")")}, 0
	case shellVariable.MatchString(v):
		return []string{p.with("${" + steps.KeyName + "}")}, 0
	case v == "" || strings.ContainsAny(v, "{}[]|>&* "):
		return nil, 0 // something that goes on below or on the line, or is not understood
	}
	return []string{p.with(throwaway)}, 0
}

// byHand tells of files in which a line like the one above would be a guess or do
// harm: JSON needs its commas, Terraform its variables, fly.toml is no place for
// secrets, and no more is an image.
func byHand(file string) bool {
	return slices.Contains([]string{".json", ".tf", ".tfvars", ".service"}, path.Ext(file)) || file == "fly.toml" || steps.IsDockerfile(file)
}

var passedThrough = regexp.MustCompile(`^(\s*-\s+["']?)SECRET_KEY(["']?)\s*(?:#.*)?$`)

// compose is the rule for compose files. ${NAME:?} makes compose stop where
// nothing sets the key: without the mark an unset variable becomes an empty one,
// which beats a good .env.
func compose(_, line string, _ []string) ([]string, int) {
	if m := passedThrough.FindStringSubmatch(line); m != nil {
		return []string{m[1] + steps.KeyName + "=${" + steps.KeyName + ":?}" + m[2]}, 0
	}
	p, ok := parse(line)
	// A quote before the name and none after it is one around the whole entry:
	// - "SECRET_KEY=x".
	if !ok || strings.TrimSpace(p.sign) == "" || strings.TrimSpace(p.before) == "#" || p.quote != p.after {
		return nil, 0
	}
	return []string{p.before + p.quote + steps.KeyName + p.after + p.sign + "${" + steps.KeyName + ":?}"}, 0
}

// manifest is the rule for Kubernetes. A Secret's own manifest gets nothing: its
// values are secrets.
func manifest(_, line string, below []string) ([]string, int) { return entry(line, below) }

var (
	entryStart = regexp.MustCompile(`^(\s*)-\s+\{?\s*["']?(?:name|key)["']?\s*:\s*["']?SECRET_KEY["']?(?:$|[\s,}])`)
	entryKey   = regexp.MustCompile(`(?m)((?:^|[\s{,])["']?key["']?\s*:\s*["']?)([^\s,}"']*)`)
	entryValue = regexp.MustCompile(`(?m)(?:^|[\s{,])["']?value["']?\s*:`)
	byPlatform = regexp.MustCompile(`\b(?:generateValue["']?\s*:\s*true|sync["']?\s*:\s*false)\b`)
	comment    = regexp.MustCompile(`(?:^|\s+)#.*$`)
)

// entry is the rule for a list of mappings, as env in a manifest: the mapping is
// repeated with the new name, where its value comes from a Secret under a key whose
// new name is sure, or is made by the platform. Block and flow style are alike.
func entry(line string, below []string) ([]string, int) {
	m := entryStart.FindStringSubmatchIndex(comment.ReplaceAllString(line, ""))
	if m == nil {
		return nil, 0
	}
	item, skip := itemOf(line, below, m[3])
	if skip == maxItem {
		return nil, 0
	}
	name, rest := item[:m[1]], item[m[1]:]
	keys := entryKey.FindAllStringSubmatchIndex(rest, -1)
	switch refs := strings.Count(rest, "secretKeyRef"); {
	case entryValue.MatchString(rest), strings.Count(item, `"`)%2 != 0, strings.Count(item, "'")%2 != 0:
		return nil, 0
	case refs == 1 && len(keys) == 1:
		k := keys[0]
		now := inSecret[rest[k[4]:k[5]]]
		if now == "" {
			return nil, 0
		}
		rest = rest[:k[4]] + now + rest[k[5]:]
	case refs > 0 || len(keys) > 0 || !byPlatform.MatchString(rest):
		return nil, 0
	}
	return strings.Split(strings.Replace(name, steps.SecretKeyName, steps.KeyName, 1)+rest, "\n"), skip
}

// maxItem is how many lines an item of a list of variables may have. A longer one is
// none, and not read to its end again and again.
const maxItem = 50

// itemOf is an item of a list, without comments, and how many lines below its
// first one it has: all that are indented by more than its dash.
func itemOf(line string, below []string, dash int) (item string, skip int) {
	item = comment.ReplaceAllString(line, "")
	for i, l := range below[:min(len(below), maxItem)] {
		l = strings.TrimRight(comment.ReplaceAllString(strings.TrimRight(l, "\r\n"), ""), " \t")
		if l == "" {
			continue
		}
		if len(l)-len(strings.TrimLeft(l, " ")) <= dash {
			break
		}
		item, skip = item+"\n"+l, i+1
	}
	return item, skip
}

// inSecret is the name of the new key in a Secret, by that of SECRET_KEY's: the
// guide's name, in the spelling that is used there. What is not here has no sure
// name.
//
// #nosec G101 -- names, no values
var inSecret = map[string]string{
	"secret-key": steps.SecretEntry, "django-secret-key": steps.SecretEntry,
	"secret_key": "jwt_secret_key", "django_secret_key": "jwt_secret_key",
	"secretKey": "jwtSecretKey", "djangoSecretKey": "jwtSecretKey",
	steps.SecretKeyName: steps.KeyName, "DJANGO_SECRET_KEY": steps.KeyName,
}
