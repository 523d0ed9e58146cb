package envfile

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// Dialect names a reader of .env files. No two of them agree on everything.
type Dialect string

// The readers that are modelled, with the versions they were measured at.
const (
	Decouple      Dialect = "decouple"        // python-decouple 3.6 to 3.8
	PythonDotenv  Dialect = "python-dotenv"   // python-dotenv 1.2, load_dotenv
	DjangoEnviron Dialect = "django-environ"  // django-environ 0.11.2 and 0.14.0
	Godotenv      Dialect = "godotenv"        // joho/godotenv 1.5.1, the library itself
	Compose       Dialect = "compose"         // compose-go 2.16.2, env_file and .env
	Systemd       Dialect = "systemd"         // systemd 252, EnvironmentFile=
	Shell         Dialect = "shell"           // set -a; . file, in bash 5.2 and dash 0.5.12 alike
	DockerEnvFile Dialect = "docker-env-file" // docker run --env-file, 28.5
)

// Dialects returns all dialects, those that Django projects use first.
func Dialects() []Dialect {
	return []Dialect{Decouple, PythonDotenv, DjangoEnviron, Godotenv, Compose, Systemd, Shell, DockerEnvFile}
}

// djangoReaders are the dialects an edit must serve when its caller names none.
func djangoReaders() []Dialect { return []Dialect{Decouple, PythonDotenv, DjangoEnviron} }

// VarState says what is known of a variable's value.
type VarState int

// The states of a variable.
const (
	Known   VarState = iota // the reader returns Value
	Null                    // the name stands without a value; python-dotenv gives None
	Raises                  // the file is read, but asking for this name raises an error
	Unknown                 // only running the file would tell (a command substitution)
	// Stated: a line says so, but it may come otherwise. For Shell, the file does what is not followed here; for
	// DjangoEnviron, it depends on the version.
	Stated
)

// Var is what a reader makes of one name. Value is empty unless State is Known or Stated.
type Var struct {
	Value string
	State VarState
}

// Vars is what a reader returns for a file, by name. Names are as the reader
// has them, which may be none that a person meant, such as "export KEY".
type Vars map[string]Var

// Get returns the value of name, and false where the reader has none for it
// that can be known.
func (v Vars) Get(name string) (value string, ok bool) {
	x, ok := v[name]
	return x.Value, ok && x.State == Known
}

// Says returns the value that the file gives name: as Get does, and also one that is only Stated.
func (v Vars) Says(name string) (value string, ok bool) {
	x, ok := v[name]
	return x.Value, ok && (x.State == Known || x.State == Stated)
}

// Names returns the names in order.
func (v Vars) Names() []string {
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// varsOf returns Vars with room for what the lines of data most likely set: to grow costs more than to fill.
func varsOf(data []byte) Vars { return make(Vars, min(bytes.Count(data, []byte{'='}), 4*many)) }

func (v Vars) set(name, value string) { v[name] = Var{Value: value} }

// ReadError says why a reader refuses a file as a whole. It never holds file content.
type ReadError struct {
	Dialect Dialect
	Line    int // 1-based; the line in the way, as near as it can be told
	Reason  string
}

func (e *ReadError) Error() string {
	return fmt.Sprintf("%s cannot read line %d: %s", e.Dialect, e.Line, e.Reason)
}

// environ looks up a variable of the process environment, like os.LookupEnv.
type environ func(name string) (value string, ok bool)

// Read returns what dialect d makes of data. env is the environment of the
// process that reads, used where the reader expands variables; nil stands for
// an empty one. That a variable of the process usually beats the file is not
// applied here: it is the caller's to compare. The error is a *ReadError, or
// tells that d is not a known dialect.
func Read(d Dialect, data []byte, env func(string) (string, bool)) (Vars, error) {
	vars, _, err := read(d, data, env)
	return vars, err
}

// read is Read, and of Shell also why its values are not Known.
func read(d Dialect, data []byte, env environ) (vars Vars, doubt *ReadError, err error) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	if expands(d) {
		if line, tooFar := expandsTooFar(data); tooFar {
			return nil, nil, &ReadError{d, line, "its references to other variables grow without bound"}
		}
	}
	switch d {
	case Decouple:
		vars, err = readDecouple(data)
	case PythonDotenv:
		vars, err = readPythonDotenv(data, env)
	case DjangoEnviron:
		vars, err = readDjangoEnviron(data, env)
	case Godotenv:
		vars, err = readGodotenv(data)
	case Compose:
		vars, err = readCompose(data, env)
	case Systemd:
		vars, err = readSystemd(data)
	case Shell:
		vars, doubt = readShell(data, env)
	case DockerEnvFile:
		vars, err = readDocker(data, env)
	default:
		err = fmt.Errorf("unknown .env dialect %q", string(d))
	}
	return vars, doubt, err
}

// expands reports whether the reader replaces references to other variables.
func expands(d Dialect) bool {
	switch d {
	case PythonDotenv, DjangoEnviron, Godotenv, Compose, Shell:
		return true
	}
	return false
}

// Lookup returns the value that dialect d gives for one name. found is false
// where it gives none, or none that can be known.
func Lookup(d Dialect, data []byte, name string, env func(string) (string, bool)) (value string, found bool, err error) {
	vars, err := Read(d, data, env)
	value, found = vars.Get(name)
	return value, found, err
}

// pythonText decodes data as Python's open() does in text mode: strict UTF-8,
// a byte order mark kept as a character, and every CR LF and CR made LF.
func pythonText(d Dialect, data []byte) (string, error) {
	if err := checkUTF8(d, data); err != nil {
		return "", err
	}
	s := string(data)
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	return s, nil
}

func checkUTF8(d Dialect, data []byte) error {
	if utf8.Valid(data) {
		return nil
	}
	at := 0
	for {
		r, n := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && n == 1 {
			return &ReadError{d, lineAt(data, at), "a byte that is not UTF-8"}
		}
		at += n
	}
}

// lineAt returns the number of the line that holds the byte at offset at.
func lineAt(data []byte, at int) int {
	num := 1
	for at > 0 {
		n := lineLength(data)
		if at < n || n == len(data) {
			break
		}
		data, at, num = data[n:], at-n, num+1
	}
	return num
}

// strangeLine guesses the line that makes a strict reader refuse the file: the
// first that opens a quote without end, sets no name, or sets an odd one.
func strangeLine(data []byte) int {
	if bytes.HasPrefix(data, utf8BOM) {
		return 1
	}
	file := Parse(data)
	for _, l := range file.Lines() {
		if l.Inside {
			continue
		}
		switch l.Kind {
		case Bare:
			return l.Num
		case Assignment:
			if l.Unbalanced || !IsName(strings.ReplaceAll(l.Name, ".", "_")) {
				return l.Num
			}
			if v := l.Value; v != "" && (v[0] == '\'' || v[0] == '"') && l.Last == l.Num {
				return l.Num // a quote, and more text after the closing one
			}
		}
	}
	return max(file.Len(), 1)
}
