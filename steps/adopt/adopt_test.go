package adopt_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/adopt"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// project lays the files of a shape out.
func project(t *testing.T, s shape) (root string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	settings := s.settings
	if settings == "" {
		settings = "settings"
	}
	manage := "import os\nimport sys\n\nos.environ.setdefault(\"DJANGO_SETTINGS_MODULE\", \"" + settings + "\")\n" +
		"from django.core.management import execute_from_command_line\n\nexecute_from_command_line(sys.argv)\n"
	if strings.Contains(s.files["settings.py"], "configurations") {
		manage = strings.Replace(strings.Replace(manage, "from django.core", "os.environ.setdefault(\"DJANGO_CONFIGURATION\", \"Dev\")\nfrom configurations", 1), "if ", "if ", 1)
	}
	env := s.env
	if env == "" {
		env = "SECRET_KEY=SECRET_KEY\n"
	}
	name, _, _ := strings.Cut(env, "=")
	files := map[string]string{"manage.py": manage, "urls.py": "urlpatterns = []\n", ".env": name + "=" + djangotest.NewKey() + "\n"}
	for name, text := range s.files {
		files[name] = text
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// unstarted is a run that knows of a project what a look at its files tells.
func unstarted(t *testing.T, python, root string, s shape) *steps.Run {
	t.Helper()
	module := s.settings
	if module == "" {
		module = "settings"
	}
	names := steps.GuideNames
	if s.env != "" {
		names = steps.Names{Key: "JWT_SIGNING_KEY", SecretKey: "DJANGO_SECRET_KEY"}
	}
	facts := &steps.Facts{}
	if strings.Contains(s.files["settings.py"], "ninja_jwt") {
		facts.Package = "ninja-jwt"
	}
	return &steps.Run{Prints: secret.NewFingerprinter(nil), Found: steps.Found{Project: &steps.Project{
		Root: root, TopLevel: root, Python: python, SettingsModule: module, Names: names, Facts: facts,
		SettingsFile: filepath.Join(root, strings.ReplaceAll(module, ".", "/")+".py"),
	}}}
}

// started is a run that has looked at a project.
func started(t *testing.T, python, root string) *steps.Run {
	t.Helper()
	run := &steps.Run{Options: steps.Options{Folder: root, Environment: "development", Python: python, State: journal.Folder(t.TempDir()), ReadOnly: true}, Prints: secret.NewFingerprinter(nil)}
	t.Cleanup(run.Close)
	if err := (&preflight.Step{}).Apply(t.Context(), run, func(steps.Event) {}); err != nil {
		t.Fatal(err)
	}
	return run
}

// Each shape gets a key of its own, or the lines to paste; the project's Django has then
// refused the edited settings without it, and signed with it.
func TestShapes(t *testing.T) {
	t.Parallel()
	for name, s := range stepstest.Part(2, shapes) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			generation := djangotest.Modern
			if s.field {
				generation = djangotest.Field
			}
			root := project(t, s)
			run := unstarted(t, djangotest.Python(t, generation), root, s)
			draft := adopt.Untried
			if s.tried && !s.short && !stepstest.Long() {
				t.Skip("only the long form starts Django for every shape")
			}
			if s.short || stepstest.Long() {
				run, draft = started(t, run.Project.Python, root), adopt.Draft
			}
			made, err := draft(t.Context(), run)
			if s.unsure != "" {
				var f *steps.Failure
				if !errors.As(err, &f) || !strings.Contains(f.Error(), s.unsure) {
					t.Fatalf("%v, %v", made, err)
				}
				if len(s.says) == 0 {
					s.says = []string{"raise ImproperlyConfigured("}
				}
				for _, said := range s.says {
					if fix := f.Findings[0].Fix.Rendered(); !strings.Contains(fix, said) {
						t.Errorf("%q is not among what is to be added:\n%s", said, fix)
					}
				}
				return
			}
			if err != nil {
				var f *steps.Failure
				if errors.As(err, &f) {
					t.Log(f.Findings[0].Fix.Rendered())
				}
				t.Fatal(err)
			}
			file := s.file
			if file == "" {
				file = "settings.py"
			}
			if made.File != filepath.Join(root, file) || string(made.Was) != s.files[file] || made.Literal != s.literal {
				t.Errorf("%s, literal %v", made.File, made.Literal)
			}
			others := ""
			for _, path := range made.LeftOut {
				others += strings.TrimPrefix(path, root+"/")
			}
			if others != s.leftOut {
				t.Errorf("%s is left out, want %s", others, s.leftOut)
			}
			for _, text := range s.says {
				if !bytes.Contains(made.Is, []byte(text)) {
					t.Errorf("%q is not in:\n%s", text, made.Is)
				}
			}
			if bytes.HasSuffix(made.Was, []byte("\n")) != bytes.HasSuffix(made.Is, []byte("\n")) {
				t.Error("the end of the last line changed")
			}
		})
	}
}
