// Package config reads the project's committed configuration: keysplit.toml, or
// the table [tool.keysplit] of pyproject.toml. With it a newcomer is asked
// nothing, and every environment of the project has a name.
//
// It is strict. An unknown name, or a value of the wrong type, is an error that
// names the file, the line and the nearest valid name: a misspelt "targets"
// must not mean that the key goes to the default place. No secret belongs in
// this file, and there is no name for one.
package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
)

// The files that are looked for, in each folder from the project's up to the top
// of the work tree.
const (
	File      = "keysplit.toml"
	pyproject = "pyproject.toml"
)

// Config is what the file says. The zero value is that of no file at all.
type Config struct {
	Path         string                 // absolute, "" when there is no file
	Variables    steps.Names            // of the variables of the two keys, "" for those that the settings tell
	DistinctFrom []string               // variables that the key must differ from
	MinLength    int                    // characters, 0 for the backend's own rule
	Settings     string                 // settings module
	Python       string                 // interpreter: absolute, or a name to be found on PATH
	TrackedEnv   bool                   // the env file of development is committed on purpose
	Environments map[string]Environment // by name

	lines  lines
	prefix []string // of our tables, none at the top
}

// Line is the line on which the file sets a value of an environment: of a list, its
// element i, else of the name itself.
func (c Config) Line(environment, name string, i int) int {
	path := append(slices.Clone(c.prefix), "environments", environment, name)
	if line := c.lines[dotted(append(slices.Clone(path), strconv.Itoa(i))...)]; line > 0 {
		return line
	}
	return c.lines[dotted(path...)]
}

// TopLine is the line on which the file sets a name outside of the environments.
func (c Config) TopLine(name string) int {
	return c.lines[dotted(append(slices.Clone(c.prefix), name)...)]
}

// Environment is one [environments.NAME].
type Environment struct {
	Targets    []string // as --target; paths are from the file's folder, after Find from the project's
	Restart    string   // as --restart, likewise
	URLs       []string // as --url, the first one first
	Login      string   // URL paths
	Protected  string
	Refresh    string
	Username   string
	Production bool // it is production, whatever its name says
}

// Routes are the URL paths of the environment, "" where it names none.
func (e Environment) Routes() steps.Routes {
	return steps.Routes{Login: e.Login, Protected: e.Protected, Refresh: e.Refresh}
}

// Names lists the environments in alphabetical order.
func (c Config) Names() []string { return slices.Sorted(maps.Keys(c.Environments)) }

// Find reads the configuration of a project: the nearest one in its folder or
// those above, up to the top of the work tree; never further up, where files are
// somebody else's. Its paths are then from that folder. No file is no error. Errors
// wrap steps.ErrUsage.
func Find(folder, top string) (Config, error) {
	for dir := folder; ; dir = filepath.Dir(dir) {
		c, err := in(dir)
		if err != nil || c.Path != "" || dir == top || dir == filepath.Dir(dir) {
			return c.from(folder), err
		}
	}
}

// in reads the configuration of one folder.
func in(dir string) (Config, error) {
	own, err := read(filepath.Join(dir, File), false)
	if err != nil {
		return own, err
	}
	shared, err := read(filepath.Join(dir, pyproject), true)
	switch {
	case err != nil:
		return shared, err
	case own.Path != "" && shared.Path != "":
		return Config{}, steps.Usage("%s and the table [tool.keysplit] of %s both configure keysplit; keep one of them", own.Path, shared.Path)
	case own.Path != "":
		return own, nil
	}
	return shared, nil
}

// table is the file as TOML. Pointers tell what is not there from what is empty.
type table struct {
	Key          *string                     `toml:"key"`
	SecretKey    *string                     `toml:"secret_key"`
	DistinctFrom []string                    `toml:"distinct_from"`
	MinLength    *int                        `toml:"min_length"`
	Settings     string                      `toml:"settings"`
	Python       string                      `toml:"python"`
	TrackedEnv   bool                        `toml:"tracked_env"`
	Environments map[string]environmentTable `toml:"environments"`
}

type environmentTable struct {
	Targets    []string `toml:"targets"`
	Restart    string   `toml:"restart"`
	URL        any      `toml:"url"` // a text, or a list of them
	Login      string   `toml:"login"`
	Protected  string   `toml:"protected"`
	Refresh    string   `toml:"refresh"`
	Username   string   `toml:"username"`
	Production bool     `toml:"production"`
}

// The valid names, for the advice on a misspelt one.
var (
	topNames         = []string{"key", "secret_key", "distinct_from", "min_length", "settings", "python", "tracked_env", "environments"}
	environmentNames = first(EnvironmentTable)
)

// EnvironmentTable lists the names in an [environments.NAME], each with what it is.
var EnvironmentTable = [][2]string{
	{"targets", "list of places that hold the key, as --target"},
	{"restart", "how to restart, as --restart"},
	{"url", "address of the server, as --url; or a list"},
	{"login", "path of the login, where it is not found"},
	{"protected", "path that needs a token, where it is not found"},
	{"refresh", "path that refreshes a token, where it is not found"},
	{"username", "account for the login test; its password never"},
	{"production", "true: changes are confirmed by the name"},
}

func first(table [][2]string) (out []string) {
	for _, row := range table {
		out = append(out, row[0])
	}
	return out
}

// read reads one file. shared is for pyproject.toml, where only one table is
// ours and everything else is left alone.
func read(path string, shared bool) (Config, error) {
	data, err := file.ReadSmall(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Config{}, nil
	case err != nil && shared:
		return Config{}, nil // it may be a link to anywhere, and is not ours
	case err != nil:
		return Config{}, steps.Usage("%s cannot be read: %w", path, err)
	}
	return Parse(path, data, shared)
}

// Parse reads the bytes of a configuration file; path is for the errors, which
// wrap steps.ErrUsage, and for relative paths in it. With shared, only the table
// [tool.keysplit] counts, and without it the result is the zero Config.
func Parse(path string, data []byte, shared bool) (Config, error) {
	p := parser{path: path, data: data, lines: linesOf(data)}
	var t table
	if shared {
		if !strings.Contains(string(data), "keysplit") {
			return Config{}, nil
		}
		var all struct {
			Tool struct {
				Keysplit *table `toml:"keysplit"`
			} `toml:"tool"`
		}
		if err := p.decode(&all, "tool", "keysplit"); err != nil {
			return Config{}, err
		}
		if all.Tool.Keysplit == nil {
			return Config{}, nil
		}
		t, p.prefix = *all.Tool.Keysplit, []string{"tool", "keysplit"}
	} else if err := p.decode(&t); err != nil {
		return Config{}, err
	}
	return p.check(t)
}

type parser struct {
	path   string
	data   []byte
	lines  lines
	prefix []string // of our tables, none at the top
}

func (p parser) errorf(line int, format string, args ...any) error {
	place := p.path
	if line > 0 {
		place = fmt.Sprintf("%s:%d", p.path, line)
	}
	return steps.Usage("%s: %s", place, fmt.Sprintf(format, args...))
}

// decode reads the TOML and refuses unknown names below prefix.
func (p parser) decode(into any, prefix ...string) error {
	d := toml.NewDecoder(strings.NewReader(string(p.data)))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var missing *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing):
		for _, e := range missing.Errors {
			key := []string(e.Key())
			if len(key) <= len(prefix) || !slices.Equal(key[:len(prefix)], prefix) {
				continue
			}
			line, _ := e.Position()
			return p.unknown(line, key[len(prefix):])
		}
		return nil
	case errors.As(err, &wrong):
		line, _ := wrong.Position()
		if key := wrong.Key(); len(key) > 0 {
			return p.errorf(line, "%s has a value of the wrong type", strings.Trim(secret.Quote(strings.Join(key, ".")), `"`))
		}
		return p.errorf(line, "this is not valid TOML")
	}
	return p.errorf(0, "it cannot be read as TOML")
}

func (p parser) unknown(line int, key []string) error {
	valid := topNames
	if len(key) > 2 && key[0] == "environments" {
		valid = environmentNames
	}
	name := key[len(key)-1]
	if near := Nearest(name, valid); near != "" {
		return p.errorf(line, "unknown name %s; did you mean %q?", secret.Quote(name), near)
	}
	return p.errorf(line, "unknown name %s; valid are %s", secret.Quote(name), strings.Join(valid, ", "))
}

var (
	variableName    = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)
	environmentName = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
)

// check looks at the values.
func (p parser) check(t table) (Config, error) {
	c := Config{
		Path: p.path, DistinctFrom: t.DistinctFrom, Settings: t.Settings, Python: t.Python,
		TrackedEnv: t.TrackedEnv, Environments: map[string]Environment{}, lines: p.lines, prefix: p.prefix,
	}
	if err := p.variables(t, &c); err != nil {
		return Config{}, err
	}
	if t.MinLength != nil {
		c.MinLength = *t.MinLength
		if c.MinLength < steps.MinKeyLength || c.MinLength > 512 {
			return Config{}, p.errorf(p.line("min_length"), "min_length is %d; the backend's own rule is %d, and more than 512 is of no use", c.MinLength, steps.MinKeyLength)
		}
	}
	if strings.ContainsRune(filepath.ToSlash(c.Python), '/') {
		// A command stays as it is: docker compose --file docker/dev.yml run web python.
		if path := file.From(filepath.Dir(p.path), c.Python); !strings.ContainsRune(c.Python, ' ') || isFile(path) {
			c.Python = path
		}
	}
	for name, given := range t.Environments {
		e, err := p.environment(name, given)
		if err != nil {
			return Config{}, err
		}
		c.Environments[name] = e
	}
	return c, nil
}

// variables takes the names of variables: those of the two keys, and of those that the
// key must differ from.
func (p parser) variables(t table, c *Config) error {
	for _, v := range []struct {
		name  string
		given *string
		into  *string
	}{{"key", t.Key, &c.Variables.Key}, {"secret_key", t.SecretKey, &c.Variables.SecretKey}} {
		switch {
		case v.given == nil:
		case !variableName.MatchString(*v.given):
			return p.errorf(p.line(v.name), "%s is the name of an environment variable, such as %s", v.name, steps.GuideNames.Key)
		default:
			*v.into = *v.given
		}
	}
	if c.Variables.Key != "" && c.Variables.Key == c.Variables.SecretKey {
		return p.errorf(p.line("key"), "key and secret_key name the same variable, and the two keys must differ")
	}
	for _, name := range t.DistinctFrom {
		if !variableName.MatchString(name) || name == c.Variables.Or(steps.GuideNames).Key {
			return p.errorf(p.line("distinct_from"), "distinct_from lists the names of other variables, and one of these is none")
		}
	}
	return nil
}

// environment takes the values of one environment.
func (p parser) environment(name string, t environmentTable) (Environment, error) {
	if !environmentName.MatchString(name) {
		return Environment{}, p.errorf(p.line("environments", name), "this is no name for an environment: use letters, digits, - and _")
	}
	urls, err := texts(t.URL)
	if err != nil {
		return Environment{}, p.errorf(p.line("environments", name, "url"), "url must be a text, or a list of texts")
	}
	for _, u := range urls {
		if at, err := url.Parse(u); err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || at.User != nil {
			return Environment{}, p.errorf(p.line("environments", name, "url"), "url is a base URL such as https://api.example.com, without a password")
		}
	}
	for field, path := range map[string]string{"login": t.Login, "protected": t.Protected, "refresh": t.Refresh} {
		if path != "" && !strings.HasPrefix(path, "/") {
			return Environment{}, p.errorf(p.line("environments", name, field), "%s is a path on the server and begins with /", field)
		}
	}
	return Environment{
		Targets: t.Targets, Restart: t.Restart, URLs: urls, Login: t.Login, Protected: t.Protected,
		Refresh: t.Refresh, Username: t.Username, Production: t.Production || steps.NamesProduction(name),
	}, nil
}

// texts takes a text or a list of texts.
func texts(v any) ([]string, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []string{v}, nil
	case []any:
		var out []string
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, errors.New("not a text")
			}
			out = append(out, s)
		}
		return out, nil
	}
	return nil, errors.New("not a text")
}

// line is the line on which the file sets a key, or begins a table.
func (p parser) line(key ...string) int {
	return p.lines[dotted(append(slices.Clone(p.prefix), key...)...)]
}
