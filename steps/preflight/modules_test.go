package preflight

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest/djangotest"
)

// The probe tells the project's files that settings, apps and URLs load, in whatever way,
// also those that they would load if they were there; and no others.
func TestFilesThatTheCodeLoads(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	add := func(path, text string) string {
		full := filepath.Join(p.Root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(full)
		if err := os.WriteFile(full, append(before, text...), 0o600); err != nil {
			t.Fatal(err)
		}
		return full
	}
	imported := add("config/jwt.py", "LIFETIME = 5\n")
	run := add("config/more.txt.py", "MORE = 1\n")
	unused := add("config/unused.py", "X = 1\n")
	installed := filepath.Join(t.TempDir(), "src", "tax") // as an editable installation is
	if err := os.MkdirAll(installed, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(installed, "__init__.py"), []byte("RATE = 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	add("config/settings.py", "\nimport sys\nsys.path.append('"+filepath.Dir(installed)+"')\nimport tax\nfrom config.jwt import LIFETIME\nexec(open(str(BASE_DIR / 'config/more.txt.py')).read())\n"+
		"try:\n    from .local import *\nexcept ImportError:\n    pass\ntry:\n    import machine\nexcept ImportError:\n    pass\n")
	if text, err := os.ReadFile(p.Settings); err != nil || !strings.Contains(string(text), "BASE_DIR") {
		t.Fatalf("the settings have no BASE_DIR: %v", err)
	}
	s, _, err := start(t, p)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := s.Recheck(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{p.Settings, imported, run, filepath.Join(p.Root, "config", "local.py"), filepath.Join(p.Root, "machine.py"),
		filepath.Join(p.Root, "config", "jwt", "__init__.py"), filepath.Join(p.Root, "decouple.py"), filepath.Join(p.Root, "decouple", "__init__.py"),
		filepath.Join(p.Root, "tax.py"), filepath.Join(p.Root, "tax", "__init__.py")} {
		if !slices.Contains(facts.Modules, want) {
			t.Errorf("%s is not among the files of the settings: %v", want, facts.Modules)
		}
	}
	if urls := filepath.Join(p.Root, "config", "urls.py"); !slices.Contains(facts.AppModules, urls) {
		t.Errorf("%s is not among the files of the URLs: %v", urls, facts.AppModules)
	}
	for _, f := range slices.Concat(facts.Modules, facts.AppModules) {
		if f == unused || strings.Contains(f, "site-packages") || strings.HasSuffix(f, "urllib.py") {
			t.Errorf("%s is among the project's files", f)
		}
	}
	packages := map[string]bool{"Django-": false, "djangorestframework-": false, "djangorestframework_simplejwt-": false}
	for _, f := range facts.Versions {
		for name := range packages {
			if strings.HasPrefix(strings.ToLower(filepath.Base(filepath.Dir(f))), strings.ToLower(name)) {
				packages[name] = true
			}
		}
		if info, err := os.Stat(f); err != nil || info.IsDir() {
			t.Errorf("%s tells no version: %v", f, err)
		}
	}
	for name, found := range packages {
		if !found {
			t.Errorf("the version of %s is not among %v", name, facts.Versions)
		}
	}
}
