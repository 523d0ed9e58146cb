package vendor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/tool"
)

// Contained is a service of a compose file that a project's backend runs in.
type Contained struct {
	File    string // the compose file, absolute
	Named   string // the same as --target and --restart have it
	Service string
	lent    []string // what starts compose with a value for the key, where it does nothing without one
}

// ContainedIn finds the service that is built from the project and gets variables: the
// one that serves, where there are several. ok is false where there is none.
func ContainedIn(p *steps.Project) (c Contained, ok bool) {
	for dir := p.Root; ; dir = filepath.Dir(dir) {
		for _, path := range composeFilesIn(dir) {
			whole, err := readCompose(path)
			if err != nil {
				continue
			}
			if name := serving(whole, dir, p.Root); name != "" {
				named := path
				for _, from := range []string{p.TopLevel, p.Root} {
					if rel, err := filepath.Rel(from, path); err == nil && filepath.IsLocal(rel) {
						named = filepath.ToSlash(rel)
					}
				}
				return Contained{File: path, Named: named, Service: name}, true
			}
		}
		if dir == p.TopLevel || dir == filepath.Dir(dir) {
			return c, false
		}
	}
}

// Target is the place as --target has it.
func (c Contained) Target() string { return "compose:" + c.Named + "#" + c.Service }

// Restart is the way to restart it, as --restart has it.
func (c Contained) Restart() string {
	if usual(filepath.Dir(c.File)) == c.File && !strings.Contains(c.Named, "/") {
		return "compose:" + c.Service
	}
	return "compose:" + c.Named + "#" + c.Service
}

// Build is the command that makes the service's image, once Python was looked for.
func (c Contained) Build() prose.Command { return prose.Shell(c.words("build", c.Service)...) }

// Starts is the command that starts the service's Python after what its image runs first.
func (c Contained) Starts() prose.Command {
	return prose.Shell(c.words("run", "--rm", "-T", c.Service, "python")...)
}

// words are a command of docker compose, in the folder that keysplit was started in.
func (c Contained) words(args ...string) []string {
	words := append(slices.Clone(c.lent), "docker", "compose")
	if here, err := os.Getwd(); err != nil || usualAbove(here) != c.File {
		words = append(words, "--file", steps.FromHere(c.File))
		if over := override(c.File); over != "" {
			words = append(words, "--file", steps.FromHere(over))
		}
	}
	return append(words, args...)
}

// usualAbove is the compose file that docker compose finds from a folder, "" for none.
func usualAbove(dir string) string {
	for {
		if path := usual(dir); path != "" || dir == filepath.Dir(dir) {
			return path
		}
		dir = filepath.Dir(dir)
	}
}

// Python are the words that start the service's Python in a new container, without what
// its image runs first, such as migrations. There are none where that would build the
// image first, or where Docker does not answer.
func (c *Contained) Python(ctx context.Context, run *steps.Run) []string {
	by, inside := docker(""), []string{"--entrypoint", "python", c.Service}
	images := c.images(ctx, run, by)
	if key := run.Names().Key; len(images) == 0 {
		// Of a file with ${KEY:?} compose does nothing while the key is missing. What it is
		// told instead is taken away again before Python starts.
		c.lent, by.Name = []string{"env", key + "=-"}, "env"
		images = c.images(ctx, run, by)
		if _, set := run.LookupEnv(key); set || len(images) == 0 {
			c.lent, by.Name = nil, "docker" // Python is given the one that is set
		} else {
			inside = []string{"--entrypoint", "env", c.Service, "-u", key, "python"}
		}
	}
	if len(images) == 0 {
		return nil
	}
	if res, err := docker("").Try(ctx, run, nil, append([]string{"image", "inspect", "--format", "{{.Id}}"}, images...)...); err != nil || res.Code != 0 {
		return nil
	}
	words := append(c.words("run", "--rm", "-T", "--no-deps"), inside...)
	words[0], _ = by.Path(run) // it was found
	return words
}

// images are those that the service is made from, none where compose does not tell them.
func (c *Contained) images(ctx context.Context, run *steps.Run, by tool.Program) []string {
	res, err := by.Try(ctx, run, nil, c.words("config", "--images", c.Service)[1:]...)
	if err != nil || res.Code != 0 {
		return nil
	}
	return strings.Fields(string(res.Stdout))
}

// composeFilesIn are the compose files of a folder that are for development: one with a
// usual name, else those whose names say so.
func composeFilesIn(dir string) []string {
	if path := usual(dir); path != "" {
		return []string{path}
	}
	var all []string
	for _, name := range []string{"local.yml", "dev.yml", "docker-compose.local.yml", "docker-compose.dev.yml", "docker-compose.development.yml", "compose.local.yml", "compose.dev.yml",
		"docker-compose-local.yml", "docker-compose-dev.yml", ".devcontainer/docker-compose.yml", "docker/docker-compose.yml"} {
		for _, path := range []string{filepath.Join(dir, filepath.FromSlash(name)), filepath.Join(dir, filepath.FromSlash(strings.TrimSuffix(name, "yml")+"yaml"))} {
			if isFile(path) {
				all = append(all, path)
			}
		}
	}
	return all
}

// starts is what a service of Django runs, and worksFor what its helpers do.
var (
	starts   = lazyregexp.New(`manage\.py|gunicorn|uvicorn|daphne|hypercorn|runserver`)
	worksFor = lazyregexp.New(`celery|worker|beat|flower|migrat|test|rqworker|huey|nginx|proxy|caddy|traefik|postgres|redis|front|postfix|mail`)
)

// serving is the service of a file in a folder that is built from the project and gets
// variables, "" for none.
func serving(whole composeFile, dir, root string) string {
	best, score := "", 0
	var names []string
	for name := range whole.Services {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s := whole.Services[name]
		context := s.context()
		if context == "" || len(envFiles(s)) == 0 && len(entries(s.Environment)) == 0 {
			continue
		}
		if context = file.From(dir, context); !contains(context, root) {
			continue
		}
		if now := s.likeness(name, context); now > score {
			best, score = name, now
		}
	}
	return best
}

// ofBackend are variables that Django's services get, and python is what their images
// have in them.
var (
	ofBackend = lazyregexp.New(`^(?:DJANGO_\w+|\w*SECRET_KEY\w*)(?:=|$)`)
	python    = lazyregexp.New(`(?i)python|\bpip3?\b|\bpoetry\b|\buv\b|django|manage\.py`)
	notPython = lazyregexp.New(`(?im)^FROM\s+(?:\S+/)?(?:node|nginx|postgres|postgis|redis|mysql|mariadb|caddy|traefik|golang|rust|php|ruby|hasura|graphql-engine|busybox)[:@\s-]`)
)

// likeness is how much a service that is built in a folder looks like the one that serves
// a Django project: 0 not at all.
func (s service) likeness(name, context string) int {
	score, command := 1, fmt.Sprint(s.Command)
	if image := s.dockerfile(context); isFile(image) {
		data, err := file.ReadSmall(image)
		switch {
		case err != nil:
		case python.Match(data):
			score += 2
		case notPython.Match(data):
			return 0
		}
	}
	if worksFor.MatchString(name) || worksFor.MatchString(command) && !starts.MatchString(command) {
		return score
	}
	if len(s.Ports) > 0 {
		score += 2
	}
	if starts.MatchString(command) {
		score += 2
	}
	if slices.ContainsFunc(entries(s.Environment), func(e any) bool { return ofBackend.MatchString(fmt.Sprint(e)) }) {
		score += 2
	}
	return score
}

// dockerfile is the file that the image of a service is built by.
func (s service) dockerfile(context string) string {
	if build, ok := s.Build.(map[string]any); ok {
		if name, ok := build["dockerfile"].(string); ok {
			return file.From(context, name)
		}
	}
	return filepath.Join(context, "Dockerfile")
}

// context is the folder that a service is built from, "" where it is not built.
func (s service) context() string {
	switch build := s.Build.(type) {
	case string:
		return build
	case map[string]any:
		if context, ok := build["context"].(string); ok {
			return context
		}
		return "."
	}
	return ""
}

// contains reports whether a path is a folder or below it.
func contains(dir, path string) bool {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return file.Within(dir, path)
}
