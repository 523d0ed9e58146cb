package checklist

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/repo"
	"dj/keysplit/steps/stepstest"
)

// Each kind of file is found by the line that provides SECRET_KEY, and is not
// found once it names JWT_SECRET_KEY as well, nor when it only refers to a
// SECRET_KEY of something else.
func TestEveryKindOfPlaceIsFound(t *testing.T) {
	t.Parallel()
	for file, c := range map[string]struct {
		line string
		code finding.Code
	}{
		".github/workflows/ci.yml":         {"  SECRET_KEY: x", "ci-missing-key"},
		".gitlab-ci.yml":                   {"  SECRET_KEY: $X", "ci-missing-key"},
		".circleci/config.yml":             {"  SECRET_KEY: x", "ci-missing-key"},
		"azure-pipelines.yml":              {"  SECRET_KEY: $(x)", "ci-missing-key"},
		"bitbucket-pipelines.yml":          {"  - export SECRET_KEY=x", "ci-missing-key"},
		"Dockerfile":                       {"ENV SECRET_KEY=x", "ci-missing-key"},
		"Dockerfile.prod":                  {"ARG SECRET_KEY=x", "ci-missing-key"},
		"docker-compose.prod.yml":          {"      SECRET_KEY: x", "compose-missing-key"},
		"compose.override.yaml":            {"      - SECRET_KEY=x", "compose-missing-key"},
		"k8s/secret.yaml":                  {"apiVersion: v1\nkind: Secret\nstringData:\n  SECRET_KEY: x", "kubernetes-missing-key"},
		"chart/values.yaml":                {"  SECRET_KEY: x", "ci-missing-key"},
		"kustomization.yaml":               {"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nliterals:\n  - SECRET_KEY=x", "kubernetes-missing-key"},
		"Procfile":                         {"web: SECRET_KEY=x gunicorn", "ci-missing-key"},
		"app.json":                         {"  \"SECRET_KEY\": {", "ci-missing-key"},
		"railway.toml":                     {"SECRET_KEY = \"x\"", "ci-missing-key"},
		"fly.toml":                         {"  SECRET_KEY = \"x\"", "ci-missing-key"},
		"render.yaml":                      {"  - key: SECRET_KEY", "ci-missing-key"},
		"tox.ini":                          {"    SECRET_KEY = x", "ci-missing-key"},
		"pytest.ini":                       {"    SECRET_KEY=x", "ci-missing-key"},
		"pyproject.toml":                   {"env = [\"SECRET_KEY=x\"]", "ci-missing-key"},
		"deploy/web.service":               {"Environment=SECRET_KEY=x", "ci-missing-key"},
		"infra/main.tf":                    {"  SECRET_KEY = var.x", "ci-missing-key"},
		".env.example":                     {"SECRET_KEY=x", "example-missing-key"},
		"env.template":                     {"SECRET_KEY=x", "example-missing-key"},
		".envrc.example":                   {"export SECRET_KEY=x", "example-missing-key"},
		"config/example.env":               {"SECRET_KEY=x", "example-missing-key"},
		".envs/.local.dist.env":            {"SECRET_KEY=x", "example-missing-key"},
		".devcontainer/devcontainer.json":  {"\"SECRET_KEY\": \"x\",", "ci-missing-key"},
		".devcontainer/docker-compose.yml": {"SECRET_KEY: x", "compose-missing-key"},
		".ebextensions/django.config":      {"SECRET_KEY: x", "ci-missing-key"},
		"supervisord.conf":                 {"environment=SECRET_KEY=\"x\"", "ci-missing-key"},
		"etc/supervisor/web.conf":          {"environment=A=\"b\",SECRET_KEY=\"x\"", "ci-missing-key"},
		"Makefile":                         {"export SECRET_KEY=x", "ci-missing-key"},
		"scripts/dev.sh":                   {"export SECRET_KEY=x", "ci-missing-key"},
		"bin/setup":                        {"export SECRET_KEY=x", "ci-missing-key"},
		"docker/entrypoint":                {"export SECRET_KEY=x", "ci-missing-key"},
		"tests/conftest.py":                {"os.environ['SECRET_KEY'] = 'x'", "ci-missing-key"},
		"noxfile.py":                       {"os.environ['SECRET_KEY'] = 'x'", "ci-missing-key"},
		"mise.toml":                        {"SECRET_KEY = 'x'", "ci-missing-key"},
		"deploy/task-definition.json":      {"{\"name\": \"SECRET_KEY\", \"value\": \"x\"}", "ci-missing-key"},
		"README.txt":                       {"SECRET_KEY=x", "docs-missing-key"},
		"docs/setup.txt":                   {"SECRET_KEY=x", "docs-missing-key"},
		"docs/install.rst":                 {"    SECRET_KEY=x", "docs-missing-key"},
		"CLAUDE.md":                        {"| `SECRET_KEY` | x |", "docs-missing-key"},
	} {
		t.Run(file, func(t *testing.T) {
			run := stepstest.NewRun(t, "", nil)
			path := filepath.Join(run.Project.TopLevel, filepath.FromSlash(file))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			found := func(text string) []finding.Finding {
				t.Helper()
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				r, err := Look(t.Context(), run, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				return r.Findings
			}
			got := found("# the first line\n" + c.line + "\n")
			if len(got) != 1 || got[0].Code != c.code || got[0].File != file || got[0].Line < 2 {
				t.Errorf("found %+v", got)
			}
			last := c.line[strings.LastIndexByte(c.line, '\n')+1:]
			if got := found(c.line + "\n" + strings.NewReplacer("SECRET_KEY", "JWT_SECRET_KEY", "x", "y", "X", "Y").Replace(last) + "\n"); len(got) > 0 {
				t.Errorf("with the key: %+v", got)
			}
			if got := found("first: 1\nAWS_SECRET_KEY: ${{ secrets.SECRET_KEY }}\n"); len(got) > 0 {
				t.Errorf("of something else: %+v", got)
			}
		})
	}
}

// What tells of the past, and what a tool made or only tests itself, is no place.
func TestFilesThatAreNoPlaces(t *testing.T) {
	t.Parallel()
	for _, file := range []string{
		"CHANGELOG.md", "docs/release-notes/1.2.md", "HISTORY.rst", "changelog.d/12.md", "NEWS.md", "docs/releases/v3.md", "LICENSE.md",
		"pnpm-lock.yaml", "keysplit.toml", "infra/unit.tftest.hcl", "package.json", "src/bin/tool.js", "requirements.txt",
	} {
		if kind := repo.KindOf(file); kind != repo.Other {
			t.Errorf("%s is of kind %d", file, kind)
		}
	}
}

// Both keys from the same source is no separation: every way to say so is an
// error at its line, and keeps item 7 open.
func TestTheSameValueForBothKeysIsFound(t *testing.T) {
	t.Parallel()
	const ref = "- name: %s\n  valueFrom:\n    secretKeyRef:\n      name: backend-secrets\n      key: %s\n"
	pod := "apiVersion: v1\nkind: Pod\nenv:\n"
	for name, c := range map[string]struct {
		file, text string
		line       int // of the finding, 0 for none
	}{
		"manifest, the same key":        {"k8s/d.yaml", pod + fmt.Sprintf(ref, "SECRET_KEY", "secret-key") + fmt.Sprintf(ref, "JWT_SECRET_KEY", "secret-key"), 9},
		"manifest, flow style":          {"k8s/d.yaml", pod + "- name: SECRET_KEY\n  valueFrom:\n    secretKeyRef: {name: b, key: secret-key}\n- name: JWT_SECRET_KEY\n  valueFrom:\n    secretKeyRef: { key: 'secret-key', name: \"b\" }\n", 7},
		"manifest, on one line":         {"k8s/d.yaml", pod + "- {name: SECRET_KEY, valueFrom: {secretKeyRef: {name: b, key: k}}}\n- {valueFrom: {secretKeyRef: {name: b, key: k}}, name: JWT_SECRET_KEY}\n", 5},
		"manifest, another key":         {"k8s/d.yaml", pod + fmt.Sprintf(ref, "SECRET_KEY", "secret-key") + fmt.Sprintf(ref, "JWT_SECRET_KEY", "jwt-secret-key"), 0},
		"manifest, another Secret":      {"k8s/d.yaml", pod + fmt.Sprintf(ref, "SECRET_KEY", "key") + strings.Replace(fmt.Sprintf(ref, "JWT_SECRET_KEY", "key"), "backend-secrets", "jwt", 1), 0},
		"manifest, two containers":      {"k8s/d.yaml", pod + fmt.Sprintf(ref, "SECRET_KEY", "a") + fmt.Sprintf(ref, "JWT_SECRET_KEY", "b") + fmt.Sprintf(ref, "JWT_SECRET_KEY", "a") + fmt.Sprintf(ref, "SECRET_KEY", "c"), 0},
		"manifest, the same literal":    {"k8s/d.yaml", pod + "- name: SECRET_KEY\n  value: abc\n- name: JWT_SECRET_KEY\n  value: 'abc'\n", 6},
		"compose, the same variable":    {"compose.yaml", "environment:\n  - SECRET_KEY=${SECRET_KEY}\n  - JWT_SECRET_KEY=${SECRET_KEY:?}\n", 3},
		"compose, a fallback":           {"compose.yaml", "environment:\n  SECRET_KEY: ${SECRET_KEY}\n  JWT_SECRET_KEY: ${JWT_SECRET_KEY:-${SECRET_KEY}}\n", 3},
		"compose, a mapping":            {"compose.yaml", "environment:\n  JWT_SECRET_KEY: \"${KEY}\"\n  SECRET_KEY: $KEY\n", 2},
		"compose, passed on":            {"compose.yaml", "environment:\n  - SECRET_KEY\n  - JWT_SECRET_KEY=${SECRET_KEY}\n", 3},
		"compose, SECRET_KEY elsewhere": {"compose.yaml", "env_file: .env\nenvironment:\n  - JWT_SECRET_KEY=${SECRET_KEY}\n", 3},
		"compose, two variables":        {"compose.yaml", "environment:\n  - SECRET_KEY=${SECRET_KEY}\n  - JWT_SECRET_KEY=${JWT_SECRET_KEY:?}\n", 0},
		"compose, both passed on":       {"compose.yaml", "environment:\n  - SECRET_KEY\n  - JWT_SECRET_KEY\n", 0},
		"GitHub, the same secret":       {".github/workflows/ci.yml", "env:\n  SECRET_KEY: ${{ secrets.SECRET_KEY }}\n  JWT_SECRET_KEY: ${{secrets.SECRET_KEY}}  # same\n", 3},
		"GitHub, SECRET_KEY elsewhere":  {".github/workflows/ci.yml", "env:\n  JWT_SECRET_KEY: ${{ secrets.SECRET_KEY }}\n", 2},
		"GitHub, of another name":       {".github/workflows/ci.yml", "env:\n  SECRET_KEY: ${{ secrets.DJANGO }}\n  JWT_SECRET_KEY: ${{ secrets.DJANGO }}\n", 3},
		"GitHub, two secrets":           {".github/workflows/ci.yml", "env:\n  SECRET_KEY: ${{ secrets.DJANGO }}\n  JWT_SECRET_KEY: ${{ secrets.JWT_SECRET_KEY }}\n", 0},
		"GitHub, the same literal":      {".github/workflows/ci.yml", "env:\n  SECRET_KEY: test\n  JWT_SECRET_KEY: test\n", 3},
		"GitLab":                        {".gitlab-ci.yml", "variables:\n  SECRET_KEY: $KEY\n  JWT_SECRET_KEY: ${KEY}\n", 3},
		"Azure":                         {"azure-pipelines.yml", "  SECRET_KEY: $(key)\n  JWT_SECRET_KEY: $(key)\n", 2},
		"Dockerfile, on one line":       {"Dockerfile", "RUN SECRET_KEY=build JWT_SECRET_KEY=build ./manage.py x\n", 1},
		"made anew each time":           {".gitlab-ci.yml", "- export SECRET_KEY=$(openssl rand -hex 40)\n- export JWT_SECRET_KEY=$(openssl rand -hex 40)\n", 0},
		"Helm, the same value":          {"chart/d.yaml", "SECRET_KEY: {{ .Values.key }}\nJWT_SECRET_KEY: {{ .Values.key }}\n", 2},
		"Helm, made anew":               {"chart/d.yaml", "SECRET_KEY: {{ randAlphaNum 64 }}\nJWT_SECRET_KEY: {{ randAlphaNum 64 }}\n", 0},
		"both empty":                    {"values.yaml", "SECRET_KEY: \"\"\nJWT_SECRET_KEY: \"\"\n", 0},
		"both to be filled in":          {"values.yaml", "SECRET_KEY: change-me\nJWT_SECRET_KEY: change-me\n", 0},
		"blocks below":                  {"app.json", "\"SECRET_KEY\": {\n\"generator\": \"secret\"},\n\"JWT_SECRET_KEY\": {\n\"generator\": \"secret\"}\n", 0},
		"Terraform":                     {"main.tf", "  SECRET_KEY = var.key\n  JWT_SECRET_KEY = var.key\n", 2},
		"a comment":                     {"compose.yaml", "environment:\n  - SECRET_KEY=${A}\n  # JWT_SECRET_KEY=${A}\n  - JWT_SECRET_KEY=${B}\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.write(c.file, c.text)
			r := h.look()
			if c.line == 0 {
				if len(r.Findings) > 0 || r.Items[6].State == Open {
					t.Errorf("found %+v, item 7 %s", r.Findings, r.Items[6].Reason)
				}
				return
			}
			if len(r.Findings) != 1 || r.Findings[0].Code != "jwt-key-equals-secret-key" || r.Findings[0].Severity != finding.Error ||
				r.Findings[0].File != c.file || r.Findings[0].Line != c.line || r.Findings[0].Fixable {
				t.Errorf("found %+v", r.Findings)
			}
			if it := r.Items[6]; it.State != Open || !strings.Contains(it.Reason, "the value of SECRET_KEY") {
				t.Errorf("item 7 is %s: %s", it.State, it.Reason)
			}
		})
	}
}

// A Dockerfile is told what to do instead, since nothing is proposed for it.
func TestADockerfileIsToldNotToKeepTheKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.write("Dockerfile", "ENV SECRET_KEY=build\n")
	if f := h.look().Findings; len(f) != 1 || !strings.Contains(f[0].Fix.Rendered(), "Never with ENV") || !strings.Contains(f[0].Fix.Rendered(), "RUN SECRET_KEY=build JWT_SECRET_KEY=$(python") {
		t.Errorf("%+v", f)
	}
}

// A pipeline that starts Django and gets no key is a place, where the settings insist on
// one: it keeps item 7 open, whatever it has for SECRET_KEY.
func TestAPipelineThatStartsDjango(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	path := filepath.Join(run.Project.TopLevel, ".github", "workflows", "t.yml")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("jobs:\n  t:\n    steps:\n      - run: python manage.py check\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, insists := range []bool{true, false} {
		run.Project.Insists = insists
		r, err := Look(t.Context(), run, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if insists != (len(r.Findings) == 1 && r.Findings[0].Code == finding.CIMissingKey && r.Findings[0].Line == 4) {
			t.Errorf("insists %v: %+v", insists, r.Findings)
		}
		if got := r.Items[6].inShort(); strings.Contains(got, ".github/workflows/t.yml:4 starts Django") != insists {
			t.Errorf("insists %v: %s", insists, got)
		}
	}
}

// So is one that runs the tests, where pytest loads the same settings and no file of the
// tests names the key.
func TestAPipelineThatTestsDjango(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	run.Project.Insists, run.Project.SettingsModule = true, "config.settings"
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(run.Project.TopLevel, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found := func() bool {
		t.Helper()
		r, err := Look(t.Context(), run, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return finding.Has(r.Findings, finding.CIMissingKey)
	}
	write(".github/workflows/t.yml", "jobs:\n  t:\n    steps:\n      - run: pytest\n")
	if found() {
		t.Error("without a word of Django in the tests' configuration")
	}
	write("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = config.settings\n")
	if !found() {
		t.Error("it is not found")
	}
	write("conftest.py", "import os\nos.environ.setdefault('JWT_SECRET_KEY', 'x' * 60)\n")
	if found() {
		t.Error("conftest.py brings the key")
	}
}

// Example files alone do not close the item about documents.
func TestExamplesAreNoDocumentation(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	top := run.Project.TopLevel
	item := func() string {
		t.Helper()
		r, err := Look(t.Context(), run, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return r.Items[7].inShort()
	}
	if err := os.WriteFile(filepath.Join(top, ".env.example"), []byte("SECRET_KEY=\nJWT_SECRET_KEY=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := item(); !strings.HasPrefix(got, "open: only example files") {
		t.Errorf("an example alone: %s", got)
	}
	if err := os.WriteFile(filepath.Join(top, "README.md"), []byte("Set SECRET_KEY and JWT_SECRET_KEY in your environment.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := item(); strings.HasPrefix(got, "open:") {
		t.Errorf("with a document: %s", got)
	}
}

// A report is that of the environment that the run is for.
func TestTheEnvironmentOfAReport(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{"": steps.DefaultEnvironment, "staging": "staging"} {
		if got := environment(&steps.Run{Options: steps.Options{Environment: asked}}); got != want {
			t.Errorf("%q: %q", asked, got)
		}
	}
}
