// Package bugreport describes a project for somebody who does not have it: its shape,
// what is wrong, and what earlier runs did.
//
// It holds no value, and no name of a host, app, cluster, account, folder or variable:
// what could be one is left out, not masked. A person reads it before it goes anywhere,
// and keysplit sends it nowhere.
package bugreport

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
)

// Report is what `bug-report --json` prints. Its names are stable.
type Report struct {
	Schema   int       `json:"schema"`
	Build    any       `json:"keysplit"`
	System   System    `json:"system"`
	Project  *Project  `json:"project"` // null where none was found
	Findings []Finding `json:"findings"`
	Failed   string    `json:"failed,omitempty"` // what kept keysplit from looking
	Log      []Line    `json:"log"`              // what earlier runs recorded, the latest last
}

// System is the machine that keysplit runs on.
type System struct {
	OS       string   `json:"os"`   // runtime.GOOS
	Name     string   `json:"name"` // e.g. "Debian GNU/Linux 12 (bookworm)", "" where it is not known
	Arch     string   `json:"arch"`
	Terminal string   `json:"terminal"` // $TERM
	Locale   string   `json:"locale"`
	CI       bool     `json:"ci"`
	Programs []string `json:"programs"` // those of programs that are on PATH
}

// Project is the project's shape.
type Project struct {
	Git          bool     `json:"git"`
	Depth        int      `json:"depth"`         // folders between the top of the work tree and manage.py
	SettingsKind string   `json:"settings_kind"` // "module" or "package", "" where it was not found
	Python       string   `json:"python"`        // version, "" where it was not started
	PythonFrom   string   `json:"python_from"`   // "virtualenv", "poetry", "PATH" and so on
	Django       string   `json:"django"`
	Reader       string   `json:"reader"`
	ReaderFiles  int      `json:"reader_files"`
	Dialects     []string `json:"dialects"`
	EnvFile      EnvFile  `json:"env_file"`
	State        string   `json:"state"` // as Facts.State
	Enforced     bool     `json:"enforced"`
	Key          Key      `json:"key"`
	SecretKey    Key      `json:"secret_key"`
	Signs        string   `json:"signs_with"` // "key", "secret_key", "other", "" where it is not known
	Algorithm    string   `json:"algorithm"`
	Packages     []string `json:"packages"`  // installed apps that many projects have
	Routes       []string `json:"routes"`    // which were found: "login", "refresh" and so on
	Targets      []string `json:"targets"`   // kinds only
	Restart      string   `json:"restart"`   // kind only
	Committed    []string `json:"committed"` // kinds of files that may name the keys
}

// EnvFile is the form of the .env, without its names and values.
type EnvFile struct {
	Exists    bool   `json:"exists"`
	Mode      string `json:"mode,omitempty"`
	Bytes     int    `json:"bytes"`
	Lines     int    `json:"lines"`
	CRLF      bool   `json:"crlf"`
	BOM       bool   `json:"bom"`
	FinalLine bool   `json:"final_line_end"`
}

// Key is what is said of a key.
type Key struct {
	Set    bool   `json:"set"`
	Long   bool   `json:"long_enough"`
	Source string `json:"source"`
}

// Finding is a finding without its text, which may name places.
type Finding struct {
	Code     finding.Code     `json:"code"`
	Severity finding.Severity `json:"severity"`
	File     string           `json:"file,omitempty"` // only its last part
	Line     int              `json:"line,omitempty"`
}

// Line is an entry of the journal.
type Line struct {
	Time   time.Time `json:"time"`
	Kind   string    `json:"kind"`
	Step   string    `json:"step,omitempty"`
	Status string    `json:"status,omitempty"`
}

// maxLog is how many lines of the log are shown.
const maxLog = 40

// Make describes the project of a run that preflight has looked at, and whose journal
// is j, nil where there is none.
func Make(build any, run *steps.Run, found []finding.Finding, failed error, j *journal.Journal) Report {
	r := Report{Schema: 1, Build: build, System: system(run), Findings: []Finding{}, Log: []Line{}}
	if run.Project != nil {
		r.Project = project(run)
	}
	for _, f := range found {
		r.Findings = append(r.Findings, Finding{f.Code, f.Severity, lastPart(f.File), f.Line})
	}
	var failure *steps.Failure
	if failed != nil && !errors.As(failed, &failure) { // a failure is its findings
		r.Failed = homeless(run, run.Redactor.Clean(failed.Error()))
	}
	if j != nil {
		entries := j.Entries()
		for _, e := range entries[max(0, len(entries)-maxLog):] {
			r.Log = append(r.Log, Line{e.Time, string(e.Kind), e.Step, e.Status})
		}
	}
	return r
}

// lastPart is the name of a file without its folders. A place of a secret manager
// becomes its kind.
func lastPart(path string) string {
	if kind, _, remote := strings.Cut(path, ":"); remote && !filepath.IsAbs(path) {
		return kind
	}
	if path == "" {
		return ""
	}
	return secret.Inert(filepath.Base(filepath.FromSlash(path)))
}

// homeless takes the user's and the project's folders out of a text, of Windows also as
// a quoted text or Python's has them.
func homeless(run *steps.Run, text string) string {
	hide := func(folder, as string) {
		if len(folder) > 1 {
			text = strings.NewReplacer(folder, as, strings.ReplaceAll(folder, `\`, `\\`), as, filepath.ToSlash(folder), as).Replace(text)
		}
	}
	if p := run.Project; p != nil {
		hide(p.Root, "PROJECT")
		hide(p.TopLevel, "TOP")
	}
	if home, err := os.UserHomeDir(); err == nil {
		hide(home, "~")
	}
	return text
}

// programs are those that keysplit may start.
var programs = []string{"aws", "docker", "docker-compose", "fly", "gh", "git", "heroku", "journalctl", "kubectl", "op", "pipenv", "poetry", "railway", "sudo", "systemctl", "uv", "vault"}

func system(run *steps.Run) System {
	s := System{OS: runtime.GOOS, Name: systemName(), Arch: runtime.GOARCH, Programs: []string{}}
	variable := func(name string) string {
		v, _ := run.LookupEnv(name)
		return run.Redactor.Clean(v)
	}
	s.Terminal = variable("TERM")
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if s.Locale == "" {
			s.Locale = variable(name)
		}
	}
	s.CI = variable("CI") != ""
	for _, name := range programs {
		if _, err := exec.LookPath(name); err == nil {
			s.Programs = append(s.Programs, name)
		}
	}
	return s
}

// systemName is PRETTY_NAME of os-release(5), where there is one.
func systemName() string {
	data, _ := file.ReadSmall("/etc/os-release")
	for line := range strings.Lines(string(data)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			return strings.Trim(name, `"'`)
		}
	}
	return ""
}

func project(run *steps.Run) *Project {
	p := run.Project
	out := &Project{
		Git: exists(filepath.Join(p.TopLevel, ".git")), PythonFrom: firstWord(p.PythonFrom), EnvFile: envFile(p.EnvFile),
		Dialects: []string{}, Packages: []string{}, Routes: []string{}, Targets: []string{}, Committed: committed(p),
	}
	if rel, err := filepath.Rel(p.TopLevel, p.Root); err == nil && rel != "." {
		out.Depth = strings.Count(filepath.ToSlash(rel), "/") + 1
	}
	if p.SettingsFile != "" {
		out.SettingsKind = "module"
		if filepath.Base(p.SettingsFile) == "__init__.py" || exists(filepath.Join(filepath.Dir(p.SettingsFile), "base.py")) {
			out.SettingsKind = "package"
		}
	}
	for _, d := range p.EnvFile.Readers {
		out.Dialects = append(out.Dialects, string(d))
	}
	for _, spec := range run.Specs() {
		kind, _, _ := strings.Cut(spec, ":")
		out.Targets = append(out.Targets, kind)
	}
	if way := run.Options.Restart; way != nil {
		out.Restart, _, _ = strings.Cut(way.String(), ":")
	}
	if p.Facts != nil {
		out.facts(run, p.Facts)
	}
	return out
}

// facts adds what the project's own Django said.
func (out *Project) facts(run *steps.Run, f *steps.Facts) {
	clean := run.Redactor.Clean
	out.Python, out.Django, out.Reader = clean(f.Python), clean(f.Django), clean(f.Reader)
	out.ReaderFiles, out.State, out.Enforced = len(f.ReaderFiles), clean(f.State), f.Enforced
	out.Algorithm = clean(f.Tokens.Algorithm)
	least := max(run.Options.MinLength, steps.MinKeyLength)
	out.Key = Key{f.Key.Set, f.Key.Length >= least, clean(f.Key.Source)}
	out.SecretKey = Key{f.SecretKey.Set, f.SecretKey.Length >= least, clean(f.SecretKey.Source)}
	switch {
	case f.SigningEqualsKey:
		out.Signs = "key"
	case f.SigningEqualsSecretKey:
		out.Signs = "secret_key"
	case f.State == "ok":
		out.Signs = "other"
	}
	for _, app := range f.Apps {
		if top, _, _ := strings.Cut(app, "."); slices.Contains(known, top) {
			out.Packages = append(out.Packages, clean(app))
		}
	}
	for _, route := range []struct{ name, path string }{
		{"login", f.Routes.Login}, {"refresh", f.Routes.Refresh}, {"verify", f.Routes.Verify}, {"protected", f.Routes.Protected}, {"csrf", f.Routes.CSRF}, {"health", f.Routes.Health},
	} {
		if route.path != "" {
			out.Routes = append(out.Routes, route.name)
		}
	}
}

// known are the packages whose apps are named: published ones that have to do with
// logins. A project's own are its own affair.
var known = []string{"rest_framework", "rest_framework_simplejwt", "dj_rest_auth", "djoser", "ninja_jwt", "ninja_extra", "ninja", "allauth", "knox", "axes", "graphql_jwt", "corsheaders", "oauth2_provider", "environ"}

func envFile(e steps.EnvFile) EnvFile {
	out := EnvFile{Exists: e.Exists}
	if e.At == nil {
		return out
	}
	data := e.At.Data
	out.Mode, out.Bytes, out.Lines = e.At.Mode.String(), len(data), bytes.Count(data, []byte("\n"))
	out.CRLF, out.BOM = bytes.Contains(data, []byte("\r\n")), bytes.HasPrefix(data, []byte("\xef\xbb\xbf"))
	out.FinalLine = len(data) > 0 && data[len(data)-1] == '\n'
	return out
}

// committed says which kinds of files there are at the usual places.
func committed(p *steps.Project) []string {
	out := []string{}
	for _, kind := range []struct {
		name     string
		patterns []string
	}{
		{"GitHub Actions", []string{".github/workflows/*.y*ml"}}, {"GitLab CI", []string{".gitlab-ci.yml"}},
		{"compose", []string{"compose*.y*ml", "docker-compose*.y*ml"}}, {"Dockerfile", []string{"Dockerfile*"}},
		{"example", []string{".env.*", "*.env.example"}}, {"Procfile", []string{"Procfile"}}, {"pre-commit", []string{".pre-commit-config.yaml"}},
		{"keysplit.toml", []string{"keysplit.toml"}}, {"pyproject.toml", []string{"pyproject.toml"}},
	} {
		found := false
		for _, dir := range []string{p.TopLevel, p.Root} {
			for _, pattern := range kind.patterns {
				found = found || len(file.Glob(dir, pattern)) > 0
			}
		}
		if found {
			out = append(out, kind.name)
		}
	}
	return out
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}
