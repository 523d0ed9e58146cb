package vendor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/sys/shell"
)

// compose is the file that a service of a compose project gets the key from.
// Which one that is, the compose file says; the rules are those of
// https://docs.docker.com/compose/how-tos/environment-variables/envvars-precedence/:
//
//   - An entry of environment beats every env_file, also when it is empty.
//   - ${JWT_SECRET_KEY} in it, or an entry without a value, is filled in from the
//     shell and else from the .env beside the compose file, not from an env_file.
//   - Of several env_file the last one that sets a name wins. The key goes into the last one that has it, else into the
//     last one with SECRET_KEY, else into the last one that no database reads.
//
// Anchors, aliases and merge keys count as YAML has them: what a mapping says itself goes before what it merges,
// wherever the << is. A name that is there twice is an error, as it is to compose.
//
// What the file says may come from others: those that it extends or includes, and
// the override file beside one with a usual name. Compose itself knows best. With
// these two flags it prints no value; version 1 and older versions 2 have not both,
// and then the files are read here.
//
// A value that stands in the compose file itself is refused: that file is
// committed.
type compose struct {
	file    string // as --target has it
	service string // "" for the only one that reads the keys
}

func parseCompose(argument string) (File, error) {
	file, service, named := strings.Cut(argument, "#")
	if file == "" || named && service == "" {
		return nil, errors.New("it needs a compose file")
	}
	return compose{file, service}, nil
}

// service is what counts of one service.
type service struct {
	Environment any   `yaml:"environment"` // a list of NAME=VALUE, or a mapping
	EnvFile     any   `yaml:"env_file"`    // a path, a list of paths, or of mappings with a path
	Extends     any   `yaml:"extends"`     // what could not be followed
	Ports       []any `yaml:"ports"`
	Build       any   `yaml:"build"` // a path, or a mapping with context
	Command     any   `yaml:"command"`
	Image       any   `yaml:"image"`

	fills []string // of the files that include it: what fills in variables that the project's .env has not
}

// composeFile is what counts of a compose file.
type composeFile struct {
	Services map[string]service `yaml:"services"`
	Include  any                `yaml:"include"` // where not all could be followed
}

// String is the target as --target has it.
func (c compose) String() string {
	if c.service == "" {
		return "compose:" + c.file
	}
	return "compose:" + c.file + "#" + c.service
}

// Described is the compose file: from the project's folder, or else from the top of
// the work tree.
func (c compose) Described(run *steps.Run) string {
	path := file.From(run.Project.Root, c.file)
	if _, err := os.Stat(path); err != nil {
		path = file.From(run.Project.TopLevel, c.file)
	}
	return path
}

// folder is that of the compose file.
func (c compose) folder(run *steps.Run) string { return filepath.Dir(c.Described(run)) }

// Locate finds the file that the service gets JWT_SECRET_KEY from.
func (c compose) Locate(ctx context.Context, run *steps.Run) (Located, error) {
	path := c.Described(run)
	rel := run.Project.Rel(path)
	whole, asked := askCompose(ctx, run, path)
	if !asked {
		var err error
		if whole, err = readCompose(path); err != nil {
			if of := (*fs.PathError)(nil); errors.As(err, &of) {
				err = of.Err
			}
			return Located{}, steps.Fail(finding.New(finding.PlaceNotFound, fmt.Sprintf("%s cannot be read as a compose file: %s.", rel, run.Redactor.Show(secret.Printed(err.Error())))).At(rel, 0))
		}
	}
	name, err := c.choose(run, whole)
	if err != nil {
		return Located{}, steps.UsageOf("target", "--target %s: %w", c, err)
	}
	from, err := whole.sourceOf(run, name, filepath.Dir(path))
	var failure *unfit
	switch {
	case errors.As(err, &failure):
		return Located{}, steps.Fail(finding.New(failure.code, "Service "+secret.Inert(name)+" "+failure.text).At(rel, 0).WithSeverity(finding.Error).WithFix(failure.fix))
	case err != nil:
		return Located{}, err
	}
	at := Located{Path: from.path, Readers: []envfile.Dialect{envfile.Compose}, Beside: from.reads}
	if from.secretKey != "" {
		at.SecretKey = run.Secret(from.secretKey)
	}
	at.How = fmt.Sprintf("Service: %s reads it from %s, %s", secret.Inert(name), run.Project.Rel(from.path), from.how)
	if asked {
		at.How += ", as docker compose config says"
	}
	return at, nil
}

// overrides are the names of the file that compose reads after one with a usual
// name; the first that is there counts.
var overrides = []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}

// choose names the service: the one that was asked for, the only one, or the
// only one that is given one of the two keys by name.
func (c compose) choose(run *steps.Run, file composeFile) (string, error) {
	var all, reading []string
	for name, s := range file.Services {
		all = append(all, name)
		_, key := entry(s, run.Names().Key)
		_, secret := entry(s, run.Names().SecretKey)
		if key || secret {
			reading = append(reading, name)
		}
	}
	slices.Sort(all)
	switch {
	case c.service != "" && slices.Contains(all, c.service):
		return c.service, nil
	case c.service != "" && file.Include != nil:
		return "", fmt.Errorf("there is no service %q in the file itself, and keysplit cannot read all that it includes. A newer Docker Compose can, which has docker compose config --no-env-resolution. Or name that service's file itself, as dotenv:PATH", c.service)
	case c.service != "":
		return "", fmt.Errorf("there is no service %q; there is: %s", c.service, secret.Inert(strings.Join(all, ", ")))
	case len(all) == 1:
		return all[0], nil
	case len(reading) == 1:
		return reading[0], nil
	}
	return "", fmt.Errorf("say which service: %s#SERVICE; there is: %s", c.file, secret.Inert(strings.Join(all, ", ")))
}

// entry is the value of one name in environment. An entry without a value is
// passed through, which is what ${NAME} does.
func entry(s service, name string) (value string, found bool) {
	for _, e := range entries(s.Environment) {
		n, v, assigned := strings.Cut(fmt.Sprint(e), "=")
		if n == name {
			if !assigned {
				v = "${" + name + "}"
			}
			value, found = v, true // the last one wins
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

// unfit is what is wrong with a service.
type unfit struct {
	code finding.Code
	text string
	fix  finding.Fix
}

func (f *unfit) Error() string { return f.text }

var (
	reference = lazyregexp.New(`^\$\{?(\w+)(:?[-?+][^}]*)?\}?$`)
	variable  = lazyregexp.New(`\$\{?([A-Za-z_][A-Za-z0-9_]*)`)
)

// isReference reports whether a value is that of one variable, as a whole.
func isReference(value, name string) bool {
	m := reference.FindStringSubmatch(value)
	return m != nil && m[1] == name
}

// filledFrom names the variable that a value is filled in from, "" for a value that
// stands there itself. Two dollars are one dollar of the value.
func filledFrom(value string) string {
	if m := variable.FindStringSubmatch(strings.ReplaceAll(value, "$$", "")); m != nil {
		return m[1]
	}
	return ""
}

// source is where a service gets JWT_SECRET_KEY from, and what it is compared with.
type source struct {
	path, how string
	reads     []string // every file that the service reads, absolute; a later one wins
	secretKey string   // SECRET_KEY, where the compose file itself has it; "" else
}

// sourceOf finds where a service's JWT_SECRET_KEY comes from.
func (f composeFile) sourceOf(run *steps.Run, service, dir string) (from source, err error) {
	names, s := run.Names(), f.Services[service]
	value, found := entry(s, names.Key)
	files := s.filledIn(run, dir, envFiles(s))
	for _, path := range files {
		if !strings.Contains(path, "$") {
			from.reads = append(from.reads, file.From(dir, path))
		}
	}
	if secret, there := entry(s, names.SecretKey); there && filledFrom(secret) == "" {
		from.secretKey = strings.ReplaceAll(secret, "$$", "$")
	} else if there {
		from.reads = append(from.reads, s.filledBy(dir)...)
	}
	switch {
	case found && isReference(value, names.Key):
		if _, set := run.LookupEnv(names.Key); set {
			return from, &unfit{finding.JWTKeyShadowed, "fills " + names.Key + " in from this shell, where it is set.", finding.Do("Run: %s", finding.Command(shell.Unset(names.Key)))}
		}
		fills := s.filledBy(dir)
		from.path, from.how = fills[chooseEnvFile(names, fills, dir, nil)], "which fills in ${"+names.Key+"}; an env_file does not count for it"
		return from, nil
	case found && value == "":
		return from, &unfit{finding.JWTKeyShadowed, "sets " + names.Key + " to an empty value, which overrides its env_file.", finding.Do("Write: " + names.Key + ": ${" + names.Key + ":?}")}
	case found && filledFrom(value) != "":
		other := filledFrom(value)
		return from, &unfit{finding.ComposeMissingKey, fmt.Sprintf("fills %s in from another variable, %s, and not as a whole from one of its own name.", names.Key, other),
			finding.Do("Write ${%s:?} in its place; keysplit then puts the key into the .env beside it. Or set %s yourself: `keysplit --target manual:%s`", names.Key, other, other)}
	case found:
		return from, &unfit{finding.KeyCommittedElsewhere, "has " + names.Key + " in the compose file itself.", finding.Do("Write ${" + names.Key + ":?} in its place; keysplit then puts the key into the .env beside it.")}
	case s.Extends != nil:
		return from, &unfit{finding.PlaceNotFound, "extends one that keysplit cannot read.",
			finding.Do("Install a version that has docker compose config --no-env-resolution. Or name the file that the service reads: `keysplit --target dotenv:PATH`.")}
	case len(files) == 0:
		return from, &unfit{finding.ComposeMissingKey, "gets no " + names.Key + ": it has no such entry in environment, and no env_file.", finding.Do("Add to its environment: " + names.Key + ": ${" + names.Key + ":?}")}
	}
	at := chooseEnvFile(names, files, dir, f.ofStores())
	if slices.ContainsFunc(files[at:], func(path string) bool { return strings.Contains(path, "$") }) {
		return from, &unfit{finding.PlaceNotFound, "names its env_file with a variable.", finding.Do("Name that file itself: `keysplit --target dotenv:PATH`.")}
	}
	from.path, from.how = file.From(dir, files[at]), "its env_file"
	if len(files) > 1 {
		from.how = fmt.Sprintf("one of its %d env_file", len(files))
	}
	return from, nil
}

// chooseEnvFile is the index of the env_file for the key: the last one that has it, since a later one would win over
// any other; else the last one with SECRET_KEY; else the last one that is not for a store.
func chooseEnvFile(names steps.Names, files []string, dir string, stores []string) int {
	for _, name := range []string{names.Key, names.SecretKey} {
		for i, path := range slices.Backward(files) {
			path = file.From(dir, path)
			data, err := file.ReadSmall(path)
			if err != nil { // it may be one that need not be there, or one that is to be copied
				if data, err = file.ReadSmall(steps.SampleOf(path)); err != nil {
					continue
				}
			}
			if _, found, err := envfile.Lookup(envfile.Compose, data, name, func(string) (string, bool) { return "", false }); err == nil && found {
				return i
			}
		}
	}
	for i, path := range slices.Backward(files) {
		if !slices.Contains(stores, path) && !isStore.MatchString(filepath.Base(path)) {
			return i
		}
	}
	return len(files) - 1
}

// isStore tells a database, or another store of data, by the name of a service, an image or
// a file.
var isStore = lazyregexp.New(`(?i)postgres|postgis|mysql|maria|mongo|redis|valkey|rabbit|memcache|minio|elastic|clickhouse|database|(?:^|[^a-z])(?:pg|db|sql)(?:[^a-z]|$)`)

// ofStores are the env_file of services that are databases and the like: what is in there
// is theirs, too.
func (f composeFile) ofStores() (files []string) {
	for name, s := range f.Services {
		if image, _ := s.Image.(string); isStore.MatchString(name) || isStore.MatchString(image) {
			files = append(files, envFiles(s)...)
		}
	}
	return files
}
