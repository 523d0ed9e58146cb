package repo

import (
	"os"
	"path/filepath"
	"testing"

	"dj/keysplit/steps"
)

// aroundOf is what is around the files of a project in api, with other files beside it.
func aroundOf(t *testing.T, files ...string) *Around {
	t.Helper()
	top := t.TempDir()
	for _, name := range append(files, "api/manage.py") {
		path := filepath.Join(top, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return AroundOf(&steps.Run{Found: steps.Found{Project: &steps.Project{Root: filepath.Join(top, "api"), TopLevel: top, EnvFile: steps.EnvFile{Path: filepath.Join(top, "api", ".env")}}}})
}

// What is set in the folder of a frontend, or of another program, is nothing of the backend's.
func TestFoldersOfOtherPrograms(t *testing.T) {
	t.Parallel()
	around := aroundOf(t, "web/package.json", "admin/package.json", "admin/pyproject.toml", "infra/package.json", "infra/cdk.json", "app/pubspec.yaml", "api/static/package.json", "package.json")
	for folder, want := range map[string]bool{
		"web": true, "web/src/env": true, "app": true, "frontend": true, "my-frontend/x": true, "front_end": true,
		"api": false, "api/static": true, "admin": false, "infra": false, ".": false, "": false, "docs": false, "../web": false, "confronted": false,
	} {
		if got := around.Foreign(folder); got != want {
			t.Errorf("%q: foreign %t", folder, got)
		}
	}
	if (*Around)(nil).Foreign("frontend") {
		t.Error("foreign beside nothing")
	}
}

func TestLinesForOtherPrograms(t *testing.T) {
	t.Parallel()
	around := aroundOf(t, "web/package.json")
	const steps1 = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n"
	for name, c := range map[string]struct {
		file, text string
		lacks      int
	}{
		"a frontend's file":         {"scripts/a.sh", "#!/bin/sh\necho SECRET_KEY=x >> frontend/.env\n", 0},
		"one by its package":        {"scripts/a.sh", "#!/bin/sh\nprintf 'SECRET_KEY=%s' x | tee -a web/.env.local\n", 0},
		"from the script's folder":  {"scripts/a.sh", "#!/bin/sh\necho SECRET_KEY=x > ../web/.env\n", 0},
		"gone there":                {"a.sh", "#!/bin/sh\ncd web\necho SECRET_KEY=x > .env\n", 0},
		"gone there and back":       {"a.sh", "#!/bin/sh\ncd web\ncd ..\necho SECRET_KEY=x > .env\n", 4},
		"gone in a subshell":        {"a.sh", "#!/bin/sh\n(cd web && npm i)\necho SECRET_KEY=x > .env\n", 3},
		"on one line":               {"a.sh", "#!/bin/sh\ncd web && echo SECRET_KEY=x > .env\n", 0},
		"the backend's":             {"a.sh", "#!/bin/sh\necho SECRET_KEY=x > api/.env\n", 2},
		"a folder that is not here": {"a.sh", "#!/bin/sh\necho SECRET_KEY=x > deploy/.env\n", 2},
		"a folder in a variable":    {"a.sh", "#!/bin/sh\necho SECRET_KEY=x > $DIR/frontend/.env\n", 2},
		"a Makefile":                {"Makefile", "env:\n\techo SECRET_KEY=x >> frontend/.env\n", 0},
		"a step":                    {".github/workflows/a.yml", steps1 + "      - run: echo SECRET_KEY=x >> web/.env\n", 0},
		"a step there":              {".github/workflows/a.yml", steps1 + "      - run: echo SECRET_KEY=x >> .env\n        working-directory: web\n", 0},
		"a step with two":           {".github/workflows/a.yml", steps1 + "      - run: |\n          echo SECRET_KEY=x >> web/.env\n          echo SECRET_KEY=x >> api/.env\n", 7},
		"a step that goes there":    {".github/workflows/a.yml", steps1 + "      - run: |\n          cd web\n          echo SECRET_KEY=x >> .env\n", 0},
		"a step's variable there":   {".github/workflows/a.yml", steps1 + "      - run: npm test\n        working-directory: web\n        env: {SECRET_KEY: x}\n", 0},
		"a service built there":     {"compose.yaml", "services:\n  ui:\n    build: {context: ./web}\n    environment: {SECRET_KEY: x}\n", 0},
		"a service built here":      {"compose.yaml", "services:\n  ui:\n    build: ./api\n    environment: {SECRET_KEY: x}\n", 4},
	} {
		if got := Read(steps.GuideNames, true, c.file, []byte(c.text), around).Lacks(); got != c.lacks {
			t.Errorf("%s: line %d lacks the key, not line %d", name, got, c.lacks)
		}
	}
}

// A script that exports a variable for each secret makes the secrets of a service its
// variables.
func TestSecretsThatAScriptExports(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"for f in /run/secrets/*; do\n  name=$(basename \"$f\")\n  export \"${name^^}\"=\"$(cat $f)\"\ndone\n": true,
		"for s in $(ls /run/secrets); do export $s=$(cat /run/secrets/$s); done\n":                             true,
		"for f in /run/secrets/*; do\n  varname=$(basename $f)\n  export \"$varname=$(cat \"$f\")\"\ndone\n":   true,
		"for f in /run/secrets/*; do echo \"$f\"; done\n":                                                      false,
		"for f in /run/secrets/shop_a /run/secrets/shop_b; do export \"$f\"; done\n":                           false,
		"export SECRET_KEY=$(cat /run/secrets/secret_key)\n":                                                   false,
		"for f in /etc/conf.d/*; do export \"$f\"; done\n":                                                     false,
	} {
		if got := ExportsSecrets([]byte(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
	for text, want := range map[string]int{
		"services:\n  web:\n    secrets: [secret_key]\n":                                                                3,
		"services:\n  web:\n    secrets:\n      - db\n      - source: shop_a\n        target: SECRET_KEY\n":             5,
		"services:\n  web:\n    secrets:\n      - secret-key\n      - jwt_secret_key\n":                                 0,
		"services:\n  db:\n    secrets: [db]\n  web:\n    secrets: [secret_key, {source: a, target: jwt_secret_key}]\n": 0,
		"services:\n  web:\n    image: a\nsecrets:\n  secret_key: {file: a}\n":                                          0,
		"secrets: {secret_key: {file: a}}\n":                                                                            0,
		"services: [\nsecrets:\n":                                                                                       0,
	} {
		if got := SecretAlone(steps.GuideNames, "compose.yaml", []byte(text)); got != want {
			t.Errorf("line %d, not line %d:\n%s", got, want, text)
		}
	}
}
