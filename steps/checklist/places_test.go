package checklist

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// Each kind of file is found by the line that provides SECRET_KEY, and is not
// found once it names JWT_SECRET_KEY as well, nor when it only refers to a
// SECRET_KEY of something else.
func TestEveryKindOfPlaceIsFound(t *testing.T) {
	for file, c := range map[string]struct {
		line string
		code steps.Code
	}{
		".github/workflows/ci.yml": {"  SECRET_KEY: x", "ci-missing-key"},
		".gitlab-ci.yml":           {"  SECRET_KEY: $X", "ci-missing-key"},
		".circleci/config.yml":     {"  SECRET_KEY: x", "ci-missing-key"},
		"azure-pipelines.yml":      {"  SECRET_KEY: $(x)", "ci-missing-key"},
		"bitbucket-pipelines.yml":  {"  - export SECRET_KEY=x", "ci-missing-key"},
		"Dockerfile":               {"ENV SECRET_KEY=x", "ci-missing-key"},
		"Dockerfile.prod":          {"ARG SECRET_KEY=x", "ci-missing-key"},
		"docker-compose.prod.yml":  {"      SECRET_KEY: x", "compose-missing-key"},
		"compose.override.yaml":    {"      - SECRET_KEY=x", "compose-missing-key"},
		"k8s/secret.yaml":          {"apiVersion: v1\nkind: Secret\nstringData:\n  SECRET_KEY: x", "kubernetes-missing-key"},
		"chart/values.yaml":        {"  SECRET_KEY: x", "ci-missing-key"},
		"kustomization.yaml":       {"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n  - SECRET_KEY=x", "kubernetes-missing-key"},
		"Procfile":                 {"web: SECRET_KEY=x gunicorn", "ci-missing-key"},
		"app.json":                 {"  \"SECRET_KEY\": {", "ci-missing-key"},
		"railway.toml":             {"SECRET_KEY = \"x\"", "ci-missing-key"},
		"fly.toml":                 {"  SECRET_KEY = \"x\"", "ci-missing-key"},
		"render.yaml":              {"  - key: SECRET_KEY", "ci-missing-key"},
		"tox.ini":                  {"    SECRET_KEY = x", "ci-missing-key"},
		"pytest.ini":               {"    SECRET_KEY=x", "ci-missing-key"},
		"pyproject.toml":           {"env = [\"SECRET_KEY=x\"]", "ci-missing-key"},
		"deploy/web.service":       {"Environment=SECRET_KEY=x", "ci-missing-key"},
		"infra/main.tf":            {"  SECRET_KEY = var.x", "ci-missing-key"},
		".env.example":             {"SECRET_KEY=x", "example-missing-key"},
		"docs/install.rst":         {"    SECRET_KEY=x", "docs-missing-key"},
		"CLAUDE.md":                {"| `SECRET_KEY` | x |", "docs-missing-key"},
	} {
		t.Run(file, func(t *testing.T) {
			run := stepstest.NewRun(t, "", nil)
			path := filepath.Join(run.Project.TopLevel, filepath.FromSlash(file))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			found := func(text string) []steps.Finding {
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
			got := found("first: 1\n" + c.line + "\n")
			if len(got) != 1 || got[0].Code != c.code || got[0].File != file || got[0].Line < 2 {
				t.Errorf("found %+v", got)
			}
			if got := found(c.line + "\nJWT_SECRET_KEY\n"); len(got) > 0 {
				t.Errorf("with the key: %+v", got)
			}
			if got := found("first: 1\nAWS_SECRET_KEY: ${{ secrets.SECRET_KEY }}\n"); len(got) > 0 {
				t.Errorf("of something else: %+v", got)
			}
		})
	}
}
