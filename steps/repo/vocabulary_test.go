package repo

import (
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// What is looked for in committed files, and what an edit adds, are the names of the
// settings; the guide's are then names like others.
func TestEditsUseTheNamesInForce(t *testing.T) {
	t.Parallel()
	shop := steps.Names{Key: "SHOP_TOKEN_KEY", SecretKey: "DJANGO_SECRET_KEY"}
	for what, c := range map[string]struct {
		names     steps.Names
		code      finding.Code
		file, was string
		added     string // "" where nothing is lacking
	}{
		"compose":           {shop, compose, "compose.yaml", "services:\n  web:\n    environment:\n      DJANGO_SECRET_KEY: ${DJANGO_SECRET_KEY}\n", "SHOP_TOKEN_KEY: ${SHOP_TOKEN_KEY:?}"},
		"a list":            {shop, compose, "compose.yaml", "services:\n  web:\n    environment:\n      - DJANGO_SECRET_KEY\n", "- SHOP_TOKEN_KEY=${SHOP_TOKEN_KEY:?}"},
		"a pipeline":        {shop, ci, ".github/workflows/t.yml", "env:\n  DJANGO_SECRET_KEY: ${{ secrets.DJANGO_SECRET_KEY }}\n", "SHOP_TOKEN_KEY: ${{ secrets.SHOP_TOKEN_KEY }}"},
		"an example":        {shop, sample, ".env.example", "DJANGO_SECRET_KEY=\n", "SHOP_TOKEN_KEY="},
		"a document":        {shop, docs, "README.md", "    export DJANGO_SECRET_KEY=$(openssl rand -hex 32)\n", "export SHOP_TOKEN_KEY=$(python"},
		"tox":               {shop, ci, "tox.ini", "[testenv]\nsetenv =\n    DJANGO_SECRET_KEY = for-tests\n", "SHOP_TOKEN_KEY = throwaway"},
		"a manifest":        {shop, kubernetes, "d.yaml", "env:\n- name: DJANGO_SECRET_KEY\n  valueFrom: {secretKeyRef: {name: a, key: DJANGO_SECRET_KEY}}\n", "key: SHOP_TOKEN_KEY"},
		"both are there":    {shop, compose, "compose.yaml", "services:\n  web:\n    environment:\n      DJANGO_SECRET_KEY: a\n      SHOP_TOKEN_KEY: b\n", ""},
		"the guide's name":  {shop, compose, "compose.yaml", "services:\n  web:\n    environment:\n      SECRET_KEY: a\n", ""},
		"it is another key": {shop, compose, "compose.yaml", "services:\n  web:\n    environment:\n      OLD_DJANGO_SECRET_KEY: a\n", ""},
		"any case":          {steps.Names{Key: "JWT_KEY", SecretKey: "SHOP_KEY", AnyCase: true}, sample, ".env.example", "shop_key=\n", "JWT_KEY="},
		"names in turn":     {steps.Names{Key: "SECRET_KEY", SecretKey: "DJANGO_SECRET_KEY"}, sample, ".env.example", "DJANGO_SECRET_KEY=\n", "SECRET_KEY="},
	} {
		t.Run(what, func(t *testing.T) {
			v := wordsOf(c.names)
			if lacks := v.read(runs(c.code), c.file, []byte(c.was)).Lacks() > 0; lacks != (c.added != "") {
				t.Fatalf("lacking: %t in\n%s", lacks, c.was)
			}
			if c.added == "" {
				return
			}
			e := v.edit(finding.New(c.code, "").At(c.file, 0), []byte(c.was))
			if e == nil || !strings.Contains(string(e.data), c.added) {
				t.Fatalf("%+v, want %q added to\n%s", e, c.added, c.was)
			}
			if line := v.read(runs(c.code), c.file, e.data).Lacks(); line > 0 {
				t.Errorf("line %d still lacks the key:\n%s", line, e.data)
			}
		})
	}
}
