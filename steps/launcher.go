package steps

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/sys/shell"
)

// launcher is a program that gives the backend variables which are in no file here, or in
// one that is encrypted.
type launcher struct {
	name    string
	file    string             // by which the project is set up for it, "" for none
	command *lazyregexp.Regexp // it, with what stands before the backend's command
	run     string             // the same where it is found in no file
	set     string             // how it takes a new value, as finding.Do; "" for one that owns no variables
	inside  string             // a variable that it sets
}

const makes = "`python -c 'import secrets; print(secrets.token_urlsafe(64))'"

// launchers: docs.doppler.com/docs/cli, infisical.com/docs/cli, developer.1password.com/docs/cli,
// github.com/segmentio/chamber, github.com/tellerops/teller, github.com/99designs/aws-vault,
// getsops.io/docs, and direnv, whose own files are told elsewhere.
var launchers = []launcher{
	{"Doppler", "doppler.yaml", lazyregexp.New(`\bdoppler run\b[^\n|;&]*?\s--\s`), "doppler run --", makes + " | doppler secrets set JWT_SECRET_KEY`", "DOPPLER_CONFIG"},
	{"Infisical", ".infisical.json", lazyregexp.New(`\binfisical run\b[^\n|;&]*?\s--\s`), "infisical run --", "`infisical secrets set JWT_SECRET_KEY=VALUE`", ""},
	{"1Password", "", lazyregexp.New(`\bop run\b[^\n|;&]*?\s--\s`), "op run --", "make a field for it in 1Password, and name that for JWT_SECRET_KEY where the others are named, as op://VAULT/ITEM/FIELD", ""},
	{"chamber", "", lazyregexp.New(`\bchamber exec\b[^\n|;&]*?\s--\s`), "chamber exec SERVICE --", makes + " | chamber write SERVICE jwt_secret_key -`", ""},
	{"teller", ".teller.yml", lazyregexp.New(`\bteller run\b[^\n|;&]*?\s--\s`), "teller run --", "add JWT_SECRET_KEY where the providers of .teller.yml get the others from", ""},
	{"sops", ".sops.yaml", lazyregexp.New(`\bsops exec-env(?: [^\s'"|;&]+)+`), "sops exec-env FILE", "`sops edit FILE`", ""},
	{"aws-vault", "", lazyregexp.New(`\baws-vault exec\b[^\n|;&]*?\s--\s`), "aws-vault exec PROFILE --", "", "AWS_VAULT"},
	{"direnv", ".envrc", nil, "direnv exec .", "", "DIRENV_DIR"},
}

// Starters are files that say how a backend is started where people develop, below the
// project or the top of its work tree.
var Starters = []string{"Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", ".justfile", "Taskfile.yml", "Taskfile.yaml", ".envrc", "mise.toml", ".mise.toml",
	"Procfile", "Procfile.dev", "package.json", "pyproject.toml", "tox.ini", ".vscode/launch.json", "poe_tasks.toml"}

// started are those with what starts it elsewhere, too.
var started = append([]string{"Dockerfile", "entrypoint.sh", "docker-entrypoint.sh", "docker/entrypoint.sh", "run.sh", "start.sh", "dev.sh", "bin/dev", "bin/run", "bin/start", "scripts/run.sh", "scripts/dev.sh", "scripts/start.sh",
	"docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"}, Starters...)

// forBackend is what a backend is started with.
var forBackend = lazyregexp.New(`manage\.py|python|django|gunicorn|uvicorn|daphne|hypercorn|granian|\$@|compose`)

// launcher is the program that this project is set up for, or that started this process.
func (r *Run) launcher() (launcher, bool) {
	folders := []string{r.Project.Root, r.Project.TopLevel}
	lines := starting(folders)
	for _, l := range launchers {
		command := l.among(lines)
		if value, _ := r.LookupEnv(l.inside); command == "" && !(l.inside != "" && l.set != "" && value != "") && !l.isSetUp(folders) {
			continue
		}
		l.run = cmp.Or(command, l.run)
		if l, ok := l.fits(r.Names(), folders); ok {
			return l, true
		}
	}
	return launcher{}, false
}

// fits is the launcher with the file that it takes its variables from: the one that its
// command has, or else the one with SECRET_KEY in it, encrypted. ok is false where it takes
// them from such a file, and none is known.
func (l launcher) fits(names Names, folders []string) (launcher, bool) {
	if !strings.Contains(l.set, "FILE") {
		return l, true
	}
	words := strings.Fields(l.run)
	named := words[len(words)-1]
	if named == "FILE" {
		path := encrypted(names, folders)
		if path == "" {
			return l, false
		}
		named = shell.Join(FromHere(path))
	}
	l.run, l.set = strings.ReplaceAll(l.run, "FILE", named), strings.ReplaceAll(l.set, "FILE", named)
	return l, true
}

func (l launcher) isSetUp(folders []string) bool {
	for _, folder := range folders {
		if info, err := os.Stat(filepath.Join(folder, l.file)); l.file != "" && err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}

// starting are the lines of what starts the backend that start it by another program.
func starting(folders []string) (lines []string) {
	for _, folder := range slices.Compact(folders) {
		for _, name := range started {
			data, err := file.ReadSmall(filepath.Join(folder, filepath.FromSlash(name)))
			if err != nil || !slices.ContainsFunc(launches, func(command string) bool { return bytes.Contains(data, []byte(command)) }) {
				continue
			}
			lines = slices.AppendSeq(lines, strings.Lines(string(data)))
		}
	}
	return lines
}

// launches are how the commands of the programs begin.
var launches = []string{"doppler run", "infisical run", "op run", "chamber exec", "teller run", "sops exec-env", "aws-vault exec"}

// among is the command of the program before that of the backend, in lines of what starts
// it; "" for none.
func (l launcher) among(lines []string) string {
	if l.command == nil {
		return ""
	}
	for _, line := range lines {
		if at := l.command.FindStringIndex(line); at != nil && forBackend.MatchString(line[at[1]:]) {
			return strings.TrimSpace(line[at[0]:at[1]])
		}
	}
	return ""
}

// encryptedNames are what files are called that sops encrypts, relative to a folder.
var encryptedNames = []string{"*.enc.*", "*.sops.*", "*.enc", "*secret*.env", "*secret*.y*ml", "*secret*.json", ".env*"}

// encrypted is the file in some folders, or one below, that sops has encrypted and that
// has a value for SECRET_KEY; "" for none. Its names stand there in clear text.
func encrypted(names Names, folders []string) string {
	for _, folder := range folders {
		for _, below := range []string{"", "*"} {
			for _, name := range encryptedNames {
				found, err := filepath.Glob(filepath.Join(escaped(folder), below, name))
				if err != nil {
					continue
				}
				for _, path := range found {
					if data, err := file.ReadSmall(path); err == nil && names.In(data) && IsEncrypted(data) {
						return path
					}
				}
			}
		}
	}
	return ""
}

// IsEncrypted reports whether sops has encrypted a file: it keeps what it needs in there.
func IsEncrypted(data []byte) bool {
	return bytes.Contains(data, []byte("ENC[")) && sopsMark.Match(data)
}

var sopsMark = lazyregexp.New(`(?m)(?:^|[{,])\s*["']?sops(?:_\w+|["']?:|=|\])`)

// escaped is a folder's path as a pattern that matches it alone.
func escaped(folder string) string {
	if filepath.Separator == '\\' {
		return folder // no pattern can have a backslash there
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(folder)
}

// Launched is how to run keysplit with the variables that another program gives the
// backend; empty where the project is set up for none, or this process has them.
func (r *Run) Launched() prose.Text {
	l, ok := r.launcher()
	if value, _ := r.LookupEnv(l.inside); !ok || value != "" {
		return prose.Text{}
	}
	return finding.Do("Run keysplit as you run the backend: %s.", l.starts(r.Command("")))
}

// starts is a command of keysplit, started by the program.
func (l launcher) starts(command string) finding.Command {
	if l.name == "sops" { // it takes the command as one word
		command = shell.Join(command)
	}
	return finding.Command(l.run + " " + command)
}

// Launcher is the program that owns the variables of this project's backend, "" for none:
// nothing here is their place then.
func (r *Run) Launcher() string {
	if l, ok := r.launcher(); ok && l.set != "" {
		return l.name
	}
	return ""
}

// keptBy is the finding of settings that get all from such a program, or from what is not
// known. With a source that is Launched, they would read a .env all the same.
func (r *Run) keptBy(f finding.Finding, s Source) finding.Finding {
	l, ok := r.launcher()
	if !ok || l.set == "" {
		return f.WithFix(s.places(f.Fix))
	}
	f.Message = prose.Say("%s gives the backend its variables, and nothing here loads a .env: a key in a file would never be read.", l.name)
	if s.Kind == Launched {
		f.Message = prose.Say("%s gives the backend its variables: a key in a .env would be beside the others, and on this machine alone.", l.name)
	}
	return f.WithFix(finding.Do("Set it with "+l.name+": "+l.set+". Then run keysplit as you run the backend: %s.", l.starts(r.Command("check"))))
}

// places says where the variables of settings that load no .env can be set, as far as the
// project shows it; usual is the fix where it shows nothing.
func (s Source) places(usual finding.Fix) finding.Fix {
	compose := finding.Do("If the backend runs in Docker Compose: %s.", finding.Command("keysplit upgrade --target "+s.Target))
	load := finding.Do("To have the settings load a .env on this machine, set %s=True in its environment.", s.Switch)
	other := finding.Do("Else set JWT_SECRET_KEY where the backend's other variables are set. Then run `keysplit` again.")
	switch {
	case s.Target == "" && s.Switch == "":
		return usual
	case s.Switch == "":
		return compose.Then(other)
	case s.Target == "":
		return load.Then(other)
	}
	return compose.Then(load).Then(other)
}
