package checklist

import (
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/edits"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// In a repository like the guide's, the look finds every place, the proposals fix those that can be fixed, and a second
// look finds nothing of them.
func TestAWholeRepositoryIsFixed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.write(".env", "SECRET_KEY="+stepstest.Key()+"\nJWT_SECRET_KEY="+stepstest.Key()+"\n")
	files := map[string]string{
		".env.example":             "SECRET_KEY=change-me\n",
		"README.md":                "    export SECRET_KEY=your-key\n",
		".github/workflows/ci.yml": "env:\n  SECRET_KEY: ${{ secrets.DJANGO_SECRET_KEY }}\n",
		".gitlab-ci.yml":           "test:\n  script:\n    - export SECRET_KEY=test\n",
		"azure-pipelines.yml":      "variables:\n  SECRET_KEY: $(djangoKey)\n",
		"tox.ini":                  "[testenv]\nsetenv =\n    SECRET_KEY = x\n",
		"pyproject.toml":           "[tool.pytest_env]\nSECRET_KEY = \"x\"\n",
		"docker-compose.yml":       "services:\n  web:\n    environment:\n      SECRET_KEY:\n  worker:\n    environment: [SECRET_KEY]\n",
		"local.yml":                "services:\n  web:\n    image: shop\n    environment:\n      - SECRET_KEY=${SECRET_KEY}\n",
		"render.yaml":              "services:\n- envVars:\n  - key: SECRET_KEY\n    generateValue: true\n",
		"k8s/deployment.yaml":      "apiVersion: apps/v1\nkind: Deployment\nenv:\n- name: SECRET_KEY\n  valueFrom:\n    secretKeyRef: {name: backend-secrets, key: secret-key}\n",
	}
	for name, text := range files {
		h.write(name, text)
	}
	look := func() []finding.Finding {
		r, err := Look(t.Context(), h.run, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return r.Findings
	}
	found := look()
	if len(found) != len(files) {
		t.Fatalf("%d places were found, not %d: %+v", len(found), len(files), found)
	}
	h.run.Options.Fix = true
	d, err := edits.Draw(t.Context(), h.run, found)
	if err != nil || len(d.On()) != len(found) {
		t.Fatalf("%d edits for %d findings, %v", len(d.On()), len(found), err)
	}
	if err := h.run.WriteEdits(t.Context(), d.On(), func(steps.Event) {}); err != nil {
		t.Fatal(err)
	}
	for _, f := range look() {
		t.Errorf("still found: %s %s", f.Code, f.File)
	}
}
