//go:build linux && !keysplit_gopsutil

package process

import (
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
