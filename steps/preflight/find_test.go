package preflight

import (
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
)

func TestFindProject(t *testing.T) {
	t.Parallel()
	dir := lay(t, map[string]string{
		"one/.git/HEAD": "", "one/backend/manage.py": manage, "one/backend/app/models/x.py": "", "one/frontend/src/a.js": "",
		"two/.git/HEAD": "", "two/a/manage.py": manage, "two/b/manage.py": manage, "two/c/x": "",
		"flask/manage.py": "from flask_script import Manager\n", "bare/src/manage.py": manage, "bare/docs/x": "",
		"nested/manage.py": manage, "nested/sub/manage.py": manage,
	})
	tests := []struct{ from, root, message string }{
		{"one/backend", "one/backend", ""},
		{"one/backend/app/models", "one/backend", ""},
		{"one/backend/manage.py", "one/backend", ""},
		{"one", "one/backend", ""},
		{"one/frontend/src", "one/backend", ""},
		{"bare", "bare/src", ""},
		{"nested/sub", "nested/sub", ""},
		{"nested", "nested", ""},
		{"two/a", "two/a", ""},
		{"flask", "", "No Django project"},
		{"bare/docs", "", "No Django project"},
		{"nowhere", "", "cannot be opened"},
	}
	for _, tt := range tests {
		p, err := findProject(filepath.Join(dir, tt.from))
		if tt.root != "" {
			if err != nil || p.Root != filepath.Join(dir, tt.root) {
				t.Errorf("from %s: %+v, %v", tt.from, p, err)
			}
			continue
		}
		refused(t, tt.from, err, tt.message)
	}
}

// refused reports an error if a folder was not refused with that message.
func refused(t *testing.T, from string, err error, message string) {
	t.Helper()
	var failure *steps.Failure
	if !errors.As(err, &failure) || !errors.Is(err, steps.ErrCannotLook) || !strings.Contains(failure.Error(), message) {
		t.Errorf("from %s: %v", from, err)
	}
}

// Other systems have no such names.
func TestAFolderWhoseNameIsNotUTF8(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("names are UTF-8 on " + runtime.GOOS)
	}
	dir := lay(t, map[string]string{"x\xff/y/manage.py": manage, "odd/\xff/manage.py": manage})
	for from, message := range map[string]string{"x\xff/y": `x\xff/y" is not UTF-8`, "odd": `odd/\xff" is not UTF-8`} {
		_, err := findProject(filepath.Join(dir, from))
		refused(t, from, err, message)
	}
}

func TestFindSettings(t *testing.T) {
	t.Parallel()
	dir := lay(t, map[string]string{
		"manage.py": manage, "config/settings.py": "", "config/prod.py": "", "src/web/settings/__init__.py": "",
		"fixed/manage.py": "import os\n# django\nos.environ['DJANGO_SETTINGS_MODULE'] = 'app.local'\n",
		"none/manage.py":  "# django\n# os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'not.this')\n",
	})
	tests := []struct{ folder, flag, environ, module, file string }{
		{".", "", "", "config.settings", "config/settings.py"},
		{".", "", "config.prod", "config.prod", "config/prod.py"},
		{".", "web.settings", "config.prod", "web.settings", "src/web/settings/__init__.py"},
		{"fixed", "", "config.prod", "app.local", ""},
		{"none", "", "", "", ""},
	}
	for _, tt := range tests {
		run := &steps.Run{Environ: func(string) (string, bool) { return tt.environ, tt.environ != "" }}
		run.Options.Settings = tt.flag
		p := newProject(filepath.Join(dir, tt.folder), dir)
		findSettings(run, p)
		want := ""
		if tt.file != "" {
			want = filepath.Join(dir, tt.file)
		}
		if p.SettingsModule != tt.module || p.SettingsFile != want {
			t.Errorf("%+v: %q in %q", tt, p.SettingsModule, p.SettingsFile)
		}
	}
}

// classes is a manage.py of class-based settings: no word of Django in lower case.
const classes = "import os\nimport sys\n\nif __name__ == '__main__':\n    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site.conf')\n" +
	"    from configurations.management import execute_from_command_line\n    execute_from_command_line(sys.argv)\n"

func TestFindProjectBelow(t *testing.T) {
	t.Parallel()
	flask := "from flask_script import Manager\n# like Django's\nManager().run()\n"
	tests := []struct {
		name, from string
		files      map[string]string
		want       string // the folders that are found
	}{
		{"two below", "", map[string]string{"apps/api/manage.py": manage}, "apps/api"},
		{"three below", "", map[string]string{"src/server/web/manage.py": manage}, "src/server/web"},
		{"four below", "", map[string]string{"a/b/c/d/manage.py": manage}, "a/b/c/d"},
		{"five below", "", map[string]string{"a/b/c/d/e/manage.py": manage}, ""},
		{"two below, no work tree", "", map[string]string{"-": "", "apps/api/manage.py": manage}, ""},
		{"one below, no work tree", "", map[string]string{"-": "", "api/manage.py": manage}, "api"},
		{"from beside it", "apps/web/src", map[string]string{"apps/api/manage.py": manage, "apps/web/src/x.ts": ""}, "apps/api"},
		{"the nearest above first", "apps", map[string]string{"apps/api/manage.py": manage, "other/site/manage.py": manage}, "apps/api"},
		{"several", "", map[string]string{"apps/api/manage.py": manage, "services/jobs/manage.py": manage, "x/manage.py": flask}, "apps/api services/jobs"},
		{"one inside another", "", map[string]string{"backend/manage.py": manage, "backend/plugins/p/manage.py": manage}, "backend"},
		{"tests beside it", "", map[string]string{"packages/backend/manage.py": manage, "tests/manage.py": manage, "packages/lib/examples/site/manage.py": manage, "docs/demo/manage.py": manage}, "packages/backend"},
		{"packages beside it", "", map[string]string{"web/app/manage.py": manage, "node_modules/x/manage.py": manage, "third_party/y/manage.py": manage}, "web/app"},
		{"templates beside it", "", map[string]string{"web/app/manage.py": manage, "{{cookiecutter.slug}}/manage.py": manage, "new/{{ name }}/manage.py": manage}, "web/app"},
		{"a test project with a longer name", "", map[string]string{"lib/manage.py": manage, "lib_tests/manage.py": manage, "example-project/manage.py": manage}, "lib"},
		{"only tests", "", map[string]string{"tests/manage.py": manage, "lib/x.py": ""}, "tests"},
		{"only a template", "", map[string]string{"{{cookiecutter.project_slug}}/manage.py": manage}, "{{cookiecutter.project_slug}}"},
		{"several examples", "", map[string]string{"examples/a/manage.py": manage, "examples/b/manage.py": manage}, "examples/a examples/b"},
		{"within an example", "examples", map[string]string{"examples/a/manage.py": manage, "site/manage.py": manage}, "examples/a"},
		{"a hidden folder", "", map[string]string{".tox/py/manage.py": manage, ".venv/x/manage.py": manage}, ""},
		{"words that only begin alike", "", map[string]string{"testimonials/manage.py": manage}, "testimonials"},
		{"class-based settings", "", map[string]string{"manage.py": classes}, "."},
		{"no setting at all", "", map[string]string{"manage.py": "import sys\nfrom configurations.management import execute_from_command_line as run\nrun(sys.argv)\n"}, "."},
		{"in a module beside it", "", map[string]string{"manage.py": "from shop.cli import main\nmain()\n", "shop/__init__.py": "", "shop/cli.py": manage}, "."},
		{"in a module of src", "server", map[string]string{"server/manage.py": "from core import run\nrun.main()\n", "server/core/run.py": classes}, "server"},
		{"another framework's", "", map[string]string{"manage.py": flask, "api/manage.py": manage}, "api"},
		{"Django in a comment only", "", map[string]string{"manage.py": "# see django\nprint(1)\n"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, bare := tt.files["-"]; !bare {
				tt.files[".git/HEAD"] = ""
			}
			dir := lay(t, tt.files)
			var got []string
			p, err := findProject(filepath.Join(dir, tt.from))
			var several *SeveralError
			switch {
			case err == nil:
				got = []string{p.Root}
			case errors.As(err, &several):
				got = several.Folders
				for _, folder := range got {
					if !errors.Is(err, steps.ErrUsage) || !strings.Contains(err.Error(), "\n  --project "+folder) {
						t.Errorf("it does not name --project %s: %v", folder, err)
					}
				}
			case !errors.Is(err, steps.ErrCannotLook):
				t.Error(err)
			}
			for i, folder := range got {
				got[i] = filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(folder, dir), string(filepath.Separator)))
				if got[i] == "" {
					got[i] = "."
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFindSettingsElsewhere(t *testing.T) {
	t.Parallel()
	bare := "import sys\nfrom django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n"
	sets := func(what string) string {
		return "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', " + what + ")\n" + bare
	}
	tests := []struct {
		name  string
		files map[string]string
		want  string // the settings' file
	}{
		{"a default in the default", map[string]string{"manage.py": sets("os.environ.get('SETTINGS', 'shop.conf')"), "shop/conf.py": ""}, "shop/conf.py"},
		{"named arguments", map[string]string{"manage.py": strings.Replace(sets("value='shop.conf'"), "('DJ", "(key='DJ", 1), "shop/conf.py": ""}, "shop/conf.py"},
		{"filled in by format", map[string]string{"manage.py": sets("'shop.settings.{}'.format(mode)"), "shop/settings/production.py": "", "shop/settings/local.py": ""}, "shop/settings/local.py"},
		{"filled in by an f-string", map[string]string{"manage.py": sets(`f"shop.settings.{mode}"`), "shop/settings/dev.py": "", "shop/settings/production.py": ""}, "shop/settings/dev.py"},
		{"a variable", map[string]string{"manage.py": "MODULE = 'shop.conf'\n" + sets("MODULE"), "shop/conf.py": ""}, "shop/conf.py"},
		{"one of two", map[string]string{"manage.py": sets("'gone.conf' if live else 'shop.conf'"), "shop/conf.py": ""}, "shop/conf.py"},
		{"beside manage.py", map[string]string{"manage.py": "from shop.cli import main\nmain()\n", "shop/cli.py": sets("'shop.conf'"), "shop/conf.py": ""}, "shop/conf.py"},
		{"wsgi.py", map[string]string{"manage.py": bare, "shop/wsgi.py": sets("'shop.conf'"), "shop/conf.py": "", "pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = shop.tests\n", "shop/tests.py": ""}, "shop/conf.py"},
		{"asgi.py in src", map[string]string{"manage.py": bare, "src/shop/asgi.py": sets("'shop.conf'"), "src/shop/conf.py": ""}, "src/shop/conf.py"},
		{"pyproject.toml", map[string]string{"manage.py": bare, "pyproject.toml": "[tool.pytest.ini_options]\nDJANGO_SETTINGS_MODULE = \"shop.conf\"\n", "shop/conf.py": ""}, "shop/conf.py"},
		{"pyproject.toml of the type checker", map[string]string{"manage.py": bare, "pyproject.toml": "[tool.django-stubs]\ndjango_settings_module = \"shop.conf\"\n", "shop/conf.py": ""}, "shop/conf.py"},
		{"tox.ini", map[string]string{"manage.py": bare, "tox.ini": "[testenv]\nsetenv =\n    DJANGO_SETTINGS_MODULE = shop.conf\n", "shop/conf.py": ""}, "shop/conf.py"},
		{"the options of pytest", map[string]string{"manage.py": bare, "setup.cfg": "[tool:pytest]\naddopts = -q --ds=shop.conf\n", "shop/conf.py": ""}, "shop/conf.py"},
		{"src layout", map[string]string{"manage.py": sets("'shop.conf'"), "src/shop/conf.py": ""}, "src/shop/conf.py"},
		{"a folder that manage.py puts on the path", map[string]string{"manage.py": "import sys\nsys.path.append('apps')\n" + sets("'shop.conf'"), "apps/shop/conf.py": ""}, "apps/shop/conf.py"},
		{"of tests, beside those of development", map[string]string{"manage.py": bare, "pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = shop.conf.test\n", "shop/conf/test.py": "", "shop/conf/dev.py": "", "shop/conf/base.py": ""}, "shop/conf/dev.py"},
		{"of tests alone", map[string]string{"manage.py": bare, "pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = shop.conf.test\n", "shop/conf/test.py": ""}, "shop/conf/test.py"},
		{"of tests, and others", map[string]string{"manage.py": bare, "pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = shop.test\n", "tox.ini": "[testenv]\nsetenv =\n    DJANGO_SETTINGS_MODULE = shop.conf\n", "shop/test.py": "", "shop/conf.py": ""}, "shop/conf.py"},
		{"nothing says", map[string]string{"manage.py": bare, "pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = gone.conf\n"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := lay(t, tt.files)
			p := newProject(dir, dir)
			sources := findSettings(&steps.Run{Environ: func(string) (string, bool) { return "", false }}, p)
			want := ""
			if tt.want != "" {
				want = filepath.Join(dir, filepath.FromSlash(tt.want))
			}
			if p.SettingsFile != want {
				t.Errorf("%q in %q, want %s", p.SettingsModule, p.SettingsFile, want)
			}
			if want != "" && !slices.ContainsFunc(sources, func(s source) bool { return s.path == want }) {
				t.Error("the settings are not among the sources")
			}
		})
	}
}

// What an imported module of settings is counts from the folder of the package.
func TestFindSettingsFollows(t *testing.T) {
	t.Parallel()
	dir := lay(t, map[string]string{"manage.py": strings.ReplaceAll(manage, "config.", "shop."), "src/shop/settings.py": "from shop.base import *\n", "src/shop/base.py": "A = 1\n"})
	p := newProject(dir, dir)
	sources := findSettings(&steps.Run{Environ: func(string) (string, bool) { return "", false }}, p)
	if !slices.ContainsFunc(sources, func(s source) bool { return filepath.Base(s.path) == "base.py" }) {
		t.Errorf("%d sources, and none is base.py", len(sources))
	}
}
