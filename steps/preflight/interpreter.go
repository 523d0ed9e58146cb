package preflight

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/sys/file"
)

// findPython sets Python and what belongs to it: what the user named, that of the service
// that the backend is developed in, the project's own
// virtual environment, the active one, the one of its package manager, or the
// first on PATH. A package manager is a program, so it is not asked in a static
// check. Links are kept: the link of a virtual environment is what makes it one.
func findPython(ctx context.Context, run *steps.Run, p *steps.Project) error {
	if named := run.Options.Python; named != "" {
		words := pythonCommand(run)
		path, err := exec.LookPath(words[0])
		if err == nil {
			path, err = filepath.Abs(path)
		}
		if err != nil {
			return notRunnable("The interpreter "+named+" is not there, or is no program.", "", 0,
				finding.Do("Give the path of the project's Python: `keysplit --python PATH`."))
		}
		p.Python, p.PythonArgs, p.PythonDir, p.PythonFrom = path, words[1:], run.Options.PythonDir, "--python"
		return nil
	}
	if words := pythonCommand(run); len(words) > 0 {
		p.Python, p.PythonArgs, p.PythonFrom = words[0], words[1:], "service "+secret.Inert(run.Options.Contained.Service)
		return nil
	}
	active, _ := run.LookupEnv("VIRTUAL_ENV")
	takeActive := func() bool {
		return active != "" && setPython(p, pythonIn(active), "active virtualenv "+filepath.Base(active))
	}
	f := finder{run, p}
	switch {
	case (file.Within(p.TopLevel, active) || file.Within(p.Root, active)) && takeActive():
	case slices.ContainsFunc(f.folders(), f.in):
	case takeActive():
	case !run.Options.Static && managedPython(ctx, p):
	case f.conda():
	case slices.ContainsFunc(f.folders(), f.version):
	default:
		firstOnPath(p)
	}
	return nil
}

// pythonCommand are the words that start the project's Python where the user named it, or
// where a service has it; none else. What is no path of a program can be a command.
func pythonCommand(run *steps.Run) []string {
	named := run.Options.Python
	if c := run.Options.Contained; named == "" && c != nil {
		return c.Python
	}
	if words := strings.Fields(named); len(words) > 1 {
		if _, err := exec.LookPath(named); err != nil {
			return words
		}
	}
	if named == "" {
		return nil
	}
	return []string{named}
}

// firstOnPath sets the first interpreter on PATH, where there is one.
func firstOnPath(p *steps.Project) {
	for _, name := range []string{"python3", "python", "py"} { // py is the launcher of Windows
		if path, err := exec.LookPath(name); err == nil && !isStoreStub(path) {
			if path, err = filepath.Abs(path); err == nil {
				p.Python, p.PythonFrom = path, fromPath
				return
			}
		}
	}
}

// fromPath is where an interpreter was found that nothing says is the project's.
const fromPath = "PATH"

// isStoreStub reports whether a program is one of the empty files by which Windows
// offers Python in its store.
func isStoreStub(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() == 0
}

func setPython(p *steps.Project, path, from string) bool {
	if path == "" {
		return false
	}
	p.Python, p.PythonFrom = path, from
	return true
}

// pythonIn is the interpreter of a virtual environment, "" when there is none.
func pythonIn(env string) string {
	places := []string{"bin/python", "bin/python3"}
	if runtime.GOOS == "windows" {
		places = []string{"Scripts/python.exe", "python.exe"}
	}
	for _, place := range places {
		if path := filepath.Join(env, filepath.FromSlash(place)); isProgram(path) {
			return path
		}
	}
	return ""
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0)
}

// managers are the programs that know where the project's environment is. They print
// its folder, or its interpreter, as their last line.
var managers = []struct {
	name  string
	signs []string // files, or "pyproject.toml: text"
	args  []string
}{
	{"poetry", []string{"poetry.lock", "pyproject.toml: [tool.poetry]"}, []string{"env", "info", "--path", "--no-interaction", "--no-ansi"}},
	{"pipenv", []string{"Pipfile"}, []string{"--venv"}},
	{"hatch", []string{"hatch.toml", "pyproject.toml: [tool.hatch.envs"}, []string{"env", "find"}},
	{"mise", []string{"mise.toml: python", ".mise.toml: python", ".tool-versions: python", "mise/config.toml: python"}, []string{"which", "python"}},
}

func managedPython(ctx context.Context, p *steps.Project) bool {
	for _, m := range managers {
		for _, dir := range upward(p.Root, p.TopLevel) {
			if !hasSign(dir, m.signs) {
				continue
			}
			path, err := exec.LookPath(m.name)
			if err != nil {
				continue
			}
			if path, err = filepath.Abs(path); err != nil {
				continue
			}
			limited, cancel := context.WithTimeout(ctx, 20*time.Second)
			res, err := child.Command{Path: path, Args: m.args, Dir: dir, As: p.User, Unset: child.Withheld}.Run(limited)
			cancel()
			if err != nil || res.Code != 0 {
				continue
			}
			said := lastLine(string(res.Stdout))
			if isProgram(said) && filepath.IsAbs(said) && setPython(p, said, m.name) || setPython(p, pythonIn(said), m.name) {
				return true
			}
		}
	}
	return false
}

// hasSign reports whether a folder has one of the files, with its text in it.
func hasSign(dir string, signs []string) bool {
	for _, sign := range signs {
		name, text, _ := strings.Cut(sign, ": ")
		path := filepath.Join(dir, name)
		if isFile(path) && bytes.Contains(readSome(path), []byte(text)) {
			return true
		}
	}
	return false
}

// upward lists the folders from inner to outer, both included; only inner when
// it does not lie in outer.
func upward(inner, outer string) []string {
	out := []string{inner}
	if !file.Within(outer, inner) {
		return out
	}
	for dir := inner; dir != outer && dir != filepath.Dir(dir); {
		dir = filepath.Dir(dir)
		out = append(out, dir)
	}
	return out
}
