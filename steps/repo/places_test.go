package repo

import (
	"testing"

	"dj/keysplit/steps"
)

// Each job, service and container needs the key, and one of them that has it does
// not stand for the others.
func TestWhereTheKeyIsLacking(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, text string
		lacks      int
	}{
		"one job":                              {"ci.yml", "env:\n  SECRET_KEY: x\n", 2},
		"one job, both":                        {"ci.yml", "env:\n  JWT_SECRET_KEY: y\n  A: b\n  SECRET_KEY: x\n", 0},
		"another job":                          {"ci.yml", "jobs:\n  a:\n    env:\n      SECRET_KEY: x\n      JWT_SECRET_KEY: y\n  b:\n    env:\n      SECRET_KEY: x\n", 8},
		"another job, flow style":              {"ci.yml", "jobs:\n  a:\n    env:\n      SECRET_KEY: x\n      JWT_SECRET_KEY: y\n  b:\n    env: {SECRET_KEY: x}\n", 7},
		"flow style, both":                     {"ci.yml", "jobs:\n  b:\n    env: {SECRET_KEY: x, JWT_SECRET_KEY: y}\n", 0},
		"a command in another job":             {"ci.yml", "jobs:\n  a:\n    env:\n      SECRET_KEY: x\n      JWT_SECRET_KEY: y\n  b:\n    steps:\n      - run: docker run -e SECRET_KEY=x web\n", 8},
		"a command, goes on":                   {"ci.yml", "steps:\n  - run: |\n      docker run -e SECRET_KEY=x \\\n        -e JWT_SECRET_KEY=y web\n", 0},
		"two lines of a script":                {"ci.yml", "steps:\n  - run: |\n      export SECRET_KEY=x\n      pip install y\n      export JWT_SECRET_KEY=y\n", 0},
		"another step":                         {"ci.yml", "steps:\n  - run: |\n      export JWT_SECRET_KEY=y\n      pytest\n  - run: |\n      export SECRET_KEY=x\n", 6},
		"env of the workflow":                  {"ci.yml", "env:\n  JWT_SECRET_KEY: y\njobs:\n  a:\n    steps:\n      - env:\n          SECRET_KEY: x\n", 0},
		"env of the job":                       {"ci.yml", "jobs:\n  a:\n    env:\n      JWT_SECRET_KEY: y\n    steps:\n    - run: pytest\n      env:\n        SECRET_KEY: x\n", 0},
		"env of another job":                   {"ci.yml", "jobs:\n  a:\n    env:\n      JWT_SECRET_KEY: y\n  b:\n    steps:\n    - env:\n        SECRET_KEY: x\n", 8},
		"a comment":                            {"ci.yml", "env:\n  SECRET_KEY: x\n  # JWT_SECRET_KEY: y\n", 2},
		"a comment between":                    {"ci.yml", "    env:\n      SECRET_KEY: x\n# none of them real\n\n      JWT_SECRET_KEY: y\n", 0},
		"for the steps that follow":            {"ci.yml", "steps:\n  - run: echo JWT_SECRET_KEY=y >> $GITHUB_ENV\n  - env:\n      SECRET_KEY: x\n", 0},
		"for what is beside the steps":         {"ci.yml", "jobs:\n  a:\n    env:\n      SECRET_KEY: x\n    steps:\n      - run: echo JWT_SECRET_KEY=y >> $GITHUB_ENV\n", 0},
		"a file, in two steps":                 {"ci.yml", "steps:\n  - run: echo SECRET_KEY=x >> .env\n  - run: echo JWT_SECRET_KEY=y >> .env\n", 0},
		"both in one text":                     {"ci.yml", "steps:\n  - run: printf 'SECRET_KEY=%s\\nJWT_SECRET_KEY=%s\\n' x y > .env\n", 0},
		"an action that writes both":           {"ci.yml", "steps:\n  - with:\n      envkey_SECRET_KEY: x\n      envkey_JWT_SECRET_KEY: y\n", 0},
		"GitLab":                               {"ci.yml", "variables:\n  JWT_SECRET_KEY: y\ntest:\n  script:\n    - export SECRET_KEY=x\n", 0},
		"GitLab, extends":                      {"ci.yml", ".all:\n  variables:\n    JWT_SECRET_KEY: y\ntest:\n  extends: .all\n  variables:\n    SECRET_KEY: x\n", 0},
		"compose, another service":             {"compose.yaml", "services:\n  web:\n    environment:\n      - SECRET_KEY=x\n  worker:\n    environment:\n      - SECRET_KEY=x\n      - JWT_SECRET_KEY=y\n", 4},
		"GitLab, extends one without":          {"ci.yml", ".a:\n  variables:\n    A: b\n.b:\n  variables:\n    JWT_SECRET_KEY: y\ntest:\n  extends: [.a]\n  variables:\n    SECRET_KEY: x\n", 10},
		"GitLab, extends several":              {"ci.yml", ".a:\n  variables:\n    A: b\n.b:\n  extends: .c\n.c:\n  variables:\n    JWT_SECRET_KEY: y\n    SECRET_KEY: x\ntest:\n  extends: [.a, .b]\n  variables:\n    SECRET_KEY: x\n", 0},
		"GitLab, extends what is not here":     {"ci.yml", "a:\n  variables:\n    JWT_SECRET_KEY: y\ntest:\n  extends: .elsewhere\n  variables:\n    SECRET_KEY: x\n", 0},
		"GitLab, extends in a circle":          {"ci.yml", "a:\n  extends: b\n  variables: {SECRET_KEY: x}\nb:\n  extends: a\n  variables: {SECRET_KEY: x}\nc:\n  variables: {JWT_SECRET_KEY: y}\n", 3},
		"compose, extends":                     {"compose.yaml", "services:\n  web:\n    environment: {SECRET_KEY: x, JWT_SECRET_KEY: y}\n  worker:\n    extends: {service: web}\n    environment: {SECRET_KEY: x}\n", 0},
		"compose, extends one without":         {"compose.yaml", "services:\n  web:\n    environment: {SECRET_KEY: x, JWT_SECRET_KEY: y}\n  base:\n    image: a\n  worker:\n    extends: base\n    environment: {SECRET_KEY: x}\n", 8},
		"compose, extends a file":              {"compose.yaml", "services:\n  web:\n    environment: {JWT_SECRET_KEY: y}\n  worker:\n    extends: {file: a.yml, service: web}\n    environment: {SECRET_KEY: x}\n", 0},
		"compose, an alias for something else": {"compose.yaml", "x-l: &l {driver: local}\nservices:\n  web:\n    logging: *l\n    environment: {SECRET_KEY: x, JWT_SECRET_KEY: y}\n  worker:\n    logging: *l\n    environment:\n      SECRET_KEY: x\n", 9},
		"compose, an env_file may have it":     {"compose.yaml", "services:\n  web:\n    env_file: [a.env]\n    environment: {SECRET_KEY: x}\n", 0},
		"compose, another's env_file":          {"compose.yaml", "services:\n  db:\n    env_file: a.env\n  web:\n    environment: {SECRET_KEY: x}\n", 5},
		"compose, a value that names it":       {"compose.yaml", "services:\n  web:\n    environment:\n      PASSWORD: ${SECRET_KEY:-x}\n", 0},
		"compose, build arguments":             {"compose.yaml", "services:\n  web:\n    build:\n      args: {SECRET_KEY: x}\n", 0},
		"compose, does not parse":              {"compose.yaml", "services:\n  web:\n    environment:\n      SECRET_KEY:\n      JWT_SECRET_KEY=${JWT_SECRET_KEY:?}\n      A: b\n", 4},
		"a template":                           {"d.yaml", "containers:\n{{- range .Values.x }}\n- name: {{ .name }}\n  env:\n  - name: SECRET_KEY\n    value: {{ .Values.key }}\n- name: b\n  env:\n  - name: SECRET_KEY\n  - name: JWT_SECRET_KEY\n{{- end }}\n", 5},
		"a template that takes more in":        {"d.yaml", "env:\n{{ include \"x\" . }}\n- name: SECRET_KEY\n---\nenv:\n- name: JWT_SECRET_KEY\n", 0},
		"compose, merged":                      {"compose.yaml", "x-all: &all\n  JWT_SECRET_KEY: y\nservices:\n  web:\n    environment:\n      <<: *all\n      SECRET_KEY: x\n", 0},
		"compose, an alias":                    {"compose.yaml", "x-all: &all\n  SECRET_KEY: x\n  JWT_SECRET_KEY: y\nservices:\n  web:\n    environment: *all\n", 0},
		"containers":                           {"d.yaml", "containers:\n- name: web\n  env:\n  - name: SECRET_KEY\n    value: x\n- name: worker\n  env:\n  - name: SECRET_KEY\n    value: x\n  - name: JWT_SECRET_KEY\n    value: y\n", 4},
		"containers, both":                     {"d.yaml", "containers:\n- name: web\n  env:\n  - name: JWT_SECRET_KEY\n    value: y\n  - name: SECRET_KEY\n    value: x\n", 0},
		"the name comes second":                {"d.yaml", "env:\n- valueFrom: {secretKeyRef: {name: a, key: b}}\n  name: SECRET_KEY\n- valueFrom: {secretKeyRef: {name: a, key: c}}\n  name: JWT_SECRET_KEY\n", 0},
		"documents":                            {"d.yaml", "kind: Secret\nstringData:\n  SECRET_KEY: x\n  JWT_SECRET_KEY: y\n---\nkind: Pod\nenv:\n- name: SECRET_KEY\n", 8},
		"documents, at the top":                {"d.yaml", "JWT_SECRET_KEY: y\n---\nSECRET_KEY: x\n", 3},
		"a whole Secret":                       {"d.yaml", "kind: Secret\nstringData:\n  JWT_SECRET_KEY: y\n---\nkind: Pod\nenvFrom:\n- secretRef: {name: a}\nenv:\n- name: SECRET_KEY\n", 0},
		"no YAML":                              {"tox.ini", "[a]\nsetenv =\n  SECRET_KEY = x\n[b]\nsetenv =\n  JWT_SECRET_KEY = y\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Read(steps.GuideNames, true, c.file, []byte(c.text), nil).Lacks(); got != c.lacks {
				t.Errorf("line %d lacks the key, not line %d:\n%s", got, c.lacks, c.text)
			}
		})
	}
}
