package vendor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
)

// Contained is a service of a compose file that a project's backend runs in.
type Contained struct {
	File    string // the compose file, absolute
	Named   string // the same as --target and --restart have it
	Service string
}

// ContainedIn finds the service that is built from the project and gets variables: the
// one that serves, where there are several. ok is false where there is none.
func ContainedIn(p *steps.Project) (c Contained, ok bool) {
	for dir := p.Root; ; dir = filepath.Dir(dir) {
		for _, file := range composeFilesIn(dir) {
			whole, err := readCompose(file)
			if err != nil {
				continue
			}
			if name := serving(whole, dir, p.Root); name != "" {
				named := file
				for _, from := range []string{p.TopLevel, p.Root} {
					if rel, err := filepath.Rel(from, file); err == nil && filepath.IsLocal(rel) {
						named = filepath.ToSlash(rel)
					}
				}
				return Contained{file, named, name}, true
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

// Line is the command that runs a command of manage.py in a container of the service,
// as a person types it where keysplit was started.
func (c Contained) Line(args ...string) prose.Command {
	words := []string{"docker", "compose"}
	if dir := steps.FromHere(filepath.Dir(c.File)); usual(filepath.Dir(c.File)) != c.File || dir != "." && !strings.HasPrefix(dir, "..") {
		words = append(words, "--file", steps.FromHere(c.File))
	}
	return prose.Shell(slices.Concat(words, []string{"run", "--rm", c.Service, "python", "manage.py"}, args)...)
}

// composeFilesIn are the compose files of a folder that are for development: one with a
// usual name, else those whose names say so.
func composeFilesIn(dir string) []string {
	if file := usual(dir); file != "" {
		return []string{file}
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
	worksFor = lazyregexp.New(`celery|worker|beat|flower|migrat|test|rqworker|huey`)
)

// serving is the service of a file in a folder that is built from the project and gets
// variables, "" for none.
func serving(file composeFile, dir, root string) string {
	best, score := "", 0
	var names []string
	for name := range file.Services {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s := file.Services[name]
		context := s.context()
		if context == "" || len(envFiles(s)) == 0 && len(entries(s.Environment)) == 0 {
			continue
		}
		if context = within(dir, context); !contains(context, root) {
			continue
		}
		command := fmt.Sprint(s.Command)
		now := 1
		if len(s.Ports) > 0 {
			now += 2
		}
		if starts.MatchString(command) {
			now += 2
		}
		if worksFor.MatchString(name) || worksFor.MatchString(command) && !starts.MatchString(command) {
			now = 1
		}
		if now > score {
			best, score = name, now
		}
	}
	return best
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
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(os.PathSeparator))
}
