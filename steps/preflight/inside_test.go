//go:build unix

package preflight

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// The Python of a container has the project in another folder: paths are those of this
// machine on both ways, and files that differ are no project of ours.
func TestThePythonOfAContainer(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Reader: "dotenv"})
	inside := func(first string) *steps.Project {
		dir := t.TempDir()
		script := filepath.Join(dir, "docker")
		text := fmt.Sprintf("#!/bin/sh\nwhile [ $1 != python ]; do shift; done; shift\ncp -R %s %s/app; cd %[2]s/app; %s\nexec %s \"$@\"\n", p.Root, dir, first, p.Python)
		if err := stepstest.WriteProgram(script, text); err != nil {
			t.Fatal(err)
		}
		in := projectOf(p)
		in.Python, in.PythonArgs, in.PythonFrom = script, []string{"compose", "run", "web", "python"}, "service web"
		return in
	}
	s, err := openSession(t.Context(), newRun(t), inside("mkdir ../below; cd config"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f := s.Facts()
	if f.State != "ok" || f.SettingsFile != p.Settings || len(f.ReaderFiles) != 1 || f.ReaderFiles[0] != p.EnvPath {
		t.Errorf("%s, %s, %s", f.State, f.SettingsFile, f.ReaderFiles)
	}
	with := func(key string) []byte {
		return fmt.Appendf(nil, "SECRET_KEY=%s\nJWT_SECRET_KEY=%s\n", stepstest.Key(), key)
	}
	for key, state := range map[string]string{stepstest.Key(): "ok", "": "key-missing"} {
		if f, err := s.Try(t.Context(), steps.Trial{Files: map[string][]byte{p.EnvPath: with(key)}}); err != nil || f.State != state {
			t.Errorf("%v %+v, want %s", err, f, state)
		}
	}

	_, err = openSession(t.Context(), newRun(t), inside("exec </dev/null"), nil)
	if err == nil || !strings.Contains(err.Error(), "passes no standard input on") {
		t.Errorf("%v", err)
	}
	// What Django would say of other files is nothing about these.
	differs := inside("echo >> " + p.Settings + "; echo >> config/settings.py")
	_, err = openSession(t.Context(), newRun(t), differs, nil)
	if err == nil || !strings.Contains(err.Error(), "does not have config/settings.py as it is") {
		t.Errorf("%v", err)
	}
}
