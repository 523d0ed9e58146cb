package repo

import (
	"os"
	"path/filepath"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// A service that is given SECRET_KEY and a file of variables has the key where that file
// has it, and the edit is made where it has not.
func TestAnEnvFileBringsTheKeyOnlyWhereItHasIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files string            // env_file
		has   map[string]string // what the files hold
		lacks int
	}{
		"it has it":           {"web.env", map[string]string{"web.env": "JWT_SECRET_KEY=x\n"}, 0},
		"it has it not":       {"web.env", map[string]string{"web.env": "DEBUG=1\n"}, 6},
		"one of them":         {"[a.env, {path: ./b.env, required: false}]", map[string]string{"a.env": "A=1\n", "b.env": "export JWT_SECRET_KEY=x\n"}, 0},
		"none of them":        {"[a.env, {path: ./b.env}]", map[string]string{"a.env": "A=1\n", "b.env": "B=1\n"}, 6},
		"not here":            {"web.env", nil, 0},
		"one is not here":     {"[a.env, b.env]", map[string]string{"a.env": "A=1\n"}, 0},
		"named by a variable": {"${FILE}", nil, 0},
		"the backend's own":   {"../.env", map[string]string{"../.env": "SECRET_KEY=x\n"}, 0},
		"another variable's":  {"web.env", map[string]string{"web.env": "OLD_JWT_SECRET_KEY=x\n"}, 6},
	} {
		top := t.TempDir()
		run := &steps.Run{Found: steps.Found{Project: &steps.Project{Root: top, TopLevel: top, EnvFile: steps.EnvFile{Path: filepath.Join(top, ".env")}}}}
		if err := os.Mkdir(filepath.Join(top, "deploy"), 0o700); err != nil {
			t.Fatal(err)
		}
		for file, text := range c.has {
			if err := os.WriteFile(filepath.Join(top, "deploy", filepath.FromSlash(file)), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		text := []byte("services:\n  web:\n    image: shop\n    env_file: " + c.files + "\n    environment:\n      SECRET_KEY: x\n")
		if got := Read(steps.GuideNames, true, "deploy/compose.yaml", text, AroundOf(run)).Lacks(); got != c.lacks {
			t.Errorf("%s: line %d lacks the key, not line %d", name, got, c.lacks)
		}
		v := wordsOf(steps.GuideNames).beside(AroundOf(run))
		if e := v.edit(finding.New(finding.ComposeMissingKey, "").At("deploy/compose.yaml", 6), text); (len(e.done) > 0) != (c.lacks > 0) {
			t.Errorf("%s: %d edits", name, len(e.done))
		}
	}
}

func TestFilesOfVariablesByTheirFolder(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]Kind{
		".envs/.local/.django": EnvFile, ".envs/.production/.postgres": EnvFile, "api/.envs/dev/django": EnvFile, ".env/web": EnvFile,
		"env.d/development/common": EnvFile, "env.d/development/common.dist": Document, "env.d/production.dist/common": Document, "src/env.d.ts": Other,
		"roles/web/templates/web.conf.j2": Pipeline, "chart/templates/_env.tpl": Pipeline, "helm/common.yaml.gotmpl": Pipeline, "templates/django.env.j2": EnvFile, "env.tpl": Document, "templates/mail.html.j2": Other, "templates/mail.tpl": Other,
		"debian/rules": Pipeline, "deb/debian/shop.postinst": Pipeline, "debian/changelog": Other, "env/sample/web.env": Document, "env/web.env": EnvFile,
		".envs/README.md": Document, ".envs/.local/.django.example": Document, "envs/staging.yml": Pipeline, "src/envs/robot.py": Other,
	} {
		if got := KindOf(file); got != want {
			t.Errorf("%s is of kind %d, not %d", file, got, want)
		}
	}
}

// What sops has encrypted is not edited: its checksum would no longer fit.
func TestEncryptedFilesAreNotEdited(t *testing.T) {
	t.Parallel()
	text := "variables:\n  SECRET_KEY: ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\nsops:\n  version: 3.9.0\n"
	f := finding.New(finding.CIMissingKey, "").At(".github/secrets.enc.yaml", 2)
	if e := wordsOf(steps.GuideNames).edit(f, []byte(text)); e != nil {
		t.Errorf("%d edits", len(e.done))
	}
	if e := wordsOf(steps.GuideNames).edit(f, []byte(text[:len(text)-len("sops:\n  version: 3.9.0\n")])); e == nil || len(e.done) == 0 {
		t.Error("the same without its mark is not edited")
	}
}

// A service that extends one of another compose file has the key where that has it. One
// that cannot be found has it, as far as is known, where the file names the key at all.
func TestAServiceOfAnotherFileBringsTheKey(t *testing.T) {
	t.Parallel()
	const (
		service  = "services:\n  base:\n    image: shop\n    environment:\n      SECRET_KEY: x\n"
		with     = service + "      JWT_SECRET_KEY: y\n"
		ofBase   = "\n    extends: {file: ../base.yml, service: base}"
		included = "\n    extends: base\ninclude: [../base.yml]"
		named    = "\nx-note: {JWT_SECRET_KEY: y}"
	)
	both := map[string]string{}
	for name, at := range map[string]string{"base.yml": "more/", "more/a.yml": "", "more/b.yml": ""} {
		both[name] = "include: [" + at + "a.yml, " + at + "b.yml]\nservices:\n  base:\n    extends: other\n"
	}
	for name, c := range map[string]struct {
		web   string // what the service has besides
		has   map[string]string
		lacks int
	}{
		"it has it":                     {ofBase, map[string]string{"base.yml": with}, 0},
		"it has it not":                 {ofBase, map[string]string{"base.yml": service}, 4},
		"it has it not, another has":    {ofBase, map[string]string{"base.yml": service + "  other:\n    environment: {JWT_SECRET_KEY: y}\n"}, 4},
		"not, though the file names it": {ofBase + named, map[string]string{"base.yml": service}, 4},
		"not here":                      {ofBase, nil, 4},
		"not here, the file names it":   {ofBase + named, nil, 0},
		"by its env_file":               {ofBase, map[string]string{"base.yml": service + "    env_file: web.env\n", "web.env": "JWT_SECRET_KEY=y\n"}, 0},
		"by its env_file, which not":    {ofBase, map[string]string{"base.yml": service + "    env_file: web.env\n", "web.env": "A=1\n"}, 4},
		"by what that extends":          {ofBase, map[string]string{"base.yml": "services:\n  base:\n    extends: {file: more/a.yml, service: a}\n", "more/a.yml": "services:\n  a:\n    environment: [JWT_SECRET_KEY=y]\n"}, 0},
		"in a circle":                   {ofBase, map[string]string{"base.yml": "services:\n  base:\n    extends: {file: base.yml, service: base}\n"}, 4},
		"included":                      {included, map[string]string{"base.yml": with}, 0},
		"included, without":             {included, map[string]string{"base.yml": service}, 4},
		"included by that":              {included, map[string]string{"base.yml": "include:\n  - path: [more/a.yml]\n", "more/a.yml": with}, 0},
		"of others in a circle":         {included, both, 4},
		"of a folder in itself":         {included, map[string]string{"base.yml": "include: [more/again/base.yml, deploy/again/base.yml]\n"}, 4},
		"included in a circle":          {included, map[string]string{"base.yml": "include: base.yml\n"}, 4},
	} {
		top := t.TempDir()
		for _, folder := range []string{"deploy", "more"} {
			if err := os.Mkdir(filepath.Join(top, folder), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		for file, text := range c.has {
			if err := os.WriteFile(filepath.Join(top, filepath.FromSlash(file)), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"deploy", "more"} {
			if err := os.Symlink("..", filepath.Join(top, name, "again")); err != nil {
				t.Fatal(err)
			}
		}
		run := &steps.Run{Found: steps.Found{Project: &steps.Project{Root: top, TopLevel: top}}}
		text := []byte("services:\n  web:\n    environment:\n      SECRET_KEY: x" + c.web + "\n")
		if got := Read(steps.GuideNames, true, "deploy/compose.yaml", text, AroundOf(run)).Lacks(); got != c.lacks {
			t.Errorf("%s: line %d lacks the key, not line %d", name, got, c.lacks)
		}
	}
}
