package repo

import (
	"testing"

	"dj/keysplit/steps"
)

// What gives SECRET_KEY a value is told from what only speaks of it, in each kind of file.
func TestWhatSetsSecretKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, text string
		line       int // that sets it, 0 for none
	}{
		// development containers
		"devcontainer":          {".devcontainer/devcontainer.json", "{\n  // SECRET_KEY: for the session\n  \"containerEnv\": {\n    \"SECRET_KEY\": \"dev\"\n  }\n}\n", 4},
		"devcontainer, host's":  {".devcontainer/devcontainer.json", "{\n  \"remoteEnv\": { \"DEBUG\": \"1\", \"SECRET_KEY\": \"${localEnv:SECRET_KEY}\" }\n}\n", 2},
		"devcontainer, a build": {".devcontainer/devcontainer.json", "{\"runArgs\": [\"-e\", \"SECRET_KEY=x\"]}\n", 1},
		"devcontainer, a note":  {".devcontainer/devcontainer.json", "{\"name\": \"needs SECRET_KEY\"}\n", 0},
		"editor":                {".vscode/launch.json", "{\"env\": {\n\"SECRET_KEY\": \"x\"}}\n", 2},
		// Elastic Beanstalk
		"Beanstalk":            {".ebextensions/django.config", "option_settings:\n  aws:elasticbeanstalk:application:environment:\n    SECRET_KEY: x\n", 3},
		"Beanstalk, a list":    {"api/.ebextensions/01.config", "option_settings:\n  - namespace: aws:elasticbeanstalk:application:environment\n    option_name: SECRET_KEY\n    value: x\n", 3},
		"Beanstalk, a command": {".ebextensions/01.config", "container_commands:\n  01_static:\n    command: \"SECRET_KEY=x python manage.py collectstatic\"\n", 3},
		"Beanstalk, a message": {".ebextensions/01.config", "container_commands:\n  01_check:\n    command: \"echo SECRET_KEY is read from SSM\"\n", 0},
		// process managers
		"supervisord":               {"supervisord.conf", "[program:web]\ncommand=gunicorn\nenvironment=DEBUG=\"0\",SECRET_KEY=\"x\"\n", 3},
		"supervisord, several rows": {"etc/web.conf", "[program:web]\nenvironment=\n  DEBUG=\"0\",\n  SECRET_KEY=\"%(ENV_SECRET_KEY)s\"\n", 4},
		"supervisord, a comment":    {"supervisord.conf", "[program:web]\n; environment=SECRET_KEY=\"x\"\n", 0},
		"apache":                    {"site.conf", "<VirtualHost>\n  SetEnv SECRET_KEY x\n", 2},
		"uwsgi":                     {"uwsgi.ini", "[uwsgi]\nenv = SECRET_KEY=x\n", 2},
		"gunicorn":                  {"gunicorn.conf.py", "raw_env = [\n  'SECRET_KEY=x',\n]\n", 2},
		"settings that end in conf": {"settings/20-default.conf", "SECRET_KEY=os.environ['SECRET_KEY']\n", 0},
		// make and others
		"make, a recipe":        {"Makefile", "test:\n\tSECRET_KEY=test pytest\n", 2},
		"make, a variable":      {"Makefile", "SECRET_KEY ?= dev\n", 1},
		"make, exported":        {"Makefile", "export SECRET_KEY := $(shell openssl rand -hex 32)\n", 1},
		"make, a comment":       {"Makefile", "# SECRET_KEY=test make test\ntest:\n\tpytest\n", 0},
		"make, a check":         {"Makefile", "env:\n\t@grep -q SECRET_KEY= .env || echo 'SECRET_KEY is missing'\n", 0},
		"make, a check, then":   {"Makefile", "env:\n\t@grep -q '^SECRET_KEY=' .env || echo \"SECRET_KEY=$$(openssl rand -hex 32)\" >> .env\n", 2},
		"just":                  {"justfile", "export SECRET_KEY := \"dev\"\n", 1},
		"mise":                  {"mise.toml", "[env]\nSECRET_KEY = \"dev\"\n", 2},
		"mise, a table":         {"mise.toml", "env = { DEBUG = \"1\", SECRET_KEY = \"dev\" }\n", 1},
		"tox, passed on":        {"tox.ini", "[testenv]\npass_env = HOME SECRET_KEY\n", 2},
		"tox, a list":           {"tox.ini", "[testenv]\npassenv =\n    HOME\n    SECRET_KEY\n", 4},
		"Terraform, ECS":        {"ecs.tf", "secrets = [\n  { name = \"SECRET_KEY\", valueFrom = aws_x.y.arn },\n]\n", 2},
		"a folder of ECS":       {"aws/backend.json", "{\"secrets\": [{\n\"valueFrom\": \"/a\",\n\"name\": \"SECRET_KEY\"\n}]}\n", 3},
		"Helm's helper":         {"chart/templates/_env.tpl", "{{- define \"web.env\" }}\n- name: SECRET_KEY\n  valueFrom:\n    secretKeyRef:\n      key: SECRET_KEY\n{{- end }}\n", 2},
		"Helm's values":         {"helm/env.d/common.yaml.gotmpl", "backend:\n  envVars:\n    SECRET_KEY: {{ .Values.secretKey }}\n", 3},
		"Ansible's supervisord": {"templates/web.conf.j2", "[program:web]\nenvironment=A='{{ a }}',SECRET_KEY='{{ key }}'\n", 2},
		"Debian's rules":        {"debian/rules", "#!/usr/bin/make -f\nexport SECRET_KEY=\"x\" DEBUG=0\n", 2},
		"Debian's script":       {"debian/postinst", "#!/bin/sh\nsed -i \"s/SECRET_KEY= *\\$/SECRET_KEY=${key}/\" /etc/shop.conf\n", 2},
		"a folder of samples":   {"docs/sample_env_files/production/.django", "A=1\nSECRET_KEY=\n", 2},
		"ECS":                   {"deploy/task-definition.json", "{\"environment\": [\n{\"name\": \"SECRET_KEY\", \"value\": \"x\"}]}\n", 2},
		"a linter's pattern":    {"pyproject.toml", "[tool.detect]\npattern = \"SECRET_KEY=.+\"\n", 0},
		"gitleaks":              {".gitleaks.toml", "[[rules]]\nregex = '''SECRET_KEY=[\"'][^\"']{20,}'''\n", 0},
		// scripts
		"a script":                             {"scripts/dev.sh", "#!/bin/sh\nexport SECRET_KEY=dev\n", 2},
		"a script without an ending":           {"bin/setup", "#!/usr/bin/env bash\nset -e\nSECRET_KEY=$(openssl rand -hex 32) ./manage.py migrate\n", 3},
		"a script that writes a file":          {"setup.sh", "cat > .env <<EOF\nSECRET_KEY=$KEY\nEOF\n", 2},
		"a script that edits a file":           {"setup.sh", "sed -i \"s/SECRET_KEY=.*/SECRET_KEY=$KEY/\" .env\n", 1},
		"a script with a default":              {"start.sh", ": \"${SECRET_KEY:=dev}\"\n", 1},
		"a script that runs a build":           {"build.sh", "docker build --build-arg SECRET_KEY .\n", 1},
		"a script that only checks":            {"start.sh", "if [ -z \"$SECRET_KEY\" ]; then\n  echo \"SECRET_KEY: not set\" >&2; exit 1\nfi\n[ \"$SECRET_KEY\" == x ] || [[ $line =~ SECRET_KEY=(.*) ]]\n", 0},
		"a script that shows":                  {"info.sh", "awk -F= '/SECRET_KEY=/ {print $2}' .env\necho \"The SECRET_KEY of $HOST\"\n", 0},
		"a script that sets another":           {"start.sh", "export AWS_SECRET_KEY=x MY_SECRET_KEY=y\nPASSWORD=${SECRET_KEY:-x}\n", 0},
		"PowerShell":                           {"dev.ps1", "$env:SECRET_KEY = \"dev\"\n", 1},
		"Windows":                              {"dev.bat", "set SECRET_KEY=dev\r\n", 1},
		"an entrypoint of Docker's images":     {"entrypoint.sh", "#!/bin/bash\nfile_env 'SECRET_KEY'\nexec \"$@\"\n", 2},
		"an entrypoint with a function":        {"entrypoint.sh", "#!/bin/sh\nload_secret SECRET_KEY /run/secrets/key\n", 2},
		"a script with a function that writes": {"start.sh", "#!/bin/bash\nupdate_env_value \"SECRET_KEY\" \"${SECRET_KEY:-x}\"\n", 2},
		"a script with a function that warns":  {"deploy.sh", "#!/bin/bash\nerror \"please do: export SECRET_KEY=\\\"$(openssl rand -hex 40)\\\"\"\n", 0},
		"an entrypoint with a loop":            {"entrypoint.sh", "#!/bin/bash\nfor v in DEBUG SECRET_KEY; do\n  export \"$v\"=\"$(cat /run/secrets/$v)\"\ndone\n", 2},
		"an entrypoint that checks in a loop":  {"entrypoint.sh", "#!/bin/bash\nfor v in DEBUG SECRET_KEY; do\n  [ -n \"${!v}\" ] || exit 1\ndone\n", 0},
		"an entrypoint that requires it":       {"entrypoint.sh", "#!/bin/bash\nrequire_env SECRET_KEY\n", 0},
		"a script with dotenv's command":       {"setup.sh", "dotenv -f .env set SECRET_KEY \"$KEY\"\n", 1},
		"a script that writes with spaces":     {"setup.sh", "cat > .env <<EOF\nSECRET_KEY = $KEY\nEOF\n", 2},
		"a script that writes several":         {"setup.sh", "printf 'DEBUG=1\\nSECRET_KEY=%s\\n' \"$KEY\" > .env\n", 1},
		"a script that asks a person":          {"start.sh", "echo \"Please set SECRET_KEY=... in .env\" >&2\n", 0},
		// tests
		"tests":                     {"conftest.py", "import os\nos.environ[\"SECRET_KEY\"] = \"test\"\n", 2},
		"tests, a default":          {"tests/conftest.py", "os.environ.setdefault('SECRET_KEY', 'test')\n", 1},
		"tests, a fixture":          {"conftest.py", "def env(monkeypatch):\n    monkeypatch.setenv(\"SECRET_KEY\", \"x\")\n", 2},
		"tests, several":            {"conftest.py", "os.environ.update({\n    \"DEBUG\": \"1\",\n    \"SECRET_KEY\": \"x\",\n})\n", 3},
		"tests, patched":            {"conftest.py", "with patch.dict(os.environ, {'SECRET_KEY': 'x'}):\n    pass\n", 1},
		"tests, in a comment":       {"conftest.py", "# os.environ[\"SECRET_KEY\"] = \"test\"\n", 0},
		"tests, that read it":       {"conftest.py", "key = os.environ[\"SECRET_KEY\"]\nassert settings.SECRET_KEY == 'x'\n", 0},
		"tests, other settings":     {"conftest.py", "settings.configure(\n    SECRET_KEY=\"x\",\n)\n", 0},
		"tests, not in the mapping": {"conftest.py", "os.environ.update({\n    \"DEBUG\": \"1\",\n})\ndata = {\"SECRET_KEY\": 1}\n", 0},
		"sessions of nox":           {"noxfile.py", "session.run('pytest', env={'SECRET_KEY': 'x'})\n", 1},
		// pipelines
		"a step's name":            {".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - name: Check that SECRET_KEY=x is not committed\n        run: ./check\n", 0},
		"a step of that name":      {".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - name: SECRET_KEY\n        run: ./check\n", 0},
		"a hook's name":            {".pre-commit-config.yaml", "repos:\n  - repo: local\n    hooks:\n      - id: no-key\n        name: no SECRET_KEY= in settings\n        entry: 'SECRET_KEY\\s*=\\s*.django-insecure'\n        language: pygrep\n", 0},
		"a hook that runs Django":  {".pre-commit-config.yaml", "repos:\n  - hooks:\n      - id: check\n        entry: env SECRET_KEY=x python manage.py check\n        language: system\n", 4},
		"a pattern":                {".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - run: |\n          ! grep -rE \"SECRET_KEY=['\\\"]\" .\n", 0},
		"JavaScript":               {".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - uses: actions/github-script@v7\n        with:\n          script: |\n            const env = { SECRET_KEY: 'x' }\n            core.setFailed('SECRET_KEY=x')\n", 0},
		"a message":                {".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - run: echo \"::error::SECRET_KEY is not set\"\n", 0},
		"a condition":              {".github/workflows/ci.yml", "jobs:\n  a:\n    if: ${{ secrets.SECRET_KEY != '' }}\n", 0},
		"a value to others":        {".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - run: echo \"SECRET_KEY=$x\" >> $GITHUB_OUTPUT\n", 0},
		"a value for later steps":  {".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - run: echo \"SECRET_KEY=$x\" >> $GITHUB_ENV\n", 4},
		"a file":                   {".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - run: |\n          printf 'DEBUG=1\\n' > .env\n          echo SECRET_KEY=x >> .env\n", 6},
		"a file, with spaces":      {".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - run: echo SECRET_KEY = x >> .env\n", 4},
		"an action that writes it": {".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - uses: SpicyPizza/create-envfile@v2\n        with:\n          envkey_SECRET_KEY: x\n", 6},
		"a message with a sign":    {".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - run: echo \"Please set SECRET_KEY=... in your secrets\"; exit 1\n", 0},
		"names that are passed":    {".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - uses: x/ssh@v1\n        with:\n          envs: DEBUG,SECRET_KEY\n", 6},
		"JSON in a command":        {".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - run: aws x --environment '{\"SECRET_KEY\":\"x\"}'\n", 4},
		"Ansible":                  {"deploy.yml", "- name: Set the SECRET_KEY\n  lineinfile:\n    path: .env\n    regexp: '^SECRET_KEY='\n    line: SECRET_KEY=x\n", 5},
		"Ansible, a check":         {"deploy.yml", "- name: Check\n  assert:\n    that: \"SECRET_KEY=x\"\n    fail_msg: set SECRET_KEY=...\n", 0},
		// files to be copied
		"an example":                {"env.template", "# SECRET_KEY must be set\nSECRET_KEY=\n", 2},
		"an example of direnv":      {".envrc.example", "export SECRET_KEY=x\n", 1},
		"an example, commented out": {".env.sample", "#SECRET_KEY=x\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Read(steps.GuideNames, !IsSample(c.file), c.file, []byte(c.text), nil).Provides(); got != c.line {
				t.Errorf("line %d, want %d:\n%s", got, c.line, c.text)
			}
		})
	}
}

// A document counts where it explains how to set SECRET_KEY: in a command, a list, a table
// or a sentence. One that only speaks of it does not.
func TestWhatADocumentTells(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"SECRET_KEY=change-me":                                           true,
		"    export SECRET_KEY=\"$(openssl rand -hex 32)\"":              true,
		"`SECRET_KEY = \"...\"`":                                         true,
		"- `SECRET_KEY`: a long random string":                           true,
		"* **SECRET_KEY** - Django's key":                                true,
		"1. `SECRET_KEY` to something secret":                            true,
		"| `SECRET_KEY` | required |":                                    true,
		"| Django's key | `SECRET_KEY` | yes |":                          true,
		"## SECRET_KEY":                                                  true,
		"- `SECRET_KEY`":                                                 true,
		"Set the `SECRET_KEY` environment variable first.":               true,
		"Please generate a new SECRET_KEY and keep it safe.":             true,
		"Then add DATABASE_URL and SECRET_KEY to your .env file":         true,
		"The variable SECRET_KEY must be set.":                           true,
		"`SECRET_KEY` is required in production":                         true,
		"The backend requires `SECRET_KEY` before it can start.":         true,
		"docker run -e SECRET_KEY=x shop":                                true,
		"heroku config:set SECRET_KEY=x":                                 true,
		"```js\nconst SECRET_KEY = process.env.SECRET_KEY\n```":          false,
		"```js\nSECRET_KEY=x\n```":                                       false,
		"```bash\nSECRET_KEY=x\n```":                                     true,
		"```\ncp .env.template .env # set SECRET_KEY\n```":               true,
		"```\n./manage.py check # SECRET_KEY was read\n```":              false,
		"```js\nlet x\n```\nSECRET_KEY=x":                                true,
		"SECRET_KEY = os.environ[\"SECRET_KEY\"]":                        false,
		"SECRET_KEY = config('SECRET_KEY')":                              false,
		"SECRET_KEY = env(\"SECRET_KEY\")":                               false,
		"if SECRET_KEY == 'x':":                                          false,
		"Sessions are signed with SECRET_KEY: a leak is bad.":            false,
		"Never set SECRET_KEY in the code.":                              false,
		"Tokens used to be signed with SECRET_KEY.":                      false,
		"Changing SECRET_KEY ends all sessions.":                         false,
		"Generate a [key](https://x.example/a.html#b) for `SECRET_KEY`.": true,
		"Never [set](https://x.example/a.html) SECRET_KEY in the code.":  false,
		"See settings.SECRET_KEY and AWS_SECRET_KEY=x":                   false,
		"```\nDEBUG\nSECRET_KEY\n```":                                    true,
		"```js\nSECRET_KEY\n```":                                         false,
		"    SECRET_KEY: str = env.secret_key":                           false,
		"    SECRET_KEY: Optional[str] = \"x\"":                          false,
		"    SECRET_KEY: str":                                            false,
		"        SECRET_KEY=\"x\" * 50,":                                 false,
		"'SECRET_KEY': config.secret_key,":                               false,
		"SECRET_KEY: x=y":                                                true,
		"SECRET_KEY = get_random_secret_key()":                           false,
		"- Generate a new SECRET_KEY at each start [#967](x/967)":        false,
		"grep SECRET_KEY= .env":                                          false,
		"matches `SECRET_KEY=.*`":                                        false,
		"https://example.com/?SECRET_KEY=1":                              false,
		"Validation for SECRET_KEY was added.":                           false,
		"<!-- SECRET_KEY=x -->":                                          false,
	} {
		if got := Read(steps.GuideNames, false, "README.md", []byte(text), nil).Provides() > 0; got != want {
			t.Errorf("%v: %s", got, text)
		}
	}
}
