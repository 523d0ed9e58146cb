//go:build linux && !keysplit_gopsutil

package process

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A folder of PYTHONPATH that lies in no project says nothing, the first that lies in one decides.
func TestPythonPathTellsTheProject(t *testing.T) {
	t.Parallel()
	nowhere, project, another := t.TempDir(), t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(another, "manage.py"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	home, err := identify(project)
	if err != nil {
		t.Fatal(err)
	}
	for want, paths := range map[bond][][]string{
		unknown: {nil, {nowhere}},
		ours:    {{project}, {nowhere, project}, {project, another}},
		others:  {{another}, {nowhere, another}, {another, project}},
	} {
		for _, folders := range paths {
			// This test's own process lies in no Django project.
			p := running{pid: os.Getpid(), args: []string{"python"}}
			if got := (&view{home: home}).bondOf(p, strings.Join(folders, string(filepath.ListSeparator)), nil); got != want {
				t.Errorf("%q: %v, want %v", folders, got, want)
			}
		}
	}
}

// A server that was started from elsewhere belongs to the project of its script, and to
// that of the folder that it is told.
func TestArgumentsTellTheProject(t *testing.T) {
	t.Parallel()
	project, another := t.TempDir(), t.TempDir()
	script, theirs := filepath.Join(project, "manage.py"), filepath.Join(another, "manage.py")
	if err := errors.Join(os.WriteFile(script, nil, 0o600), os.WriteFile(theirs, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	home, err := identify(project)
	if err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]bond{
		script + " runserver":                       ours,
		theirs + " runserver":                       others,
		theirs + " --pythonpath=" + project:         others,
		"-m gunicorn --chdir=" + project + " app":   ours,
		"-m gunicorn --bind unix:/no/such.sock app": unknown,
	} {
		p := running{pid: os.Getpid(), args: append([]string{"python"}, strings.Fields(args)...)}
		if got := (&view{home: home}).bondOf(p, "", nil); got != want {
			t.Errorf("%s: %v, want %v", args, got, want)
		}
	}
}

// A virtual environment in a project says nothing of what runs from it; a library that is
// mapped from there does.
func TestAVirtualEnvironmentOnTheWay(t *testing.T) {
	t.Parallel()
	project := t.TempDir()
	library := filepath.Join(project, ".venv", "lib")
	if err := errors.Join(os.MkdirAll(library, 0o700), os.WriteFile(filepath.Join(project, ".venv", "pyvenv.cfg"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	home, err := identify(project)
	if err != nil {
		t.Fatal(err)
	}
	for fromVenv, want := range map[bool]bond{false: unknown, true: ours} {
		if got := (&view{home: home}).climb(library, fromVenv); got != want {
			t.Errorf("from the environment %t: %v", fromVenv, got)
		}
	}
	if got := (&view{home: home}).climb(filepath.Join(project, "gone"), false); got != unknown {
		t.Errorf("a folder that is gone: %v", got)
	}
}
