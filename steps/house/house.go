// Package house proposes edits for the rest of the house: pipelines, compose
// files, manifests, example files and documents that provide SECRET_KEY and not
// JWT_SECRET_KEY.
//
// The rules of a proposal:
//
//   - It only inserts lines, each below the one that provides SECRET_KEY, in that
//     line's own indentation, quotes and line ending. Every other byte stays.
//   - It never holds a secret: these files are committed. What it writes is a
//     reference to where the value comes from, or a placeholder that everyone can
//     see is one (and that keysplit refuses as a key). In a script it is a command
//     that makes a key there and then.
//   - Where a line of that kind would be a guess or do harm (a value in a Secret's
//     manifest, a Secret's key whose new name is not sure, a variable that an image
//     would keep), there is no proposal, and the finding says what to do by hand.
//
// A proposal is applied through the journal, so that a rollback takes it back.
package house

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/places"
)

// Proposal is one edit of one file, for one finding.
type Proposal struct {
	Finding steps.Finding
	Path    string // absolute
	Diff    []steps.DiffLine
	Left    int // a line that still lacks the key afterwards, and is mended by hand; 0 for none

	at  *envfile.Snapshot
	new []byte
}

// Apply makes the edit. A file that may not be written, or was changed since it was
// looked at, is left alone; the error is then a *steps.Failure that says so beside
// what the finding says. The run needs a journal.
func (p Proposal) Apply(ctx context.Context, run *steps.Run) error {
	_, err := run.Journal.Publish(ctx, p.at, p.new)
	var refused *envfile.RefusedError
	if errors.As(err, &refused) {
		f := p.Finding.WithSeverity(steps.Error)
		f.Message += " It was not edited: " + strings.ReplaceAll(refused.Error(), p.Path, run.Project.Rel(p.Path)) + "."
		f.Fixable = false
		return steps.Fail(f)
	}
	return err
}

// Propose makes the edit that a finding asks for. ok is false where there is
// none: the finding is about something else, or has to be mended by hand.
func Propose(run *steps.Run, f steps.Finding) (p Proposal, ok bool) {
	edit := editOf[f.Code]
	if edit == nil || f.File == "" {
		return p, false
	}
	p.Finding, p.Path = f, filepath.Join(run.Project.TopLevel, filepath.FromSlash(f.File))
	if f.Code == "env-file-not-ignored" {
		p.Path = filepath.Join(run.Project.TopLevel, ".gitignore")
	}
	at, err := envfile.Open(p.Path)
	if err != nil || !at.Exists || len(at.Data) > steps.MaxRead {
		return p, false
	}
	p.at = at
	p.new, p.Diff = edit(f, at.Data)
	if f.Code != "env-file-not-ignored" {
		p.Left = places.Read(runs(f.Code), f.File, p.new).Lacks()
	}
	return p, len(p.Diff) > 0
}

// editOf names what is done about a finding.
var editOf = map[steps.Code]func(f steps.Finding, data []byte) ([]byte, []steps.DiffLine){
	"example-missing-key":    insert(example),
	"docs-missing-key":       insert(example),
	"ci-missing-key":         insert(pipeline),
	"compose-missing-key":    insert(compose),
	"kubernetes-missing-key": insert(manifest),
	"env-file-not-ignored":   ignore,
}

// runs tells whether the finding is about a file that sets variables itself, and
// none that tells people to.
func runs(c steps.Code) bool { return c != "example-missing-key" && c != "docs-missing-key" }

// rule makes the lines to insert below one line, none where it does not apply.
// below are the lines that follow it.
type rule func(file, line string, below []string) (lines []string, skip int)

// insert applies a rule to every line of the file that JWT_SECRET_KEY does not reach.
func insert(r rule) func(steps.Finding, []byte) ([]byte, []steps.DiffLine) {
	return func(f steps.Finding, data []byte) ([]byte, []steps.DiffLine) {
		var lines []string
		for l := range bytes.Lines(data) {
			lines = append(lines, string(l))
		}
		var out bytes.Buffer
		var diff []steps.DiffLine
		text := places.Read(runs(f.Code), f.File, data)
		num, pending, wait := 0, []string(nil), -1
		flush := func(eol string) {
			for _, l := range pending {
				num++
				out.WriteString(l + eol)
				diff = append(diff, steps.DiffLine{Line: num, Op: "+", Text: l})
			}
			pending, wait = nil, -1
		}
		for i, l := range lines {
			line := strings.TrimRight(l, "\r\n")
			eol := l[len(line):]
			out.WriteString(l)
			num++
			if wait < 0 && !text.Reaches(i+1) {
				if add, skip := r(path.Base(f.File), line, lines[i+1:]); len(add) > 0 {
					pending, wait = add, skip
				}
			}
			if wait == 0 {
				if !strings.HasSuffix(eol, "\n") { // the last line, without a line end
					eol = "\n"
					if bytes.Contains(data, []byte("\r\n")) {
						eol = "\r\n"
					}
					out.WriteString(eol)
				}
				flush(eol)
			} else if wait > 0 {
				wait--
			}
		}
		return out.Bytes(), diff
	}
}

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
	"secret-key": "jwt-secret-key", "django-secret-key": "jwt-secret-key",
	"secret_key": "jwt_secret_key", "django_secret_key": "jwt_secret_key",
	"secretKey": "jwtSecretKey", "djangoSecretKey": "jwtSecretKey",
	steps.SecretKeyName: steps.KeyName, "DJANGO_SECRET_KEY": steps.KeyName,
}

// ignore adds a line to .gitignore for the .env of the finding.
func ignore(f steps.Finding, data []byte) ([]byte, []steps.DiffLine) {
	eol := "\n"
	if bytes.Contains(data, []byte("\r\n")) {
		eol = "\r\n"
	}
	out := bytes.Clone(data)
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, eol...)
	}
	line := "/" + regexp.MustCompile(`[\\*?\[\]# !]`).ReplaceAllString(f.File, `\$0`)
	if strings.ContainsAny(f.File, "\r\n") {
		return nil, nil
	}
	return append(out, line+eol...), []steps.DiffLine{{Line: bytes.Count(out, []byte("\n")) + 1, Op: "+", Text: line}}
}

// Describe says in one line what a proposal does, and what it leaves.
func (p Proposal) Describe(run *steps.Run) string {
	n := len(p.Diff)
	lines := "1 line"
	if n != 1 {
		lines = fmt.Sprintf("%d lines", n)
	}
	text := fmt.Sprintf("%s: %s added", steps.Inert(run.Project.Rel(p.Path)), lines)
	if p.Left > 0 {
		text += fmt.Sprintf(", line %d is left for you", p.Left)
	}
	return text
}
