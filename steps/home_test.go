package steps_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// A home answers for what its environment reads, and for nothing else: with the key
// elsewhere, the .env of this machine says nothing, whatever it holds.
func TestWhereAKeyLives(t *testing.T) {
	t.Parallel()
	here, there := stepstest.Key(), stepstest.Key()
	for name, c := range map[string]struct {
		places                func(run *steps.Run) []steps.Target
		here, sealed, differs bool
		key                   string // in force
		files                 []string
	}{
		"nothing was named": {func(*steps.Run) []steps.Target { return nil }, true, false, true, here, []string{".env"}},
		"the .env of this machine": {func(run *steps.Run) []steps.Target {
			return []steps.Target{&stepstest.Place{Name: "dotenv", Path: run.Project.EnvFile.Path}}
		}, true, false, true, here, []string{".env"}},
		"that, and a place": {func(run *steps.Run) []steps.Target {
			return []steps.Target{&stepstest.Place{Name: "fly:a"}, &stepstest.Place{Name: "dotenv", Path: run.Project.EnvFile.Path}}
		}, true, false, true, here, []string{".env"}},
		"another file": {func(run *steps.Run) []steps.Target {
			return []steps.Target{&stepstest.Place{Name: "dotenv:x", Path: filepath.Join(run.Project.Root, "x"), Held: steps.Held{Readable: true, There: true, Key: run.Secret(there)}}}
		}, false, false, false, there, []string{"x"}},
		"places with both keys": {func(run *steps.Run) []steps.Target {
			return []steps.Target{&stepstest.Place{Name: "a", Held: steps.Held{There: true}},
				&stepstest.Place{Name: "b", Held: steps.Held{Readable: true, There: true, Key: run.Secret(there), SecretKey: run.Secret("s")}}}
		}, false, false, true, there, nil},
		"a place that shows none": {func(*steps.Run) []steps.Target {
			return []steps.Target{&stepstest.Place{Name: "a", Held: steps.Held{There: true}}}
		}, false, true, false, "", nil},
		"a place without one": {func(*steps.Run) []steps.Target { return []steps.Target{&stepstest.Place{Name: "a"}} }, false, false, false, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := stepstest.NewRun(t, "JWT_SECRET_KEY="+here+"\nSECRET_KEY=x\n", nil)
			run.Targets = c.places(run)
			home := run.Home()
			if err := home.Look(context.Background()); err != nil {
				t.Fatal(err)
			}
			keys, err := home.Keys()
			if err != nil || keys.InForce().Len() != len(c.key) || c.key != "" && !keys.InForce().Equal(run.Secret(c.key)) {
				t.Errorf("another key is in force: %v", err)
			}
			if found, err := home.Found(); err != nil || !found.InForce().Equal(keys.InForce()) && c.key != "" {
				t.Errorf("preflight saw another one: %v", err)
			}
			if home.Here() != c.here || home.Sealed() != c.sealed || home.Compares(keys) != c.differs {
				t.Errorf("here %t, sealed %t, compares %t", home.Here(), home.Sealed(), home.Compares(keys))
			}
			var files []string
			for _, path := range home.Files() {
				files = append(files, run.Project.Rel(path))
			}
			if len(files) != len(c.files) || len(files) == 1 && (files[0] != c.files[0] || run.Project.Rel(home.File()) != files[0]) || len(files) == 0 && home.File() != "" {
				t.Errorf("files %q", files)
			}
			if len(home.Witnesses()) == 0 {
				t.Error("a proof rests on nothing")
			}
		})
	}
}

// A key that only the environment of this process sets is kept, and no file is written
// for it; one that is over that of the file is in the way, unless the reader lets the
// file win.
func TestAKeyInTheEnvironment(t *testing.T) {
	t.Parallel()
	key, other := stepstest.Key(), stepstest.Key()
	for name, c := range map[string]struct {
		file, environment, source string
		takes, brings             bool
		kept                      string
	}{
		"the file alone":           {key, "", "file", true, false, "file"},
		"the environment alone":    {"", key, "environment", false, true, "environment"},
		"another over the file":    {other, key, "environment", false, false, "file"},
		"the same over the file":   {key, key, "environment", false, false, "file"},
		"another, the file wins":   {other, key, "file", true, false, "file"},
		"no file, which would win": {"", key, "file", true, true, "environment"},
		"nothing":                  {"", "", "", true, false, "file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := "SECRET_KEY=x\n"
			if c.file != "" {
				file += "JWT_SECRET_KEY=" + c.file + "\n"
			}
			run := stepstest.NewRun(t, file, nil)
			run.Environ = func(name string) (string, bool) {
				return c.environment, name == "JWT_SECRET_KEY" && c.environment != ""
			}
			run.Project.Facts = &steps.Facts{Key: steps.KeyFacts{Source: c.source}}
			home := run.Home()
			keys, err := home.Found()
			if err != nil {
				t.Fatal(err)
			}
			if err := home.Takes(keys); (err == nil) != c.takes || err != nil && !strings.Contains(err.Error(), "jwt-key-shadowed") {
				t.Errorf("takes: %v", err)
			}
			if from, ok := home.Brings(run.Secret(key)); ok != c.brings || ok && from != "the environment" {
				t.Errorf("brings %t, from %q", ok, from)
			}
			if _, ok := home.Brings(run.Secret(other)); ok {
				t.Error("it brings another key")
			}
			if !strings.Contains(home.Kept().Rendered(), c.kept) || !strings.Contains(home.ReadBy("decouple"), c.kept) {
				t.Errorf("%s / %s", home.Kept(), home.ReadBy("decouple"))
			}
		})
	}
}

// A variable that has the path of the key's file is not the key.
func TestAVariableThatNamesTheFileOfTheKey(t *testing.T) {
	t.Parallel()
	key := stepstest.Key()
	run := stepstest.NewRun(t, "", nil)
	path := filepath.Join(run.Project.Root, "jwt")
	if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for value, from := range map[string]string{path: "jwt", key: "the environment"} {
		run.Environ = func(name string) (string, bool) { return value, name == "JWT_SECRET_KEY" }
		run.Project.Source = steps.Source{Kind: steps.ValueFile, File: path}
		if got, ok := run.Home().Brings(run.Secret(key)); !ok || got != from {
			t.Errorf("brings %t, from %q, want %q", ok, got, from)
		}
		if files := run.Home().Files(); value == path && !slices.Equal(files, []string{path}) {
			t.Errorf("its evidence rests on %q", files)
		}
	}
}

// Every secret that a place shows is shown to nobody.
func TestWhatAPlaceShowsIsHidden(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	key, secretKey, other := stepstest.Key(), stepstest.Key(), stepstest.Key()
	of := func(text string) secret.Secret { return run.Prints.Secret(text) }
	if err := stepstest.Places(run, steps.Held{Readable: true, There: true, Key: of(key), SecretKey: of(secretKey), Others: []steps.Other{{Name: "OTHER", Secret: of(other)}}}); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{key, secretKey, other} {
		if shown := run.Show("it is " + value); strings.Contains(shown, value[:8]) {
			t.Error("a secret of the place is shown")
		}
	}
}

// A file of UTF-16, as PowerShell writes it, is read as it will be.
func TestTheKeyInAFileOfUTF16(t *testing.T) {
	t.Parallel()
	key := stepstest.Key()
	data := []byte("\xff\xfe")
	for _, c := range []byte("JWT_SECRET_KEY=" + key + "\r\n") {
		data = append(data, c, 0)
	}
	run := stepstest.NewRun(t, string(data), nil)
	if keys, err := run.Home().Found(); err != nil || !keys.Key.Secret.Equal(run.Secret(key)) {
		t.Errorf("another key, or none: %v", err)
	}
}
