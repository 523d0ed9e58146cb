package repo

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
)

// Backend is what a pipeline has to be compared with to know whether it starts the
// project's Django.
type Backend struct {
	Names    steps.Names
	Folder   string // of manage.py, relative to the top level
	Settings string // the module that manage.py uses by itself
	Tests    bool   // pytest loads these settings as well, and nothing of it names the key
}

var (
	// A command of manage.py, or of django-admin that loads the settings.
	startsDjango = lazyregexp.New(`(?:^|[\s;&|('"])(\S*?)manage\.py\s+([a-z]\w*)|\bdjango-admin\s+(?:check|migrate|test|makemigrations|collectstatic|runserver)\b`)
	// A run of the tests, which loads the settings where pytest is told so.
	startsTests = lazyregexp.New(`(?:^|[\s;&|('"])(?:pytest|py\.test|tox)\b`)
	installs    = lazyregexp.New(`\b(?:install|add|sync|cache)\b`)
	elsewhere   = lazyregexp.New(`\b(?:docker|docker-compose|podman|kubectl|make|nox)\b|\|\|\s*(?:true|echo|:)`)
	// What runs somewhere else has the environment of that.
	runsElsewhere = lazyregexp.New(`\b(?:docker|docker-compose|podman|kubectl|heroku|ssh|fly|flyctl|railway|doctl|ansible|make|tox|nox)\b|\|\|\s*(?:true|echo|:)`)
	// What brings variables without their names being said here.
	brings   = lazyregexp.New(`\.env\b|\benv-?file\b|--settings\b|--ds\b|\bdirenv\b|\bdotenv\b|\b(?:op|vault)\s+read\b`)
	changes  = lazyregexp.New(`(?:^|[;&|\s])(?:cd|pushd)\s+["']?([\w./-]+)`)
	settings = lazyregexp.New(`DJANGO_SETTINGS_MODULE["']?\s*[:=]?\s*["']?([\w.]+)`)
)

// mayBring reports whether a text may bring the key without saying its name.
func mayBring(text string) bool { return brings.MatchString(text) || steps.ByLauncher(text) }

// Starts is the first line, from 1, at which a pipeline or the build of an image starts
// the project's Django without JWT_SECRET_KEY being given to it, as far as the file can
// tell; 0 for none. It is for settings that do not load without the key: a file that may
// bring it in some other way counts as one that does.
func Starts(b Backend, file string, data []byte) int {
	switch {
	case steps.IsDockerfile(path.Base(file)):
		if wordsOf(b.Names).mentions.Match(data) || mayBring(string(data)) || b.otherSettings(string(data)) || !b.near(path.Dir(file)) {
			return 0
		}
		return b.inDockerfile(string(data))
	case !workflow.MatchString(file):
		return 0
	}
	docs, err := parseYAML(data)
	if err != nil || len(docs) != 1 || len(docs[0].Content) == 0 {
		return 0
	}
	first := 0
	for _, top := range members(target(docs[0].Content[0])) {
		switch top.key.Value {
		case "env", "defaults":
			if b.given(top.value) {
				return 0
			}
		case "jobs":
			for _, job := range members(target(top.value)) {
				if line := b.inJob(job.value); line > 0 && (first == 0 || line < first) {
					first = line
				}
			}
		}
	}
	return first
}

// toldToPytest is the settings module that pytest-django is told.
var toldToPytest = lazyregexp.New(`(?m)^[ \t]*["']?(?:DJANGO_SETTINGS_MODULE|django_settings_module)["']?[ \t]*[:=][ \t]*["']?([\w.]+)|--ds[= ]([\w.]+)`)

// TestedBy reports whether the files that configure the tests have them load the settings
// that manage.py uses, and bring no key. Others may be told on the command line.
func (b Backend) TestedBy(configuration []byte) bool {
	if wordsOf(b.Names).mentions.Match(configuration) || mayBring(strings.ReplaceAll(string(configuration), "--ds", "")) {
		return false
	}
	found := false
	for _, m := range toldToPytest.FindAllStringSubmatch(string(configuration), -1) {
		if m[1]+m[2] != b.Settings {
			return false
		}
		found = true
	}
	return found
}

// near reports whether a folder has the project in it, or is in it.
func (b Backend) near(folder string) bool {
	folder, own := path.Clean(folder)+"/", path.Clean(b.Folder)+"/"
	return folder == "./" || own == "./" || strings.HasPrefix(own, folder) || strings.HasPrefix(folder, own)
}

// workflow are the pipelines in which everything that a job gets is said: others have
// variables that are set on a page of their service.
var workflow = lazyregexp.New(`(?:^|/)\.(?:github|gitea|forgejo)/workflows/[^/]+\.ya?ml$`)

// given reports whether what is in a node brings the key, or may.
func (b Backend) given(n *yaml.Node) bool {
	names := wordsOf(b.Names)
	found := false
	eachScalar(n, 0, func(text string) {
		found = found || names.mentions.MatchString(text) || mayBring(text) || b.otherSettings(text)
	})
	if found {
		return true
	}
	for _, m := range members(target(n)) {
		if m.key.Value == "DJANGO_SETTINGS_MODULE" && target(m.value).Value != b.Settings || m.key.Value == "env" && b.given(m.value) {
			return true
		}
	}
	return false
}

// otherSettings reports whether a text names other settings than those of manage.py.
func (b Backend) otherSettings(text string) bool {
	m := settings.FindStringSubmatch(text)
	return m != nil && m[1] != b.Settings
}

// eachScalar calls see with every text in a node, names among them.
func eachScalar(n *yaml.Node, depth int, see func(text string)) {
	if n = target(n); depth > 50 {
		return
	}
	if n.Kind == yaml.ScalarNode {
		see(n.Value)
	}
	for _, c := range n.Content {
		eachScalar(c, depth+1, see)
	}
}

// inJob is the line of the first step of a job that starts Django, 0 where there is none,
// or where the job gets the key or may.
func (b Backend) inJob(job *yaml.Node) int {
	if b.given(job) {
		return 0
	}
	folder := ""
	var steps *yaml.Node
	for _, m := range members(target(job)) {
		switch m.key.Value {
		case "defaults":
			folder = workingDirectory(m.value, folder)
		case "steps":
			steps = target(m.value)
		case "container", "uses", "secrets":
			return 0 // its image, or another file, says what it gets
		}
	}
	if steps == nil {
		return 0
	}
	for _, step := range steps.Content {
		at, run := folder, (*yaml.Node)(nil)
		for _, m := range members(target(step)) {
			switch value := target(m.value); m.key.Value {
			case "uses":
				if strings.HasPrefix(value.Value, "./") || strings.Contains(value.Value, "secrets") || strings.Contains(value.Value, "vault") {
					return 0 // an action that may set variables
				}
			case "working-directory":
				at = value.Value
			case "env":
				if b.given(value) {
					return 0
				}
			case "run":
				run = value
			}
		}
		if run == nil {
			continue
		}
		if offset, found := b.inScript(run.Value, at); found {
			if run.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
				offset++
			}
			return run.Line + offset
		}
	}
	return 0
}

func workingDirectory(defaults *yaml.Node, folder string) string {
	for _, m := range members(target(defaults)) {
		switch m.key.Value {
		case "run":
			folder = workingDirectory(m.value, folder)
		case "working-directory":
			folder = target(m.value).Value
		}
	}
	return folder
}

// inScript finds the line of a script, from 0, that starts the project's Django.
func (b Backend) inScript(script, folder string) (line int, found bool) {
	num := -1
	for text := range strings.Lines(script) {
		num++
		text = uncommented(strings.TrimSpace(text))
		for _, m := range changes.FindAllStringSubmatch(text, -1) {
			folder = path.Join(folder, m[1])
		}
		for _, m := range startsDjango.FindAllStringSubmatch(text, -1) {
			at := path.Join(folder, m[1])
			if at == "" {
				at = "."
			}
			switch {
			case runsElsewhere.MatchString(text), slices.Contains([]string{"help", "version", "startapp"}, m[2]):
			case at == path.Clean(b.Folder):
				return num, true
			}
		}
		if b.Tests && startsTests.MatchString(text) && !installs.MatchString(text) && !elsewhere.MatchString(text) && path.Clean(folder) == path.Clean(b.Folder) {
			return num, true
		}
	}
	return 0, false
}

var runInstruction = lazyregexp.New(`(?i)^\s*RUN\s`)

// inDockerfile finds a RUN that starts Django. What a container starts gets its
// variables when it runs.
func (b Backend) inDockerfile(text string) int {
	num, inRun := 0, false
	for line := range strings.Lines(text) {
		num++
		line = uncommented(strings.TrimSpace(line))
		inRun = inRun || runInstruction.MatchString(line)
		if inRun && startsDjango.MatchString(line) && !runsElsewhere.MatchString(line) {
			return num
		}
		inRun = inRun && strings.HasSuffix(line, "\\")
	}
	return 0
}
