package repo

import (
	"path"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
)

// Kind says what a file is to those who look for places that set SECRET_KEY.
type Kind int

const (
	Other    Kind = iota
	EnvFile       // sets the variables of a backend
	Pipeline      // CI, containers, manifests, scripts
	Document      // documentation, and example files to copy
)

// What sets variables for tests, builds, development and deployments, by name and by
// ending. Names are in lower case.
var (
	pipelineFiles = []string{
		"jenkinsfile", "procfile", "makefile", "gnumakefile", "justfile", "vagrantfile", "earthfile",
		"app.json", "railway.json", "vercel.json", "zappa_settings.json", "scalingo.json", "devcontainer.json", ".devcontainer.json", "launch.json",
		"setup.cfg", "conftest.py", "noxfile.py", "fabfile.py", "gunicorn.conf.py", "gunicorn_conf.py", "gunicorn_config.py",
	}
	pipelineEndings = []string{
		".yml", ".yaml", ".service", ".tf", ".tfvars", ".hcl", ".nomad", ".nix", ".toml", ".ini", ".conf", ".mk",
		".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd",
	}
	taskDefinition = lazyregexp.New(`task[-_]?def[^/]*$|(?:^|/)(?:aws|ecs)/[^/]+\.json$|(?:^|/)\.ebextensions/[^/]*\.config$|(?:^|/)makefile\.[\w-]+$`)
	// Scripts often have no ending where only scripts are, or go by one of these names.
	scriptFolder = lazyregexp.New(`(?:^|/)(?:bin|scripts?|compose|docker|deploy|ops|ci|hooks|\.githooks)/(?:[^/]+/)*[\w-]+$|(?:^|/)(?:(?:docker-)?entrypoint|start|bootstrap|run)$|(?:^|/)debian/(?:rules|(?:[\w-]+\.)?(?:pre|post)(?:inst|rm))$`)
)

var (
	documentEndings = []string{".md", ".mdx", ".markdown", ".rst", ".adoc"}
	plainDocument   = lazyregexp.New(`(?:^|/)(?:readme|hacking|(?:readme|install|installation|deploy|deployment|setup|contributing)\.txt|docs?/.*\.txt)$`)
	// What tells of the past is not brought up to date.
	ofThePast = lazyregexp.New(`(?:^|/)(?:(?:change[-_]?logs?|changes|history|news|releases?|release[-_]?notes|what'?s[-_]?new|upgrade[-_]?notes)(?:[-_.][\w.-]*)?|newsfragments|towncrier|license[\w.-]*|code_of_conduct[\w.-]*)(?:/|$)`)
)

// ofEnvironment are files of variables that are called by the service, in a folder of an
// environment, as cookiecutter-django has them: .envs/.local/.django, .envs/dev/django, env.d/development/common.
var ofEnvironment = lazyregexp.New(`(?:^|/)(?:\.envs?|env\.d)/(?:[^/]+/)*\.?[\w-]+$`)

// What a template is made into, by what stands before the ending; Helm's helpers have no other.
var (
	ofTemplate = lazyregexp.New(`\.(?:j2|jinja2?|tpl|tmpl|gotmpl|erb)$`)
	helmHelper = lazyregexp.New(`(?:^|/)templates/_[\w-]+\.tpl$`)
)

// KindOf judges a file by its name, relative to the top level, with slashes.
func KindOf(rel string) Kind {
	rel = strings.ToLower(rel)
	switch {
	case IsSample(rel):
		return Document
	case helmHelper.MatchString(rel):
		return Pipeline
	}
	rel = ofTemplate.ReplaceAllString(rel, "")
	base, ext := path.Base(rel), path.Ext(rel)
	switch {
	case base == ".env" || strings.HasPrefix(base, ".env.") || ext == ".env", ofEnvironment.MatchString(rel):
		return EnvFile
	case slices.Contains(documentEndings, ext), (ext == "" || ext == ".txt") && plainDocument.MatchString(rel):
		if ofThePast.MatchString(rel) {
			return Other
		}
		return Document
	case strings.HasSuffix(base, "-lock.yaml"), strings.HasSuffix(base, ".lock"), strings.HasSuffix(base, ".tftest.hcl"), base == "keysplit.toml":
		return Other
	case slices.Contains(pipelineFiles, base), slices.Contains(pipelineEndings, ext), steps.IsDockerfile(base),
		(ext == ".json" || ext == ".config" || strings.HasPrefix(base, "makefile")) && taskDefinition.MatchString(rel), (ext == "" || strings.HasSuffix(path.Dir(rel), "debian")) && scriptFolder.MatchString(rel):
		return Pipeline
	}
	return Other
}
