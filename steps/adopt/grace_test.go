package adopt_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/adopt"
	"dj/keysplit/steps/stepstest/djangotest"
)

// The lines of a grace period come behind INSTALLED_APPS, whatever that is.
func TestGrace(t *testing.T) {
	t.Parallel()
	tuple := strings.NewReplacer("INSTALLED_APPS = [", "INSTALLED_APPS = (", "\"rest_framework_simplejwt\",\n]", "\"rest_framework_simplejwt\",\n)").Replace(apps)
	for name, tt := range map[string]struct {
		files map[string]string
		says  []string // in their order
		not   string
	}{
		"a list": {map[string]string{"settings.py": head + decouple + apps},
			[]string{"]\nJWT_PREVIOUS_SECRET_KEY = config(\"JWT_PREVIOUS_SECRET_KEY\", default=\"\")\nJWT_PREVIOUS_SECRET_KEY_UNTIL = config(", "INSTALLED_APPS += [\"jwt_grace.GraceConfig\"]\n", "DATABASES"}, ""},
		"a tuple": {map[string]string{"settings.py": head + decouple + tuple}, []string{"INSTALLED_APPS += (\"jwt_grace.GraceConfig\",)\n"}, ""},
		"a sum of lists": {map[string]string{"settings.py": head + "import os\n\nSECRET_KEY = os.environ['A_SECRET_KEY']\nMORE = []\nINSTALLED_APPS = ['a'] + MORE\nA = ['b', 'c', 'd', 'e']\n"},
			[]string{"JWT_PREVIOUS_SECRET_KEY_UNTIL = os.environ.get('JWT_PREVIOUS_SECRET_KEY_UNTIL', '')\nINSTALLED_APPS += ['jwt_grace"}, ""},
		"added to further down": {map[string]string{"settings.py": head + decouple + apps + "INSTALLED_APPS += [\"x\"]\n"}, []string{"[\"x\"]\nJWT_PREVIOUS_SECRET_KEY = "}, ""},
		"of a package":          {map[string]string{"base.py": head + decouple + apps, "settings.py": "from base import *\n"}, []string{"INSTALLED_APPS += ["}, ""},
		"a class": {map[string]string{"settings.py": "from configurations import Configuration, values\n\n\nclass Dev(Configuration):\n    SECRET_KEY = values.SecretValue()\n    INSTALLED_APPS = (\n        \"a\",\n    )\n    USE_TZ = True\n"},
			[]string{"    )\n    JWT_PREVIOUS_SECRET_KEY = values.Value(\"\", environ_prefix=None)\n", "    INSTALLED_APPS += (\"jwt_grace.GraceConfig\",)\n    USE_TZ"}, ""},
		"under a condition": {map[string]string{"settings.py": head + decouple + "if DEBUG:\n    INSTALLED_APPS = []\n"}, nil, "INSTALLED_APPS depends on a condition"},
		"of another class":  {map[string]string{"settings.py": "class Dev(Base):\n    INSTALLED_APPS += ['a']\n"}, nil, "INSTALLED_APPS is inherited"},
		"none":              {map[string]string{"settings.py": head + decouple}, nil, "INSTALLED_APPS is not found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := shape{files: tt.files}
			root := project(t, s)
			made, err := adopt.Grace(t.Context(), unstarted(t, djangotest.Python(t, djangotest.Modern), root, s))
			if tt.not != "" {
				var f *steps.Failure
				if !errors.As(err, &f) || !strings.Contains(f.Error(), tt.not) || !strings.Contains(f.Findings[0].Fix.Rendered(), "jwt_grace.GraceConfig") {
					t.Errorf("%v, %v", made, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			rest := string(made.Is)
			for _, text := range tt.says {
				_, after, found := strings.Cut(rest, text)
				if !found {
					t.Fatalf("%q is not in:\n%s", text, made.Is)
				}
				rest = after
			}
			if now, err := os.ReadFile(filepath.Join(root, filepath.Base(made.File))); err != nil || string(now) != string(made.Was) {
				t.Error("the file was written")
			}
		})
	}
}
