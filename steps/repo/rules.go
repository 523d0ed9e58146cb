package repo

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
)

// part is a setting in its parts.
type part struct {
	before, quote, after, sign, value string
	new                               string // the name of the key
}

func (v *vocabulary) parse(line string) (part, bool) {
	m := v.assignment.FindStringSubmatch(line)
	if m == nil || m[2] != m[3] && !strings.HasPrefix(m[5], "=") {
		return part{}, false
	}
	return part{m[1], m[2], m[3], m[4], m[5], v.Key}, true
}

// with is the line that sets JWT_SECRET_KEY in the same form. A value that was
// quoted is quoted in the same way.
func (p part) with(value string) string {
	if n := len(p.value); n >= 2 && (p.value[0] == '"' || p.value[0] == '\'') && strings.HasSuffix(p.value, p.value[:1]) {
		value = p.value[:1] + value + p.value[:1]
	}
	return p.before + p.quote + p.new + p.after + p.sign + value
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
	secretsExpression = lazyregexp.New(`^\$\{\{\s*secrets\.\w+\s*\}\}$`)
	azureVariable     = lazyregexp.New(`^\$\(\w+\)$`)
	shellVariable     = lazyregexp.New(`^\$\{?\w+[^}]*\}?$`)
)

// example is the rule for files that people copy, and for documents that tell
// how to set the keys. Where a document's shell command makes SECRET_KEY, or takes it
// from a variable, it gets one that makes a key: a reference to the variable that is
// just being set would do nothing.
func (v *vocabulary) example(file, line string) []string {
	p, ok := v.parse(line)
	if !ok || strings.TrimSpace(p.sign) == "" || strings.HasSuffix(p.value, `\`) || steps.IsReference(p.bare()) {
		return nil
	}
	document := !IsSample(file)
	value := p.bare()
	command := strings.HasPrefix(value, "$(") || strings.HasPrefix(value, "`")
	switch {
	case value == "":
		return []string{p.with("")}
	case document && p.exported() && !command && !strings.HasPrefix(value, "$"):
		// A command here would make another key in every shell that is opened.
		return p.inShell(Placeholder)
	case document && (p.exported() || command):
		return p.inShell(made)
	case command:
	case secretsExpression.MatchString(value):
		return []string{p.with("${{ secrets." + v.Key + " }}")}
	case strings.HasPrefix(value, "${"):
		return []string{p.with("${" + v.Key + "}")}
	case document && (strings.Contains(value, " ") || strings.HasSuffix(value, ",")):
		return nil // a command with a variable before it, prose, or a list
	}
	return []string{p.with(Placeholder)}
}

// exported reports whether the line is a command of the shell.
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
	return []string{p.before + p.new + "=" + value}
}

// The findings that an edit is for.
const (
	ci         finding.Code = finding.CIMissingKey
	compose    finding.Code = finding.ComposeMissingKey
	kubernetes finding.Code = finding.KubernetesMissingKey
	sample     finding.Code = finding.ExampleMissingKey
	docs       finding.Code = finding.DocsMissingKey
	ignored    finding.Code = finding.EnvFileNotIgnored
)

// newValue is the value of JWT_SECRET_KEY beside one of SECRET_KEY; ok is false where none is sure. A Secret's own manifest
// gets none: its values are secrets.
func (v *vocabulary) newValue(code finding.Code, file string, of *yaml.Node) (value string, ok bool) {
	of = target(of)
	if of.Kind != yaml.ScalarNode || strings.HasPrefix(of.Tag, "!") && !strings.HasPrefix(of.Tag, "!!") {
		return "", false // several values, or what a tag makes of it: !reset, !vault
	}
	switch code {
	case compose:
		return v.required, true
	case ci:
		return v.pipelineValue(file, of.Value)
	}
	return "", false
}

// newItem is newValue for an item of a list, such as SECRET_KEY=x, SECRET_KEY, or export SECRET_KEY=x.
func (v *vocabulary) newItem(code finding.Code, file, text string) (item string, ok bool) {
	if code == compose {
		return v.Key + "=" + v.required, !strings.HasPrefix(text, "export")
	}
	p, ok := v.parse(text)
	if !ok || code != ci || strings.TrimSpace(p.sign) != "=" {
		return "", false
	}
	if !p.exported() {
		value, ok := v.pipelineValue(file, p.value)
		return v.Key + "=" + value, ok
	}
	if shellVariable.MatchString(p.bare()) {
		return p.before + v.Key + "=" + v.required, true // stops where nothing sets it
	}
	if lines := p.inShell(made); len(lines) == 1 {
		return lines[0], true
	}
	return "", false
}

// pipelineValue is the value for CI. What comes from a secret there comes from a secret of the new name, and what comes
// from a variable from a variable; a literal is a value for tests, in files that are for tests.
func (v *vocabulary) pipelineValue(file, of string) (value string, ok bool) {
	of = strings.TrimSpace(of)
	switch {
	case secretsExpression.MatchString(of):
		return "${{ secrets." + v.Key + " }}", true
	case azureVariable.MatchString(of):
		return "$(" + v.Key + ")", true
	case shellVariable.MatchString(of):
		return "${" + v.Key + "}", true
	case of == "" || strings.ContainsAny(of, "${`\n") || strings.Contains(of, "<<") || !forTests.MatchString(file):
		return "", false // something that is not understood, or what a deployment would run with
	}
	return throwaway, true
}

// forTests are the files whose literals are for tests and builds. Others, such as a chart's values, may be deployed.
var forTests = lazyregexp.New(`(?i)(?:^|/)(?:(?:\.(?:github|gitlab|gitea|forgejo|circleci|woodpecker|semaphore|buildkite)|ci)/.*|ci\.ya?ml|` +
	`\.?(?:gitlab-ci|travis|azure-pipelines?|bitbucket-pipelines|drone|woodpecker|appveyor|cirrus|wercker|buildspec)[\w.-]*\.ya?ml|` +
	`tox\.ini|pytest\.ini|setup\.cfg|pyproject\.toml)$`)

// initialisation is the rule for INI files and TOML.
func (v *vocabulary) initialisation(file, line string) []string {
	if m := v.listed.FindStringSubmatch(line); m != nil {
		if value, ok := v.pipelineValue(file, m[3]); ok {
			return []string{m[1] + v.Key + m[2] + value + m[4]}
		}
		return nil
	}
	p, ok := v.parse(line)
	if !ok || strings.TrimSpace(p.before) != "" || strings.TrimSpace(p.sign) == "" {
		return nil
	}
	if value, ok := v.pipelineValue(file, p.bare()); ok {
		return []string{p.with(value)}
	}
	return nil
}

// copies is the item of a list repeated under the new name, as env in a manifest has it.
func (s *spot) copies() []insertion {
	start := s.lineStart(s.value.Line)
	if start < 0 || s.parent.Style&yaml.FlowStyle != 0 {
		return nil
	}
	var lines []string
	for l := range bytes.Lines(s.data[start:]) {
		if lines = append(lines, strings.TrimRight(string(l), "\r\n")); len(lines) > maxItem {
			break
		}
	}
	item, skip := s.vocabulary.repeated(lines[0], lines[1:])
	if len(item) == 0 {
		return nil
	}
	return []insertion{s.below(s.value.Line+skip+1, strings.Join(item, s.eol))}
}

var (
	entryKey   = lazyregexp.New(`(?m)((?:^|[\s{,])["']?key["']?\s*:\s*["']?)([^\s,}"']*)`)
	entryValue = lazyregexp.New(`(?m)(?:^|[\s{,])["']?value["']?\s*:`)
	byPlatform = lazyregexp.New(`\b(?:generateValue["']?\s*:\s*true|sync["']?\s*:\s*false)\b`)
	comment    = lazyregexp.New(`(?:^|\s+)#.*$`)
)

// repeated is an item of a list with the new name, where its value comes from a Secret under a key whose
// new name is sure, or is made by the platform. Block and flow style are alike. skip is how many lines below its first
// one it has.
func (v *vocabulary) repeated(line string, below []string) (lines []string, skip int) {
	m := v.entryStart.FindStringSubmatchIndex(comment.ReplaceAllString(line, ""))
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
		now := v.inSecret(rest[k[4]:k[5]])
		if now == "" {
			return nil, 0
		}
		rest = rest[:k[4]] + now + rest[k[5]:]
	case refs > 0 || len(keys) > 0 || !byPlatform.MatchString(rest):
		return nil, 0
	}
	return strings.Split(strings.Replace(name, v.SecretKey, v.Key, 1)+rest, "\n"), skip
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

// inSecret is the name of the new key in a Secret, by that of SECRET_KEY's; "" where
// it has no sure name.
func (v *vocabulary) inSecret(name string) string {
	if name == v.SecretKey || name == "DJANGO_SECRET_KEY" || name == steps.GuideNames.SecretKey {
		return v.Key
	}
	return inSecret[name]
}

// inSecret are the guide's name, in the spelling that is used there.
//
// #nosec G101 -- names, no values
var inSecret = map[string]string{
	"secret-key": steps.SecretEntry, "django-secret-key": steps.SecretEntry,
	"secret_key": "jwt_secret_key", "django_secret_key": "jwt_secret_key",
	"secretKey": "jwtSecretKey", "djangoSecretKey": "jwtSecretKey",
}
