package write

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
)

// compose is the file that a service of a compose project gets the key from.
// Which one that is, the compose file says; the rules are those of
// https://docs.docker.com/compose/how-tos/environment-variables/envvars-precedence/:
//
//   - An entry of environment beats every env_file, also when it is empty.
//   - ${JWT_SECRET_KEY} in it, or an entry without a value, is filled in from the
//     shell and else from the .env beside the compose file, not from an env_file.
//   - Of several env_file the last one wins.
//
// A value that stands in the compose file itself is refused: that file is
// committed.
type compose struct {
	dotenv
	file    string // as --target has it
	service string // "" for the only one that reads the keys
	how     string // one line: which service reads it from where
}

func newCompose(spec, argument string) (steps.Target, error) {
	file, service, named := strings.Cut(argument, "#")
	if file == "" || named && service == "" {
		return nil, errors.New("it needs a compose file")
	}
	return &compose{dotenv: dotenv{spec: spec}, file: file, service: service}, nil
}

// service is what counts of one service.
type service struct {
	Environment any `yaml:"environment"` // a list of NAME=VALUE, or a mapping
	EnvFile     any `yaml:"env_file"`    // a path, a list of paths, or of mappings with a path
}

// File is the file that the service gets the key from, once it is found.
func (c *compose) File(*steps.Run) string { return c.path }

// Find finds the file.
func (c *compose) Find(_ context.Context, run *steps.Run) error { return c.resolve(run) }

// Look finds the file and reads it.
func (c *compose) Look(ctx context.Context, run *steps.Run) (steps.Held, error) {
	if err := c.resolve(run); err != nil {
		return steps.Held{}, err
	}
	return c.dotenv.Look(ctx, run)
}

// Plan finds the file and edits it.
func (c *compose) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	if err := c.resolve(run); err != nil {
		return steps.Plan{}, err
	}
	p, err := c.dotenv.Plan(ctx, run)
	if err == nil {
		p.Details = append([]string{c.how}, p.Details...)
	}
	return p, err
}

// resolve finds the file that the service gets JWT_SECRET_KEY from.
func (c *compose) resolve(run *steps.Run) error {
	path := c.file
	if !filepath.IsAbs(path) {
		path = filepath.Join(run.Project.Root, path)
	}
	if _, err := os.Stat(path); err != nil && !filepath.IsAbs(c.file) {
		path = filepath.Join(run.Project.TopLevel, c.file)
	}
	rel := run.Project.Rel(path)
	services, err := readCompose(path)
	if err != nil {
		return steps.Fail(steps.NewFinding("place-not-found", fmt.Sprintf("%s cannot be read as a compose file: %s.", rel, steps.Inert(err.Error()))).At(rel, 0))
	}
	name, err := c.choose(services)
	if err != nil {
		return fmt.Errorf("%w: --target %s: %w", steps.ErrUsage, c.spec, err)
	}
	from, how, err := source(services[name], filepath.Dir(path), func(name string) bool { _, set := run.LookupEnv(name); return set })
	var failure *finding
	switch {
	case errors.As(err, &failure):
		return steps.Fail(steps.NewFinding(failure.code, "Service "+steps.Inert(name)+" "+failure.text).At(rel, 0).WithSeverity(steps.Error).WithFix(failure.fix))
	case err != nil:
		return err
	}
	c.path, c.reads = from, []envfile.Dialect{envfile.Compose}
	if from == run.Project.EnvFile.Path {
		c.reads = nil
	}
	c.how = fmt.Sprintf("Service: %s reads it from %s, %s", steps.Inert(name), run.Project.Rel(from), how)
	return nil
}

// maxAliases is how many aliases a compose file may have: a few are in use, and
// millions are how a small file becomes a large one.
const maxAliases = 100

var alias = regexp.MustCompile(`(?m)(?:^|[\s\[,:])\*[A-Za-z0-9_-]+`)

func readCompose(path string) (map[string]service, error) {
	data, err := steps.ReadSmall(path)
	if err != nil {
		return nil, err
	}
	return parseCompose(data)
}

func parseCompose(data []byte) (map[string]service, error) {
	if len(alias.FindAll(data, maxAliases+1)) > maxAliases {
		return nil, errors.New("it has too many aliases")
	}
	var file struct {
		Services map[string]service `yaml:"services"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, errors.New("it is no valid YAML") // the library's error quotes the file
	}
	if len(file.Services) == 0 {
		return nil, errors.New("it has no services")
	}
	return file.Services, nil
}

// choose names the service: the one that was asked for, the only one, or the
// only one that is given one of the two keys by name.
func (c *compose) choose(services map[string]service) (string, error) {
	var all, reading []string
	for name, s := range services {
		all = append(all, name)
		_, key := entry(s, steps.KeyName)
		_, secret := entry(s, steps.SecretKeyName)
		if key || secret {
			reading = append(reading, name)
		}
	}
	slices.Sort(all)
	switch {
	case c.service != "" && slices.Contains(all, c.service):
		return c.service, nil
	case c.service != "":
		return "", fmt.Errorf("there is no service %q; there is: %s", c.service, steps.Inert(strings.Join(all, ", ")))
	case len(all) == 1:
		return all[0], nil
	case len(reading) == 1:
		return reading[0], nil
	}
	return "", fmt.Errorf("say which service: %s#SERVICE; there is: %s", c.file, steps.Inert(strings.Join(all, ", ")))
}

// entry is the value of one name in environment. An entry without a value is
// passed through, which is what ${NAME} does.
func entry(s service, name string) (value string, found bool) {
	switch env := s.Environment.(type) {
	case []any:
		for _, e := range env {
			n, v, assigned := strings.Cut(fmt.Sprint(e), "=")
			if n == name {
				if !assigned {
					v = "${" + name + "}"
				}
				value, found = v, true // the last one wins
			}
		}
	case map[string]any:
		v, ok := env[name]
		if ok && v == nil {
			return "${" + name + "}", true
		}
		if ok {
			return fmt.Sprint(v), true
		}
	}
	return value, found
}

// envFiles are the paths of env_file, in order.
func envFiles(s service) []string {
	one := func(v any) string {
		if m, ok := v.(map[string]any); ok {
			v = m["path"]
		}
		text, _ := v.(string)
		return text
	}
	var out []string
	if list, ok := s.EnvFile.([]any); ok {
		for _, v := range list {
			out = append(out, one(v))
		}
	} else {
		out = append(out, one(s.EnvFile))
	}
	return slices.DeleteFunc(out, func(p string) bool { return p == "" })
}

// finding is what is wrong with a service.
type finding struct {
	code      steps.Code
	text, fix string
}

func (f *finding) Error() string { return f.text }

var reference = regexp.MustCompile(`^\$\{?` + steps.KeyName + `(:?[-?+][^}]*)?\}?$`)

// source is the file that the service's JWT_SECRET_KEY comes from. set tells
// whether a variable is set in keysplit's own environment.
func source(s service, dir string, set func(string) bool) (path, how string, err error) {
	value, found := entry(s, steps.KeyName)
	files := envFiles(s)
	switch {
	case found && reference.MatchString(value):
		if set(steps.KeyName) {
			return "", "", &finding{"jwt-key-shadowed", "fills " + steps.KeyName + " in from this shell, where it is set.", "Run: unset " + steps.KeyName}
		}
		return filepath.Join(dir, ".env"), "which fills in ${" + steps.KeyName + "}; an env_file does not count for it", nil
	case found && value == "":
		return "", "", &finding{"jwt-key-shadowed", "sets " + steps.KeyName + " to nothing, which beats its env_file.", "Write: " + steps.KeyName + ": ${" + steps.KeyName + ":?}"}
	case found:
		return "", "", &finding{"key-committed-elsewhere", "has " + steps.KeyName + " in the compose file itself.", "Write ${" + steps.KeyName + ":?} in its place; keysplit then puts the key into the .env beside it."}
	case len(files) == 0:
		return "", "", &finding{"compose-missing-key", "gets no " + steps.KeyName + ": it has no such entry in environment, and no env_file.", "Add to its environment: " + steps.KeyName + ": ${" + steps.KeyName + ":?}"}
	}
	last := files[len(files)-1]
	if strings.Contains(last, "$") {
		return "", "", &finding{"place-not-found", "names its env_file with a variable.", "Name that file itself: --target dotenv:PATH"}
	}
	if !filepath.IsAbs(last) {
		last = filepath.Join(dir, last)
	}
	return last, "its env_file", nil
}
