package repo

import (
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// shapes are YAML files, with + at the beginning of each line that an edit adds, and with {+...+} around what it adds within
// a line. In a file without either nothing is edited.
var shapes = []struct {
	name, file string
	code       finding.Code
	text       string
}{
	{"passed through, a mapping", "compose.yaml", compose, `
services:
  web:
    environment:
      SECRET_KEY:
+      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
      DEBUG: "0"
`},
	{"passed through, a mapping with a comment, the last line", "compose.yaml", compose, `
services:
  web:
    environment:
      SECRET_KEY:   # from the shell{+
      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}+}`},
	{"passed through, a list", "compose.yaml", compose, `
services:
  web:
    environment:
    - "SECRET_KEY"
+    - "JWT_SECRET_KEY=${JWT_SECRET_KEY:?}"
    - DEBUG
`},
	{"folded", "compose.yaml", compose, `
services:
  web:
    environment:
      SECRET_KEY: >-
        abc

        def
+      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
      DEBUG: "0"
`},
	{"literal that keeps its end", "compose.yaml", compose, `
services:
  web:
    environment:
{+      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
+}      SECRET_KEY: |+
        abc

      DEBUG: "0"
`},
	{"plain, on several lines", "compose.yaml", compose, `
services:
  web:
    environment:
      SECRET_KEY: abc
        def
        ghi
+      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
      DEBUG: "0"
`},
	{"quoted, on several lines that are not indented", "compose.yaml", compose, `
services:
  web:
    environment:
{+      JWT_SECRET_KEY: "${JWT_SECRET_KEY:?}"
+}      SECRET_KEY: "abc
def"
      DEBUG: "0"
`},
	{"below its name", "compose.yaml", compose, `
services:
  web:
    environment:
      SECRET_KEY:
        abc
+      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
`},
	{"flow style", "compose.yaml", compose, `
services:
  web:
    environment: {SECRET_KEY: x{+, JWT_SECRET_KEY: "${JWT_SECRET_KEY:?}"+}, DEBUG: "0"}
`},
	{"flow style, passed through", "compose.yaml", compose, `
services:
  web:
    environment: {DEBUG: "0", SECRET_KEY: {+, JWT_SECRET_KEY: "${JWT_SECRET_KEY:?}"+}}
`},
	{"flow style, on several lines", "compose.yaml", compose, `
services:
  web:
    environment: {
      DEBUG: "0",
      'SECRET_KEY': 'a#b'{+,
      'JWT_SECRET_KEY': '${JWT_SECRET_KEY:?}'+} # Django's
    }
`},
	{"a flow list", "compose.yaml", compose, `
services:
  web:
    environment: ["DEBUG=0", "SECRET_KEY=${SECRET_KEY}"{+, "JWT_SECRET_KEY=${JWT_SECRET_KEY:?}"+}]
`},
	{"a flow list, on several lines", "compose.yaml", compose, `
services:
  web:
    environment: [
      "SECRET_KEY=${SECRET_KEY}"{+,
      "JWT_SECRET_KEY=${JWT_SECRET_KEY:?}"+}
    ]
`},
	{"JSON in YAML", "compose.yaml", compose, `{"services": {"web": {"environment": {"SECRET_KEY": "x"{+, "JWT_SECRET_KEY": "${JWT_SECRET_KEY:?}"+}}}}}`},
	{"quoted names", "compose.yaml", compose, `
services:
  web:
    environment:
      "SECRET_KEY" : 'x' # Django's
+      "JWT_SECRET_KEY" : '${JWT_SECRET_KEY:?}'
`},
	{"an anchor that is used twice", "compose.yaml", compose, `
x-env: &env
  SECRET_KEY: ${SECRET_KEY}
+  JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
services:
  web:
    environment: *env
  worker:
    environment:
      A: b
      <<: *env
`},
	{"an anchor, of which one use has the key", "compose.yaml", compose, `
x-env: &env
  SECRET_KEY: ${SECRET_KEY}
+  JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
services:
  web:
    environment:
      <<: *env
      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
  worker:
    environment: *env
`},
	{"an anchor, of which all uses have the key", "compose.yaml", compose, `
x-env: &env
  SECRET_KEY: ${SECRET_KEY}
services:
  web:
    environment:
      <<: *env
      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
  worker:
    environment:
      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
      <<: [*env]
`},
	{"the environment of another service", "compose.yaml", compose, `
services:
  web:
    environment: &env
      SECRET_KEY: x
+      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
  worker:
    environment: *env
`},
	{"a service that overrides what it merges", "compose.yaml", compose, `
services:
  web: &web
    environment:
      SECRET_KEY: x
      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
  worker:
    environment:
      SECRET_KEY: x
+      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
    <<: *web
`},
	{"an alias for something else", "compose.yaml", compose, `
x-logging: &logging {driver: local}
services:
  web:
    logging: *logging
    environment:
      SECRET_KEY: x
      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
  worker:
    logging: *logging
    environment:
      SECRET_KEY: x
+      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
`},
	{"an item that is an alias", "compose.yaml", compose, `
x-key: &key SECRET_KEY=x
services:
  web:
    environment:
      - *key
+      - JWT_SECRET_KEY=${JWT_SECRET_KEY:?}
`},
	{"an anchor that is for a build too", "compose.yaml", compose, `
x-env: &env
  SECRET_KEY: x
services:
  web:
    build:
      args: *env
    environment: *env
`},
	{"an anchor that a build merges", "compose.yaml", compose, `
x-env: &env
  SECRET_KEY: x
services:
  web:
    build:
      args:
        SECRET_KEY: build
        <<: *env
    environment: *env
`},
	{"build arguments", "compose.yaml", compose, `
services:
  web:
    build:
      context: .
      args:
        SECRET_KEY: x
  worker:
    build:
      args: [SECRET_KEY]
`},
	{"a value that is taken back", "compose.yaml", compose, "services:\n  web:\n    environment:\n      SECRET_KEY: !reset null\n"},
	{"secrets", "compose.yaml", compose, `
services:
  web:
    secrets:
      - SECRET_KEY
secrets:
  SECRET_KEY:
    environment: SECRET_KEY
`},
	{"a name twice", "compose.yaml", compose, `
services:
  web:
    environment:
      SECRET_KEY: x
+      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}
      SECRET_KEY: y
`},
	{"a tab behind a value", "compose.yaml", compose, "services:\n  web:\n    environment:\n      SECRET_KEY: x\t# c\n+      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}\n"},
	{"the line ends of Windows", "compose.yaml", compose, "services:\r\n  web:\r\n    environment:\r\n      SECRET_KEY: >\r\n        x\r\n+      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}\r\n      A: b\r\n"},
	{"no last line end", "compose.yaml", compose, "services:\n  web:\n    environment:\n    - SECRET_KEY=x{+\n    - JWT_SECRET_KEY=${JWT_SECRET_KEY:?}+}"},
	{"letters of several bytes", "compose.yaml", compose, "services: {wéb: {environment: {Ä: 'ü', SECRET_KEY: x{+, JWT_SECRET_KEY: \"${JWT_SECRET_KEY:?}\"+}}}}\n"},
	{"a byte order mark", "compose.yaml", compose, "\ufeffservices:\n  web:\n    environment:\n      SECRET_KEY: x\n"},
	{"the line ends of old", "compose.yaml", compose, "services:\r  web:\r    environment:\r      SECRET_KEY: x\r"},
	{"no YAML", "compose.yaml", compose, "services:\n  web:\n    environment: [\n      SECRET_KEY: x\n"},
	{"a template", "compose.yaml", compose, "services:\n  web:\n    environment:\n{% if debug %}\n      SECRET_KEY: x\n{% endif %}\n"},
	{"a script", "compose.yaml", compose, "services:\n  web:\n    environment:\n      START: |\n        SECRET_KEY: x\n        run\n"},
	{"documents", ".github/workflows/a.yml", ci, `
env:
  SECRET_KEY: x
  JWT_SECRET_KEY: y
---
env:
  SECRET_KEY: x
+  JWT_SECRET_KEY: THROWAWAY
`},
	{"a workflow, a job and a step", ".github/workflows/a.yml", ci, `
jobs:
  a:
    env: { SECRET_KEY: "x y"{+, JWT_SECRET_KEY: "THROWAWAY"+} }
  b:
    steps:
      - run: pytest
        env:
          SECRET_KEY: ${{ secrets.SECRET_KEY }}
+          JWT_SECRET_KEY: ${{ secrets.JWT_SECRET_KEY }}
  c:
    strategy:
      matrix:
        SECRET_KEY: [a, b]
        include:
          - env: {SECRET_KEY: x}
  d:
    uses: ./.github/workflows/b.yml
    secrets:
      SECRET_KEY: ${{ secrets.SECRET_KEY }}
  e:
    steps:
      - uses: docker/build-push-action@v6
        with:
          build-args: |
            SECRET_KEY=${{ secrets.SECRET_KEY }}
          secrets: |
            SECRET_KEY=${{ secrets.SECRET_KEY }}
      - run: |
          export SECRET_KEY=x
          pytest
`},
	{"GitLab", ".gitlab-ci.yml", ci, `
.base: &base
  variables:
    SECRET_KEY:
      value: x
      description: Django's
test:
  <<: *base
  script:
    - export SECRET_KEY=x && pytest
    - >
      SECRET_KEY=x
      pytest
`},
	{"Travis, a matrix", ".travis.yml", ci, "env:\n  - SECRET_KEY=x DJANGO=5\n  - SECRET_KEY=x\n"},
	{"Travis, for all", ".travis.yml", ci, "env:\n  global:\n    - SECRET_KEY=x\n+    - JWT_SECRET_KEY=THROWAWAY\n    - SECRET_KEY=x A=b\n"},
	{"CircleCI", ".circleci/config.yml", ci, `
jobs:
  test:
    docker:
      - image: cimg/python:3.12
        environment:
          - SECRET_KEY: x
+            JWT_SECRET_KEY: THROWAWAY
    environment: {SECRET_KEY: << parameters.key >>}
`},
	{"a chart's values", "chart/values.yaml", ci, "env:\n  SECRET_KEY: x\n"},
	{"Render, a literal", "render.yaml", ci, "services:\n- type: web\n  envVars:\n  - key: SECRET_KEY\n    value: x\n"},
	{"App Engine", "app.yaml", ci, "env_variables:\n  SECRET_KEY: x\n"},
	{"Azure, a list", "azure-pipelines.yml", ci, "variables:\n- name: SECRET_KEY\n  value: x\n"},
	{"a manifest with an anchor", "k8s/d.yaml", kubernetes, "env:\n- name: SECRET_KEY\n  valueFrom: &from\n    secretKeyRef: {name: a, key: SECRET_KEY}\n- name: OTHER\n  valueFrom: *from\n"},
	{"a manifest that is JSON", "k8s/d.yaml", kubernetes, `{"env": [{"name": "SECRET_KEY", "valueFrom": {"secretKeyRef": {"name": "a", "key": "SECRET_KEY"}}}]}`},
	{"a ConfigMap", "k8s/c.yaml", kubernetes, "kind: ConfigMap\ndata:\n  SECRET_KEY: x\n  .env: |\n    SECRET_KEY=x\n"},
	{"kustomize", "kustomization.yaml", kubernetes, "secretGenerator:\n- name: a\n  literals:\n  - SECRET_KEY=x\n"},
	{"pytest in TOML", "pyproject.toml", ci, "[tool.pytest.ini_options]\nenv = [\n    \"D:SECRET_KEY=x\",  # c\n+    \"D:JWT_SECRET_KEY=THROWAWAY\",\n    \"A=b\",\n]\n"},
	{"pytest in TOML, with spaces", "pyproject.toml", ci, "[tool.pytest.ini_options]\nenv = [\n  \"SECRET_KEY = x\",\n+  \"JWT_SECRET_KEY = THROWAWAY\",\n]\n"},
	{"a list on one line in TOML", "pyproject.toml", ci, "[tool.pytest.ini_options]\nenv = [\"SECRET_KEY=x\", \"A=b\"]\n"},
	{"a table in TOML", "pyproject.toml", ci, "[tool.pytest_env]\nSECRET_KEY = 'x'\n+JWT_SECRET_KEY = 'THROWAWAY'\n"},
	{"a value of several lines in TOML", "pyproject.toml", ci, "[tool.pytest_env]\nSECRET_KEY = '''\nx'''\n[tool.tox]\nlegacy_tox_ini = \"\"\"\n[testenv]\nsetenv =\n    SECRET_KEY = x\n\"\"\"\n"},
	{"no TOML", "pyproject.toml", ci, "[tool.pytest_env\nSECRET_KEY = 'x'\n"},
	{"a value of several lines in an INI file", "tox.ini", ci, "[a]\nSECRET_KEY = x\n  y\n[testenv]\nsetenv =\n    A = b\n    SECRET_KEY = x\n+    JWT_SECRET_KEY = THROWAWAY\n"},
	{"pytest in an INI file", "setup.cfg", ci, "[tool:pytest]\nenv =\n\tA=\n\tD:SECRET_KEY=x\n+\tD:JWT_SECRET_KEY=THROWAWAY\n"},
	{"no INI file", "tox.ini", ci, "SECRET_KEY = x\n[a]\n"},
	{"a reference in an INI file", "tox.ini", ci, "[testenv]\nsetenv =\n    SECRET_KEY = {env:SECRET_KEY:x}\n"},
	{"a Jenkinsfile", "Jenkinsfile", ci, "environment {\n  SECRET_KEY = 'x'\n}\n"},
	{"a Procfile", "Procfile", ci, "web: SECRET_KEY=x gunicorn\n"},
	{"fly.toml", "fly.toml", ci, "[env]\n  SECRET_KEY = \"x\"\n"},
	{"app.json", "app.json", ci, "{\"env\": {\n  \"SECRET_KEY\": \"x\"\n}}\n"},
	{"an example of several lines", ".env.example", sample, "A=b\nSECRET_KEY=\"x\ny\"\n"},
	{"inside a value of an example", ".env.example", sample, "A=\"\nSECRET_KEY=x\n\"\n"},
	{"an example that is a comment", ".env.example", sample, "# SECRET_KEY=x\n+# JWT_SECRET_KEY=REQUIRED-make-one-with-keysplit\nA=b\n"},
	{"an example of references", ".env.tpl", sample, "SECRET_KEY={{ op://a/b/c }}\nA=b\n"},
	{"JSON in a document", "README.md", docs, "    {\n      \"SECRET_KEY\": \"x\",\n    }\n"},
}

func TestShapes(t *testing.T) {
	t.Parallel()
	for _, c := range shapes {
		t.Run(c.name, func(t *testing.T) {
			text := strings.ReplaceAll(strings.TrimPrefix(c.text, "\n"), "THROWAWAY", throwaway)
			var before, after strings.Builder
			for l := range strings.Lines(text) {
				if added, ok := strings.CutPrefix(l, "+"); ok && !strings.HasPrefix(added, "}") {
					after.WriteString(added)
					continue
				}
				before.WriteString(l)
				after.WriteString(l)
			}
			was, want := before.String(), after.String()
			for {
				head, rest, found := strings.Cut(was, "{+")
				if !found {
					break
				}
				_, tail, _ := strings.Cut(rest, "+}")
				was = head + tail
			}
			want = strings.NewReplacer("{+", "", "+}", "").Replace(want)
			got := was
			if e := wordsOf(steps.GuideNames).edit(finding.New(c.code, "").At(c.file, 0), []byte(was)); e != nil {
				got = string(e.data)
			}
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
