package repo

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/sys/file"
)

// Around is what a committed file is judged beside: the files of variables that services are
// given, and the folders of other programs than the backend. nil is nothing.
type Around struct{ run *steps.Run }

// AroundOf is what is around the files of a run's project.
func AroundOf(run *steps.Run) *Around { return &Around{run} }

// brings reports whether the env_file of a compose service gives it the key: as it has that,
// or gets it by this run. One that is not here counts as one that does.
func (a *Around) brings(compose, envFile string) bool {
	if a == nil || strings.Contains(envFile, "$") {
		return true
	}
	run := a.run
	at := file.From(filepath.Dir(a.path(compose)), envFile)
	if steps.SameFile(at, run.Project.EnvFile.Path) || slices.ContainsFunc(run.Targets, func(t steps.Target) bool { return t.Local() && steps.SameFile(at, t.File(run)) }) {
		return true
	}
	data, err := file.ReadSmall(at)
	return err != nil || wordsOf(run.Names()).mentions.Match(data)
}

func (a *Around) path(rel string) string {
	return filepath.Join(a.run.Project.TopLevel, filepath.FromSlash(rel))
}

// ofFrontend are folders that are called by what they are.
var ofFrontend = lazyregexp.New(`(?i)(?:^|[-_])front[-_]?end(?:$|[-_])`)

// What shows that a folder has a program of another language, that it is about deployments,
// and that it has a program in Python.
var (
	otherPackages  = []string{"package.json", "pubspec.yaml", "go.mod", "Cargo.toml", "composer.json", "Gemfile", "pom.xml", "build.gradle"}
	deployments    = []string{"cdk.json", "Pulumi.yaml", "serverless.yml", "Chart.yaml", "main.tf"}
	pythonPackages = []string{"manage.py", "pyproject.toml", "requirements.txt", "requirements", "setup.py", "Pipfile", "poetry.lock", "uv.lock", "wsgi.py", "asgi.py"}
)

// Foreign reports whether a folder, relative to the top level, is that of another program
// than the backend, such as a frontend: what is set there is nothing of the backend's.
func (a *Around) Foreign(folder string) bool {
	if a == nil || folder == "" || !filepath.IsLocal(folder) {
		return false
	}
	for at := path.Clean(folder); at != "."; at = path.Dir(at) {
		dir := a.path(at)
		has := func(names []string) bool {
			return slices.ContainsFunc(names, func(name string) bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil })
		}
		switch {
		case file.Within(dir, a.run.Project.Root), has(pythonPackages), has(deployments):
			return false
		case ofFrontend.MatchString(path.Base(at)), has(otherPackages):
			return true
		}
	}
	return false
}

// foreignFrom is Foreign for a folder as a file names it: from the top level, or from where
// that file is.
func (a *Around) foreignFrom(rel, folder string) bool {
	folder = strings.Trim(folder, `"'`)
	return a != nil && !strings.ContainsAny(folder, "$`") && (a.Foreign(folder) || a.Foreign(path.Join(path.Dir(rel), folder)))
}
