//go:build unix

package preflight

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// layPython is lay, with a program for each name that begins with +, and a link for
// each with @.
func layPython(t *testing.T, files map[string]string) string {
	t.Helper()
	plain := map[string]string{}
	for name, text := range files {
		if name[0] != '@' {
			plain[strings.TrimPrefix(name, "+")] = text
		}
	}
	dir := lay(t, plain)
	for name, text := range files {
		path := filepath.Join(dir, name[1:])
		switch name[0] {
		case '+':
			if err := os.Chmod(path, 0o700); err != nil {
				t.Fatal(err)
			}
		case '@':
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(text, path); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func TestFindPythonOfTools(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		files   map[string]string // DIR stands for their folder; the project is in p/api
		environ map[string]string
		want    string // the interpreter, below the folder
		from    string
	}{
		{"a .venv file with a path", map[string]string{"p/.git/HEAD": "", "p/api/.venv": "DIR/envs/shop\n", "+envs/shop/bin/python": ""}, nil, "envs/shop/bin/python", ".venv"},
		{"a .venv file with a relative path", map[string]string{"p/.git/HEAD": "", "p/.venv": "../envs/shop", "+envs/shop/bin/python": ""}, nil, "envs/shop/bin/python", ".venv"},
		{"a .venv file with a name", map[string]string{"p/.git/HEAD": "", "p/.venv": "shop\n", "+home/.virtualenvs/shop/bin/python": ""}, nil, "home/.virtualenvs/shop/bin/python", ".venv"},
		{"a .venv file of pipenv", map[string]string{"p/.git/HEAD": "", "p/.venv": "shop-Ab3", "+home/.local/share/virtualenvs/shop-Ab3/bin/python": ""}, nil, "home/.local/share/virtualenvs/shop-Ab3/bin/python", ".venv"},
		{"a .venv file and WORKON_HOME", map[string]string{"p/.git/HEAD": "", "p/.venv": "shop", "+envs/shop/bin/python": ""}, map[string]string{"WORKON_HOME": "DIR/envs"}, "envs/shop/bin/python", ".venv"},
		{"direnv", map[string]string{"p/.git/HEAD": "", "+p/api/.direnv/python-3.9/bin/python": "", "+p/api/.direnv/python-3.12/bin/python": ""}, nil, "p/api/.direnv/python-3.12/bin/python", "direnv"},
		{"direnv, its newest one gone", map[string]string{"p/.git/HEAD": "", "+p/.direnv/python-3.9.2/bin/python": "", "@p/.direnv/python-3.12.1/bin/python": "/gone/python", "p/.direnv/python-3.12.1/pyvenv.cfg": ""}, nil, "p/.direnv/python-3.9.2/bin/python", "direnv"},
		{"pixi", map[string]string{"p/.git/HEAD": "", "+p/.pixi/envs/default/bin/python": "", "+p/.pixi/envs/a/bin/python": ""}, nil, "p/.pixi/envs/default/bin/python", "pixi"},
		{"pixi with one of another name", map[string]string{"p/.git/HEAD": "", "+p/.pixi/envs/dev/bin/python": ""}, nil, "p/.pixi/envs/dev/bin/python", "pixi"},
		{"conda in the project", map[string]string{"p/.git/HEAD": "", "+p/.conda/bin/python": ""}, nil, "p/.conda/bin/python", "virtualenv .conda"},
		{"conda by its name", map[string]string{"p/.git/HEAD": "", "p/environment.yml": "name: shop\n", "home/.conda/environments.txt": "DIR/c/other\nDIR/c/shop\n", "+c/shop/bin/python": "", "+c/other/bin/python": ""}, map[string]string{"CONDA_PREFIX": "DIR/c/other"}, "c/shop/bin/python", "conda environment shop"},
		{"conda that is active", map[string]string{"p/.git/HEAD": "", "+c/other/bin/python": ""}, map[string]string{"CONDA_PREFIX": "DIR/c/other"}, "c/other/bin/python", "conda environment other"},
		{"uv with a folder of its own", map[string]string{"p/.git/HEAD": "", "+p/.venvs/x/bin/python": ""}, map[string]string{"UV_PROJECT_ENVIRONMENT": ".venvs/x"}, "p/.venvs/x/bin/python", "uv"},
		{"pdm", map[string]string{"p/.git/HEAD": "", "p/.pdm-python": "DIR/envs/x/bin/python\n", "+envs/x/bin/python": ""}, nil, "envs/x/bin/python", "pdm"},
		{"mise", map[string]string{"p/.git/HEAD": "", "p/mise.toml": "[env]\n_.python.venv = { path = \".mine\", create = true }\n", "+p/.mine/bin/python": ""}, nil, "p/.mine/bin/python", "mise"},
		{"mise, as a text", map[string]string{"p/.git/HEAD": "", "p/api/.mise.toml": "[env]\n_.python.venv = '{{config_root}}/x'\n", "+p/api/x/bin/python": ""}, nil, "p/api/x/bin/python", "mise"},
		{"pyenv's environment", map[string]string{"p/.git/HEAD": "", "p/.python-version": "shop\n", "+home/.pyenv/versions/shop/bin/python": ""}, nil, "home/.pyenv/versions/shop/bin/python", "pyenv shop"},
		{"pyenv's version", map[string]string{"p/.git/HEAD": "", "p/.python-version": "3.11\n", "+py/versions/3.11.1/bin/python": "", "+py/versions/3.11.4/bin/python": "", "+py/versions/3.11.12/bin/python": "", "+py/versions/3.1.9/bin/python": ""}, map[string]string{"PYENV_ROOT": "DIR/py"}, "py/versions/3.11.12/bin/python", "pyenv 3.11.12"},
		{"an environment before pyenv's version", map[string]string{"p/.git/HEAD": "", "p/.python-version": "3.11\n", "+home/.pyenv/versions/3.11.4/bin/python": "", "+p/venv/bin/python": ""}, nil, "p/venv/bin/python", "virtualenv venv"},
		{"above, without git", map[string]string{"+p/.venv/bin/python": ""}, nil, "p/.venv/bin/python", "virtualenv .venv"},
		{"not the home folder's", map[string]string{"+.venv/bin/python": ""}, map[string]string{"HOME": "DIR", "CONDA_PREFIX": ""}, "", ""},
		{"not above the work tree", map[string]string{"p/.git/HEAD": "", "+.venv/bin/python": ""}, nil, "", ""},
		{"a link that leads nowhere", map[string]string{"p/.git/HEAD": "", "@p/.venv/bin/python": "/gone/python", "+p/env/bin/python": ""}, nil, "p/env/bin/python", "virtualenv env"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.files["p/api/manage.py"] = manage
			dir := layPython(t, tt.files)
			for name := range tt.files { // what they say of their folder
				path := filepath.Join(dir, strings.TrimLeft(name, "+@"))
				if data := readSome(path); strings.Contains(string(data), "DIR") {
					if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(data), "DIR", dir)), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			environ := map[string]string{"HOME": filepath.Join(dir, "home")}
			for name, value := range tt.environ {
				environ[name] = strings.ReplaceAll(value, "DIR", dir)
			}
			run := &steps.Run{Environ: func(name string) (string, bool) { v, ok := environ[name]; return v, ok }, Options: steps.Options{Static: true}}
			top := filepath.Join(dir, "p")
			if tt.files["p/.git/HEAD"] == "" && gitTop(top) == "" {
				top = ""
			}
			p := newProject(filepath.Join(dir, "p", "api"), top)
			if err := findPython(t.Context(), run, p); err != nil {
				t.Fatal(err)
			}
			got, from := strings.TrimPrefix(p.Python, dir+"/"), p.PythonFrom
			if from == fromPath {
				got, from = "", ""
			}
			if got != tt.want || from != tt.from {
				t.Errorf("%q from %q, want %q from %q", got, from, tt.want, tt.from)
			}
		})
	}
}

// An environment without a Python is named, with the command that makes it again.
func TestBrokenEnvironment(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		files       map[string]string
		why, repair string
	}{
		{"its Python is gone", map[string]string{"@.venv/bin/python": "/gone/bin/python3.13"}, "its Python, /gone/bin/python3.13, is not there any more", "python3 -m venv --clear DIR/.venv"},
		{"with requirements", map[string]string{"@.venv/bin/python": "/gone/python", "requirements.txt": ""}, "its Python, /gone/python, is not there any more", "python3 -m venv --clear DIR/.venv && DIR/.venv/bin/pip install -r DIR/requirements.txt"},
		{"of a package", map[string]string{"@.venv/bin/python": "/gone/python", "pyproject.toml": ""}, "its Python, /gone/python, is not there any more", "python3 -m venv --clear DIR/.venv && DIR/.venv/bin/pip install -e DIR"},
		{"of uv", map[string]string{"@.venv/bin/python": "/gone/python", "uv.lock": ""}, "its Python, /gone/python, is not there any more", "(cd DIR && uv sync)"},
		{"of poetry", map[string]string{"@.venv/bin/python3": "/gone/python", "poetry.lock": ""}, "its Python, /gone/python, is not there any more", "(cd DIR && poetry install)"},
		{"made on Windows", map[string]string{".venv/Scripts/python.exe": "MZ"}, "it was made on Windows", "python3 -m venv --clear DIR/.venv"},
		{"no program", map[string]string{".venv/bin/python": "x"}, "bin/python is no program that this user can run", "python3 -m venv --clear DIR/.venv"},
		{"emptied", map[string]string{".venv/lib/x": ""}, "it has no Python", "python3 -m venv --clear DIR/.venv"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.files["manage.py"], tt.files[".venv/pyvenv.cfg"], tt.files[".git/HEAD"] = manage, "home = /gone\n", ""
			dir := layPython(t, tt.files)
			p := newProject(dir, dir)
			run := &steps.Run{Environ: func(string) (string, bool) { return "", false }, Options: steps.Options{Static: true}}
			if err := findPython(t.Context(), run, p); err != nil {
				t.Fatal(err)
			}
			if b := p.Broken; b.Folder != filepath.Join(dir, ".venv") || b.Why != tt.why {
				t.Errorf("broken: %+v", b)
			}
			said, fix := besideBroken(p, "No Python was found", finding.Fix{})
			if !strings.Contains(said, ".venv, is broken: "+tt.why+".") || fix.Command() != strings.ReplaceAll(tt.repair, "DIR", dir) {
				t.Errorf("%s %q", said, fix.Command())
			}
		})
	}
}

// A look that cannot start Django for want of packages says that the environment
// which had them is broken.
func TestBrokenEnvironmentIsSaid(t *testing.T) {
	t.Parallel()
	dir := layPython(t, map[string]string{"manage.py": manage, "config/settings.py": "", ".git/HEAD": "", ".venv/pyvenv.cfg": "", "@.venv/bin/python": "/gone/python", "+bare/python": "#!/bin/sh\nexit 3\n"})
	run := &steps.Run{Environ: func(string) (string, bool) { return "", false }, Options: steps.Options{Folder: dir, ReadOnly: true, Python: ""}}
	var events []steps.Event
	s := &Step{OpenDjango: func(_ context.Context, run *steps.Run, p *steps.Project) (steps.Django, error) {
		return nil, (&session{project: p, python: "/usr/bin/python3", from: fromPath, show: run.Redactor.Show}).explain(trouble{Kind: "module", Module: "django"})
	}}
	err := s.Apply(t.Context(), run, func(e steps.Event) { events = append(events, e) })
	if err == nil || !strings.Contains(err.Error(), "/usr/bin/python3 (PATH). The project's own environment, .venv, is broken: its Python, /gone/python,") {
		t.Errorf("error %v", err)
	}
	named, placed, failed := false, false, false
	for _, e := range events {
		failed = failed || e.ID == "django" && e.Mark == steps.MarkFailed
		placed = placed || e.ID == "env-file" && e.Mark != steps.MarkRunning
		named = named || e.Kind == steps.EventCheck && e.Text.Rendered() == ".venv" && e.Mark == steps.MarkWarn
	}
	if !named || !placed || !failed {
		t.Errorf("a line names the environment: %t; that of the .env is settled: %t; that of Django failed: %t", named, placed, failed)
	}
}
