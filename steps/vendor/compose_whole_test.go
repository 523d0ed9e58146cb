package vendor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
)

// What a compose file extends and includes is read as compose reads it, without compose.
func TestFilesThatTakeInOthers(t *testing.T) {
	t.Parallel()
	const (
		base = "services:\n  web:\n    build: .\n    env_file: .env.web\n  app:\n    environment:\n      JWT_SECRET_KEY:\n"
		both = "include: [../a/compose.yml, ../b/compose.yml, ../a/compose.yml, ../b/compose.yml]\n"
		own  = "OWN/compose.yml" // by its whole path
		up   = "services:\n  web:\n    extends:\n      file: ../base/compose.base.yml\n      service: web\n    environment: [DEBUG=1]\n"
	)
	for what, c := range map[string]struct {
		files   map[string]string
		service string
		want    string // the file that gets the key, "" where that is not known
	}{
		"a service of the file": {map[string]string{"compose.yml": "services:\n  base:\n    env_file: [a.env]\n  web:\n    extends: base\n"}, "web", "a.env"},
		"in two steps":          {map[string]string{"compose.yml": "services:\n  one:\n    env_file: one.env\n  two:\n    extends: {service: one}\n    env_file: [two.env]\n  web:\n    extends:\n      service: two\n", "one.env": "SECRET_KEY=x\n"}, "web", "one.env"},
		"of another folder":     {map[string]string{"compose.yml": "services:\n  web:\n    extends:\n      file: base/compose.base.yml\n      service: web\n", "base/compose.base.yml": base}, "web", "base/.env.web"},
		"that extends another":  {map[string]string{"compose.yml": "services:\n  web:\n    extends: {file: dev/compose.yml, service: web}\n", "dev/compose.yml": up, "base/compose.base.yml": base}, "web", "base/.env.web"},
		"by an override":        {map[string]string{"compose.yml": "services:\n  web:\n    image: shop\n", "compose.override.yml": "services:\n  web:\n    extends: {file: base/compose.base.yml, service: web}\n", "base/compose.base.yml": base}, "web", "base/.env.web"},
		"filled in where used":  {map[string]string{"compose.yml": "services:\n  web:\n    extends: {file: base/compose.base.yml, service: app}\n", "base/compose.base.yml": base, "base/.env": "JWT_SECRET_KEY=x\n"}, "web", ".env"},
		"in a circle":           {map[string]string{"compose.yml": "services:\n  web:\n    extends: {file: compose.yml, service: web}\n"}, "web", ""},
		"in a circle of files":  {map[string]string{"compose.yml": "services:\n  web:\n    extends: {file: a/compose.yml, service: web}\n  base:\n    env_file: a.env\n", "a/compose.yml": "services:\n  web:\n    extends: {file: ../compose.yml, service: base}\n"}, "web", "a.env"},
		"a variable":            {map[string]string{"compose.yml": "services:\n  web:\n    extends: {file: \"${BASE}.yml\", service: web}\n    env_file: a.env\n"}, "web", ""},
		"not there":             {map[string]string{"compose.yml": "services:\n  web:\n    extends: {file: base.yml, service: web}\n"}, "web", ""},

		"a variable with a default":  {map[string]string{"compose.yml": "services:\n  web:\n    env_file: [\"env.d/${ENV:-dev}\"]\n"}, "web", "env.d/dev"},
		"a variable of the .env":     {map[string]string{"compose.yml": "services:\n  web:\n    env_file: [\"env.d/${ENV:-dev}/$NAME\"]\n", ".env": "ENV=prod\nNAME=web\n"}, "web", "env.d/prod/web"},
		"one that is empty":          {map[string]string{"compose.yml": "services:\n  web:\n    env_file: \"${ENV:-dev}.env\"\n", ".env": "ENV=\n"}, "web", "dev.env"},
		"a variable elsewhere":       {map[string]string{"compose.yml": "services:\n  web:\n    extends: {file: base/a.yml, service: web}\n", "base/a.yml": "services:\n  web:\n    env_file: \"./${ENV-dev}.env\"\n"}, "web", "base/dev.env"},
		"a variable without a value": {map[string]string{"compose.yml": "services:\n  web:\n    env_file: \"${ENV}.env\"\n"}, "web", ""},
		"what is to be copied":       {map[string]string{"compose.yml": "services:\n  web:\n    env_file: [common, tunnel]\n", "common.dist": "SECRET_KEY=x\n", "tunnel.dist": "A=1\n"}, "web", "common"},

		"included":             {map[string]string{"compose.yml": "include:\n  - base/compose.base.yml\n", "base/compose.base.yml": base}, "web", "base/.env.web"},
		"its own .env":         {map[string]string{"compose.yml": "include: [base/compose.base.yml]\nservices:\n  db:\n    image: postgres\n", "base/compose.base.yml": base, "base/.env": "SECRET_KEY=x\n"}, "app", "base/.env"},
		"the .env above":       {map[string]string{"compose.yml": "include: [base/compose.base.yml]\n", "base/compose.base.yml": base, "base/.env": "JWT_SECRET_KEY=x\n", ".env": "JWT_SECRET_KEY=y\n"}, "app", ".env"},
		"an env_file":          {map[string]string{"compose.yml": "include:\n  - path: base/compose.base.yml\n    env_file: conf/base.env\n", "base/compose.base.yml": base, "conf/base.env": "SECRET_KEY=x\n"}, "app", "conf/base.env"},
		"another folder":       {map[string]string{"compose.yml": "include:\n  - path: base/compose.base.yml\n    project_directory: .\n", "base/compose.base.yml": base}, "web", ".env.web"},
		"several, and in turn": {map[string]string{"compose.yml": "include:\n  - path: [one/compose.yml, one/over.yml]\n", "one/compose.yml": "include: [../base/compose.base.yml]\nservices:\n  api:\n    env_file: a.env\n", "one/over.yml": "services:\n  api:\n    env_file: b.env\n", "base/compose.base.yml": base}, "api", "one/b.env"},
		"extends an included":  {map[string]string{"compose.yml": "include: [base/compose.base.yml]\nservices:\n  two:\n    extends: web\n", "base/compose.base.yml": base}, "two", "base/.env.web"},
		"in circles":           {map[string]string{"compose.yml": "include: [a/compose.yml, b/compose.yml]\n", "a/compose.yml": both, "b/compose.yml": both + "services:\n  web:\n    env_file: a.env\n"}, "web", "b/a.env"},
		"in a folder's own":    {map[string]string{"compose.yml": "include:\n  - {path: " + own + ", project_directory: a}\n  - {path: " + own + ", project_directory: b}\nservices:\n  web:\n    env_file: a.env\n"}, "web", "a.env"},
		"an address":           {map[string]string{"compose.yml": "include: [https://example.com/compose.git]\nservices:\n  web:\n    env_file: a.env\n"}, "web", "a.env"},
	} {
		dir := t.TempDir()
		for name, text := range c.files {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "OWN", dir)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		whole, err := readCompose(filepath.Join(dir, "compose.yml"))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		run := &steps.Run{Environ: func(string) (string, bool) { return "", false }}
		from, err := whole.sourceOf(run, c.service, dir)
		got := ""
		if err == nil {
			rel, _ := filepath.Rel(dir, from.path)
			got = filepath.ToSlash(rel)
		}
		if _, found := whole.Services[c.service]; !found || got != c.want {
			t.Errorf("%s: there is %v, %q, %v, want %q", what, found, got, err, c.want)
		}
	}
}

// A service that is nowhere may be in what cannot be read.
func TestAnIncludeThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for text, unknown := range map[string]bool{
		"include: [https://example.com/compose.git]\nservices: {web: {image: a}}\n": true,
		"include: [none.yml]\nservices: {web: {image: a}}\n":                        true,
		"include: ['${DIR}/a.yml']\nservices: {web: {image: a}}\n":                  true,
		"include: [other.yml]\nservices: {web: {image: a}}\n":                       false,
	} {
		dir := t.TempDir()
		for name, data := range map[string]string{"compose.yml": text, "other.yml": "services: {api: {image: b}}\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		whole, err := readCompose(filepath.Join(dir, "compose.yml"))
		if err != nil || (whole.Include != nil) != unknown {
			t.Errorf("%s: unknown %v, %v", text, whole.Include, err)
		}
	}
}
