package steps

import (
	"bytes"
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
	file    string // by which the project is set up for it, "" for none
	command string // how it is called, before the words of its own
	run     string // the same with what stands before the backend's command, where that is found in no file
	set     string // how it takes a new value, as finding.Do; "" for one that owns no variables
	inside  string // a variable that it sets
	quoted  bool   // it takes the backend's command as one word
}

const makes = "`python -c 'import secrets; print(secrets.token_urlsafe(64))'"

// launchers: docs.doppler.com/docs/cli, infisical.com/docs/cli, developer.1password.com/docs/cli,
// github.com/segmentio/chamber, github.com/tellerops/teller, getsops.io/docs, dotenvx.com/docs, docs.phase.dev/cli,
// bitwarden.com/help/secrets-manager-cli, github.com/GoogleCloudPlatform/berglas,
// cyberark.github.io/summon, github.com/hashicorp/envconsul, developer.hashicorp.com/hcp/docs/cli,
// github.com/sorah/envchain, docs.railway.com/cli/run, github.com/99designs/aws-vault, and direnv,
// whose own files are told elsewhere.
var launchers = []launcher{
	{name: "Doppler", file: "doppler.yaml", command: "doppler run", run: "doppler run --", set: makes + " | doppler secrets set JWT_SECRET_KEY`", inside: "DOPPLER_CONFIG"},
	{name: "Infisical", file: ".infisical.json", command: "infisical run", run: "infisical run --", set: "`infisical secrets set JWT_SECRET_KEY=VALUE`"},
	{name: "1Password", command: "op run", run: "op run --", set: "make a field for it in 1Password, and name that for JWT_SECRET_KEY where the others are named, as op://VAULT/ITEM/FIELD"},
	{name: "chamber", command: "chamber exec", run: "chamber exec FILE --", set: makes + " | chamber write FILE jwt_secret_key -`"},
	{name: "teller", file: ".teller.yml", command: "teller run", run: "teller run --", set: "add JWT_SECRET_KEY where the providers of .teller.yml get the others from"},
	{name: "sops", file: ".sops.yaml", command: "sops exec-env", run: "sops exec-env FILE", set: "`sops edit FILE`", quoted: true},
	{name: "dotenvx", command: "dotenvx run", run: "dotenvx run --", set: "`dotenvx set JWT_SECRET_KEY VALUE`, with the -f that the backend is started with"},
	{name: "Phase", file: ".phase.json", command: "phase run", run: "phase run", set: "`phase secrets create JWT_SECRET_KEY`, which asks for the value"},
	{name: "Bitwarden", command: "bws run", run: "bws run --", set: "`bws secret create JWT_SECRET_KEY VALUE PROJECT_ID`"},
	{name: "Berglas", command: "berglas exec", run: "berglas exec --", set: "put it beside the others in their bucket or in Secret Manager, and name that for JWT_SECRET_KEY where the others are named"},
	{name: "Summon", command: "summon", run: "summon", set: "add JWT_SECRET_KEY to secrets.yml, with !var and its path as the others have"},
	{name: "envconsul", command: "envconsul", run: "envconsul", set: "put JWT_SECRET_KEY beside the others in Consul or Vault"},
	{name: "HCP Vault Secrets", command: "hcp vault-secrets run", run: "hcp vault-secrets run --", set: makes + " | hcp vault-secrets secrets create JWT_SECRET_KEY --data-file=-`"},
	{name: "envchain", command: "envchain", run: "envchain NAMESPACE", set: "`envchain --set NAMESPACE JWT_SECRET_KEY`, which asks for the value"},
	{name: "envdir", command: "envdir", run: "envdir FILE", set: "`(umask 077; python -c 'import secrets; print(secrets.token_urlsafe(64))' > FILE/JWT_SECRET_KEY)`"},
	{name: "Railway", command: "railway run", run: "railway run", set: "`keysplit upgrade --target railway:SERVICE`", inside: "RAILWAY_SERVICE_ID"},
	{name: "aws-vault", command: "aws-vault exec", run: "aws-vault exec PROFILE --", inside: "AWS_VAULT"},
	{name: "direnv", file: ".envrc", run: "direnv exec .", inside: "DIRENV_DIR"},
}

// passers hand the variables of a file that is here on to what they run: that file stays
// the key's place.
var passers = []launcher{
	{name: "uv", command: "uv run --env-file", inside: "UV"},
	{name: "python-dotenv", command: "dotenv run", run: "dotenv run --"},
	{name: "pipenv", file: "Pipfile", command: "pipenv run", run: "pipenv run", inside: "PIPENV_ACTIVE"},
	{name: "PDM", command: "pdm run", run: "pdm run", inside: "PDM_RUN_CWD"},
}

// Starters are files that say how a backend is started where people develop, below the
// project or the top of its work tree.
var Starters = []string{"Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", ".justfile", "Taskfile.yml", "Taskfile.yaml", ".envrc", "mise.toml", ".mise.toml",
	"Procfile", "Procfile.dev", "package.json", "pyproject.toml", "tox.ini", ".vscode/launch.json", "poe_tasks.toml"}

// starters are those with what starts it elsewhere, too.
var starters = append([]string{"Dockerfile", "entrypoint.sh", "docker-entrypoint.sh", "docker/entrypoint.sh", "run.sh", "start.sh", "dev.sh", "bin/dev", "bin/run", "bin/start", "scripts/run.sh", "scripts/dev.sh", "scripts/start.sh",
	"docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml"}, Starters...)

// forBackend is what a backend is started with.
var forBackend = lazyregexp.New(`manage\.py|python|django|gunicorn|uvicorn|daphne|hypercorn|granian|\$@|compose`)

// launcher is the program that this project is set up for, or that started this process:
// of the launchers, or of others.
func (r *Run) launcher(of []launcher) (launcher, bool) {
	folders := []string{r.Project.Root, r.Project.TopLevel}
	lines := starting(folders, of)
	for _, l := range of {
		found := l.among(lines)
		if value, _ := r.LookupEnv(l.inside); !found && !(l.inside != "" && l.set != "" && value != "") && !l.isSetUp(folders) {
			continue
		}
		if l, ok := l.fits(r.Names(), folders); ok {
			return l, true
		}
	}
	return launcher{}, false
}

// fits is the launcher with the place that it takes its variables from: the last word that
// its command has, or else the file with SECRET_KEY in it, encrypted. ok is false where it
// takes them from such a file, and none is known.
func (l launcher) fits(names Names, folders []string) (launcher, bool) {
	if !strings.Contains(l.set, "FILE") {
		return l, true
	}
	words := strings.Fields(strings.TrimSuffix(l.run, "--"))
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
func starting(folders []string, by []launcher) (lines []string) {
	for _, folder := range slices.Compact(folders) {
		for _, name := range starters {
			if data, err := file.ReadSmall(filepath.Join(folder, filepath.FromSlash(name))); err == nil && started(string(data), by) {
				lines = slices.AppendSeq(lines, strings.Lines(listed.ReplaceAllString(string(data), " ")))
			}
		}
	}
	return lines
}

// ByLauncher reports whether a text starts something by a program that may give it
// variables.
func ByLauncher(text string) bool { return started(text, launchers) }

func started(text string, by []launcher) bool {
	text = listed.ReplaceAllString(text, " ")
	return slices.ContainsFunc(by, func(l launcher) bool { return l.in(text) >= 0 })
}

// listed is what stands between the words of a command that is a list, as Docker has them.
var listed = lazyregexp.New(`["'],[ \t]*["']`)

// in is where a text calls the program, -1 for nowhere.
func (l launcher) in(text string) int {
	at := strings.Index(text, l.command+" ")
	if l.command == "" || at > 0 && wordEnd.MatchString(text[at-1:at]) {
		return -1
	}
	return at
}

var (
	wordEnd = lazyregexp.New(`[\w.-]`)
	// What ends a launcher's own words where it says so, and the word of the backend's
	// command where it does not.
	dashes  = lazyregexp.New(`\s--(?:\s|["'\]]|$)`)
	program = lazyregexp.New(`\s\\?["']?(?:[\w./-]*/)?(?:python[\d.]*|manage\.py|django-admin|gunicorn|uvicorn|daphne|hypercorn|granian|uv|poetry|pipenv|pdm|docker|docker-compose|sh|bash|make|honcho|\$@)(?:["']?\s|["']?$)`)
)

// among reports whether the program is called before the backend, in lines of what starts
// that, and notes how: with what calls the program itself.
func (l *launcher) among(lines []string) bool {
	for _, line := range lines {
		at := l.in(line)
		if at < 0 {
			continue
		}
		own, _, _ := strings.Cut(line[at+len(l.command):], "\n")
		if end := strings.IndexAny(own, "|;&"); end >= 0 {
			own = own[:end]
		}
		end := dashes.FindStringIndex(own)
		if end == nil {
			if end = program.FindStringIndex(own); end == nil {
				continue
			}
			end[1] = end[0]
			l.quoted = l.quoted || strings.ContainsAny(own[end[0]:][:3], `"'`)
		} else if end[1] = end[0] + len(" --"); !forBackend.MatchString(own[end[1]:]) && !strings.HasPrefix(line, "ENTRYPOINT") {
			continue
		}
		from := at
		for _, other := range launchers {
			if before := other.in(line); before >= 0 {
				from = min(from, before)
			}
		}
		l.run = line[from:at] + l.command + own[:end[1]]
		return true
	}
	return false
}

// encryptedNames are what files are called that sops encrypts, relative to a folder.
var encryptedNames = []string{"*.enc.*", "*.sops.*", "*.enc", "*secret*.env", "*secret*.y*ml", "*secret*.json", ".env*"}

// encrypted is the file in some folders, or one below, that sops has encrypted and that
// has a value for SECRET_KEY; "" for none. Its names stand there in clear text.
func encrypted(names Names, folders []string) string {
	for _, folder := range folders {
		for _, below := range []string{"", "*"} {
			for _, name := range encryptedNames {
				found, _ := filepath.Glob(filepath.Join(escaped(folder), below, name)) // escaped, so it is a pattern
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
	l, ok := r.launcher(launchers)
	if !ok {
		l, ok = r.launcher(passers)
	}
	if value, _ := r.LookupEnv(l.inside); !ok || value != "" {
		return prose.Text{}
	}
	return finding.Do("Run keysplit as you run the backend: %s.", l.starts(r.Command("")))
}

// starts is a command of keysplit, started by the program.
func (l launcher) starts(command string) finding.Command {
	if l.quoted {
		command = shell.Join(command)
	}
	return finding.Command(l.run + " " + command)
}

// Launcher is the program that owns the variables of this project's backend, "" for none:
// nothing here is their place then.
func (r *Run) Launcher() string {
	if l, ok := r.launcher(launchers); ok && l.set != "" {
		return l.name
	}
	return ""
}

// keptBy is the finding of settings that get all from such a program, or from what is not
// known. With a source that is Launched, they would read a .env all the same.
func (r *Run) keptBy(f finding.Finding, s Source) finding.Finding {
	l, ok := r.launcher(launchers)
	if !ok || l.set == "" {
		return f.WithFix(r.Launched().Then(s.places(f.Fix)))
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
