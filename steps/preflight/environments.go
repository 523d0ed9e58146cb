package preflight

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/sys/shell"
)

// finder looks for the project's environment where the tools that make one put it. It
// only reads files.
type finder struct {
	run *steps.Run
	p   *steps.Project
}

// folders are those whose environment may be the project's: that of manage.py and
// those above it. Without a work tree they end below the home folder, or the root of
// the file system.
func (f finder) folders() []string {
	if gitTop(f.p.Root) != "" {
		return upward(f.p.Root, f.p.TopLevel)
	}
	dirs := upward(f.p.Root, filepath.VolumeName(f.p.Root)+string(filepath.Separator))
	home := f.home()
	for i, dir := range dirs {
		if i > 0 && (dir == home || dir == filepath.Dir(dir)) {
			return dirs[:i]
		}
	}
	return dirs
}

func (f finder) home() string {
	for _, name := range []string{"HOME", "USERPROFILE"} {
		if dir, ok := f.run.LookupEnv(name); ok && filepath.IsAbs(dir) {
			return filepath.Clean(dir)
		}
	}
	return ""
}

// in takes the environment that belongs to a folder, if there is one.
func (f finder) in(dir string) bool {
	for _, name := range []string{".venv", "venv", "env", ".env", ".virtualenv", "virtualenv", ".conda"} {
		if f.take(filepath.Join(dir, name), "virtualenv "+name) {
			return true
		}
	}
	if f.pointed(dir) {
		return true
	}
	direnv := file.Glob(dir, ".direnv/python-*")
	slices.SortFunc(direnv, func(a, b string) int { return -compareVersions(filepath.Base(a), filepath.Base(b)) })
	for _, env := range append(direnv, filepath.Join(dir, ".direnv", "virtualenv")) {
		if f.take(env, "direnv") {
			return true
		}
	}
	pixi := file.Glob(dir, ".pixi/envs/*")
	for _, env := range append([]string{filepath.Join(dir, ".pixi", "envs", "default")}, pixi...) {
		if f.take(env, "pixi") {
			return true
		}
	}
	return f.uv(dir)
}

// uv takes the environment that uv is told to use. A relative one counts from the top
// of the workspace.
func (f finder) uv(dir string) bool {
	env, ok := f.run.LookupEnv("UV_PROJECT_ENVIRONMENT")
	if !ok || env == "" {
		return false
	}
	if filepath.IsAbs(env) {
		return f.take(env, "uv")
	}
	return f.take(filepath.Join(dir, env), "uv")
}

var miseVenv = lazyregexp.New(`(?m)^[ \t]*(?:env\.)?_\.python\.venv[ \t]*=[ \t]*(?:\{[^}\n]*?\bpath[ \t]*=[ \t]*)?["']([^"'\n]+)["']|` +
	`^[ \t]*\[env\._\.python\.venv\][ \t]*\n(?:[^\[\n]*\n)*?[ \t]*path[ \t]*=[ \t]*["']([^"'\n]+)["']`)

// pointed takes the environment that a small file in a folder names: .venv (virtualenvwrapper, pipenv and plugins of
// shells), .pdm-python, mise.toml, and .python-version with an environment of pyenv.
func (f finder) pointed(dir string) bool {
	if f.named(dir, firstLine(filepath.Join(dir, ".venv")), ".venv") {
		return true
	}
	if path := firstLine(filepath.Join(dir, ".pdm-python")); filepath.IsAbs(path) && isProgram(path) {
		return setPython(f.p, path, "pdm")
	}
	for _, name := range []string{"mise.toml", ".mise.toml", "mise.local.toml", ".mise.local.toml", ".config/mise.toml", "mise/config.toml", ".mise/config.toml"} {
		m := miseVenv.FindStringSubmatch(string(readSome(filepath.Join(dir, filepath.FromSlash(name)))))
		if m == nil {
			continue
		}
		env := strings.NewReplacer("{{config_root}}", dir, "{{ config_root }}", dir).Replace(m[1] + m[2])
		if !filepath.IsAbs(env) {
			env = filepath.Join(dir, env)
		}
		if f.take(env, "mise") {
			return true
		}
	}
	if name := firstLine(filepath.Join(dir, ".python-version")); name != "" && !version.MatchString(name) {
		return f.take(filepath.Join(f.pyenv(), "versions", name), "pyenv "+name)
	}
	return false
}

// named takes an environment by a path, or by its name in one of the folders that
// tools keep theirs in.
func (f finder) named(dir, text, from string) bool {
	if text == "" {
		return false
	}
	if home := f.home(); home != "" && (text == "~" || strings.HasPrefix(text, "~/")) {
		text = home + text[1:]
	}
	if filepath.IsAbs(text) {
		return f.take(text, from)
	}
	if f.take(filepath.Join(dir, text), from) {
		return true
	}
	if strings.ContainsAny(text, `/\`) {
		return false
	}
	places := []string{filepath.Join(f.pyenv(), "versions")}
	if workon, ok := f.run.LookupEnv("WORKON_HOME"); ok && filepath.IsAbs(workon) {
		places = append([]string{workon}, places...)
	}
	if home := f.home(); home != "" {
		places = append(places, filepath.Join(home, ".local", "share", "virtualenvs"), filepath.Join(home, ".virtualenvs"), filepath.Join(home, ".venvs"))
	}
	return slices.ContainsFunc(places, func(place string) bool { return f.take(filepath.Join(place, text), from) })
}

// pyenv is the folder of pyenv.
func (f finder) pyenv() string {
	if root, ok := f.run.LookupEnv("PYENV_ROOT"); ok && filepath.IsAbs(root) {
		return root
	}
	return filepath.Join(f.home(), ".pyenv")
}

var version = lazyregexp.New(`^\d+(?:\.\d+)*(?:[a-z]+\d*)?(?:-dev)?$`)

// version takes the Python that .python-version asks pyenv for, which is not made for
// the project alone.
func (f finder) version(dir string) bool {
	name := firstLine(filepath.Join(dir, ".python-version"))
	if !version.MatchString(name) {
		return false
	}
	versions := file.Glob(f.pyenv(), "versions/"+name+"*")
	slices.SortFunc(versions, func(a, b string) int { return -compareVersions(filepath.Base(a), filepath.Base(b)) })
	for _, env := range versions {
		if base := filepath.Base(env); (base == name || strings.HasPrefix(base, name+".")) && f.take(env, "pyenv "+base) {
			return true
		}
	}
	return false
}

var condaName = lazyregexp.New(`(?m)^name:[ \t]*["']?([\w.-]+)`)

// conda takes the environment that environment.yml names, among those that conda has
// noted, else the active one.
func (f finder) conda() bool {
	active, _ := f.run.LookupEnv("CONDA_PREFIX")
	for _, dir := range f.folders() {
		for _, file := range []string{"environment.yml", "environment.yaml"} {
			m := condaName.FindStringSubmatch(string(readSome(filepath.Join(dir, file))))
			if m == nil {
				continue
			}
			noted := append([]string{active}, strings.Split(string(readSome(filepath.Join(f.home(), ".conda", "environments.txt"))), "\n")...)
			for _, env := range noted {
				if env = strings.TrimSpace(env); filepath.Base(env) == m[1] && f.take(env, "conda environment "+m[1]) {
					return true
				}
			}
		}
	}
	return active != "" && setPython(f.p, pythonIn(active), "conda environment "+filepath.Base(active))
}

// take takes the interpreter of an environment. One that is there and has none is
// noted as broken, the nearest first.
func (f finder) take(env, from string) bool {
	if setPython(f.p, pythonIn(env), from) {
		return true
	}
	if f.p.Broken.Folder == "" {
		if why := brokenFor(env); why != "" {
			f.p.Broken = steps.BrokenPython{Folder: env, Why: why, Repair: repair(f.p, env)}
		}
	}
	return false
}

// brokenFor says why an environment that is there cannot be used, "" where the folder
// is none.
func brokenFor(env string) string {
	if _, err := os.Lstat(filepath.Join(env, "pyvenv.cfg")); err != nil {
		return ""
	}
	for _, name := range []string{"bin/python", "bin/python3"} {
		path := filepath.Join(env, filepath.FromSlash(name))
		info, err := os.Lstat(path)
		switch {
		case err != nil:
			continue
		case info.Mode()&os.ModeSymlink != 0:
			to, _ := os.Readlink(path)
			return fmt.Sprintf("its Python, %s, is not there any more", to)
		}
		return fmt.Sprintf("%s is no program that this user can run", name)
	}
	if isFile(filepath.Join(env, "Scripts", "python.exe")) {
		return "it was made on Windows"
	}
	return "it has no Python"
}

// repairs are the commands that make an environment again, by the file of the tool
// that made it.
var repairs = []struct{ file, command string }{
	{"uv.lock", "uv sync"},
	{"poetry.lock", "poetry install"},
	{"pdm.lock", "pdm install"},
	{"Pipfile", "pipenv --rm && pipenv sync"},
	{"pixi.lock", "pixi install"},
}

// repair is the command that makes a broken environment again, as it is typed where
// keysplit was started.
func repair(p *steps.Project, env string) finding.Command {
	for _, dir := range upward(p.Root, p.TopLevel) {
		for _, r := range repairs {
			if isFile(filepath.Join(dir, r.file)) {
				return inFolder(dir, r.command)
			}
		}
	}
	command := shell.Join("python3", "-m", "venv", "--clear", steps.FromHere(env))
	pip := steps.FromHere(filepath.Join(env, "bin", "pip"))
	for _, dir := range upward(p.Root, p.TopLevel) {
		for _, name := range []string{"requirements.txt", "requirements/local.txt", "requirements/dev.txt", "requirements/base.txt", "requirements-dev.txt"} {
			if path := filepath.Join(dir, filepath.FromSlash(name)); isFile(path) {
				return finding.Command(command + " && " + shell.Join(pip, "install", "-r", steps.FromHere(path)))
			}
		}
		if isFile(filepath.Join(dir, "pyproject.toml")) {
			return finding.Command(command + " && " + shell.Join(pip, "install", "-e", steps.FromHere(dir)))
		}
	}
	return finding.Command(command)
}

// inFolder is a command that has to be run in a folder.
func inFolder(dir, command string) finding.Command {
	here := steps.FromHere(dir)
	if here == "." {
		return finding.Command(command)
	}
	return finding.Command("(" + shell.Join("cd", here) + " && " + command + ")")
}

// firstLine is the first line of a small file that is no comment, "" where there is
// none.
func firstLine(path string) string {
	data := readSome(path)
	if len(data) > 4<<10 {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return line
		}
	}
	return ""
}

var (
	digits = lazyregexp.New(`\d+`)
)

// compareVersions compares names by the numbers in them.
func compareVersions(a, b string) int {
	as, bs := digits.FindAllString(a, -1), digits.FindAllString(b, -1)
	return slices.CompareFunc(as, bs, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
}
