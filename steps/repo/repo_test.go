package repo

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// inImage is short for the key that a RUN makes.
var inImage = regexp.MustCompile(`MAKE\((.*?)\)`)

// edits are files, and the same files after the proposal; "" where there is none.
var edits = []struct {
	name, file, before, after string
	code                      finding.Code
}{
	{"an example", ".env.example", "DEBUG=True\nSECRET_KEY=change-me  # Django's\nDB=x\n", "DEBUG=True\nSECRET_KEY=change-me  # Django's\nJWT_SECRET_KEY=" + Placeholder + "\nDB=x\n", "example-missing-key"},
	{"an example, quoted", ".env.template", "SECRET_KEY='x'\r\nDB=x\r\n", "SECRET_KEY='x'\r\nJWT_SECRET_KEY='" + Placeholder + "'\r\nDB=x\r\n", "example-missing-key"},
	{"an example, empty", ".env.sample", "SECRET_KEY=", "SECRET_KEY=\nJWT_SECRET_KEY=\n", "example-missing-key"},
	{"an example, exported", "app.env.dist", "export SECRET_KEY=x\n", "export SECRET_KEY=x\nexport JWT_SECRET_KEY=" + Placeholder + "\n", "example-missing-key"},
	{"a document", "README.md", "Set it:\n\n    SECRET_KEY=your-key\n\nthen run.\n", "Set it:\n\n    SECRET_KEY=your-key\n    JWT_SECRET_KEY=" + Placeholder + "\n\nthen run.\n", "docs-missing-key"},
	{"a document, exported", "README.md", "    export SECRET_KEY=your-key  # any\n", "    export SECRET_KEY=your-key  # any\n    export JWT_SECRET_KEY=" + Placeholder + "\n", "docs-missing-key"},
	{"a document, exported after a prompt", "README.md", "$ export SECRET_KEY='your key'\n", "$ export SECRET_KEY='your key'\n$ export JWT_SECRET_KEY=" + Placeholder + "\n", "docs-missing-key"},
	{"a document, made", "README.md", "export SECRET_KEY=$(openssl rand -hex 32)\n", "export SECRET_KEY=$(openssl rand -hex 32)\nexport JWT_SECRET_KEY=" + made + "\n", "docs-missing-key"},
	{"a document, a reference", "README.md", "export SECRET_KEY=\"${OTHER}\"\n", "export SECRET_KEY=\"${OTHER}\"\nexport JWT_SECRET_KEY=" + made + "\n", "docs-missing-key"},
	{"a document, compose", "README.md", "  - SECRET_KEY=${SECRET_KEY}\n", "  - SECRET_KEY=${SECRET_KEY}\n  - JWT_SECRET_KEY=${JWT_SECRET_KEY}\n", "docs-missing-key"},
	{"a document, GitHub", "README.md", "  SECRET_KEY: ${{ secrets.A }}\n", "  SECRET_KEY: ${{ secrets.A }}\n  JWT_SECRET_KEY: ${{ secrets.JWT_SECRET_KEY }}\n", "docs-missing-key"},
	{"a document, two on a line", "README.md", "export SECRET_KEY=x && ./run\n", "", "docs-missing-key"},
	{"a document, before a command", "README.md", "SECRET_KEY=x ./run\n", "", "docs-missing-key"},
	{"a document, an image", "README.md", "    ENV SECRET_KEY=build\n", "", "docs-missing-key"},
	{"a document, a table", "README.md", "| `SECRET_KEY` | any |\n", "", "docs-missing-key"},
	{"an example, made", ".env.example", "SECRET_KEY=$(openssl rand -hex 32)\n", "SECRET_KEY=$(openssl rand -hex 32)\nJWT_SECRET_KEY=" + Placeholder + "\n", "example-missing-key"},
	{"a document that only speaks", "notes.md", "The SECRET_KEY: it signs sessions.\n", "", "docs-missing-key"},
	{"GitHub, a secret", ".github/workflows/ci.yml", "env:\n  SECRET_KEY: ${{ secrets.DJANGO_SECRET_KEY }}  # d\n  A: b\n", "env:\n  SECRET_KEY: ${{ secrets.DJANGO_SECRET_KEY }}  # d\n  JWT_SECRET_KEY: ${{ secrets.JWT_SECRET_KEY }}\n  A: b\n", "ci-missing-key"},
	{"GitHub, a test value", ".github/workflows/ci.yml", "      env:\n        SECRET_KEY: \"test\"\n", "      env:\n        SECRET_KEY: \"test\"\n        JWT_SECRET_KEY: \"" + throwaway + "\"\n", "ci-missing-key"},
	{"two jobs", ".github/workflows/ci.yml", "a:\n  env:\n    SECRET_KEY: x\nb:\n    env:\n        SECRET_KEY: y\n", "a:\n  env:\n    SECRET_KEY: x\n    JWT_SECRET_KEY: " + throwaway + "\nb:\n    env:\n        SECRET_KEY: y\n        JWT_SECRET_KEY: " + throwaway + "\n", "ci-missing-key"},
	{"GitLab", ".gitlab-ci.yml", "variables:\n  SECRET_KEY: $DJANGO_KEY\n", "variables:\n  SECRET_KEY: $DJANGO_KEY\n  JWT_SECRET_KEY: ${JWT_SECRET_KEY}\n", "ci-missing-key"},
	{"Azure", "azure-pipelines.yml", "variables:\n  SECRET_KEY: $(djangoKey)\n", "variables:\n  SECRET_KEY: $(djangoKey)\n  JWT_SECRET_KEY: $(JWT_SECRET_KEY)\n", "ci-missing-key"},
	{"a script", ".gitlab-ci.yml", "script:\n  - export SECRET_KEY=test\n  - pytest\n", "script:\n  - export SECRET_KEY=test\n  - export JWT_SECRET_KEY=" + made + "\n  - pytest\n", "ci-missing-key"},
	{"a script, a reference", "bitbucket-pipelines.yml", "script:\n  - export SECRET_KEY=$KEY\n", "script:\n  - export SECRET_KEY=$KEY\n  - export JWT_SECRET_KEY=${JWT_SECRET_KEY:?}\n", "ci-missing-key"},
	{"before a command", ".github/workflows/ci.yml", "  - run: |\n      SECRET_KEY=x pytest\n", "", "ci-missing-key"},
	{"Dockerfile, ENV", "Dockerfile", "FROM x\nENV SECRET_KEY=build\nRUN y\n", "", "ci-missing-key"},
	{"Dockerfile, ENV of an ARG", "web.dockerfile", "ARG SECRET_KEY=build\nENV SECRET_KEY=${SECRET_KEY}\n", "", "ci-missing-key"},
	{"Dockerfile, ENV on two lines", "Dockerfile", "ENV A=b \\\n    SECRET_KEY=build\n", "", "ci-missing-key"},
	{"Dockerfile, with a suffix", "Dockerfile.prod", "ENV SECRET_KEY build\n", "", "ci-missing-key"},
	{"Dockerfile, in a RUN", "Dockerfile", "RUN SECRET_KEY=build python manage.py collectstatic\n", "RUN MAKE(python)SECRET_KEY=build python manage.py collectstatic\n", "ci-missing-key"},
	{"Dockerfile, ENV and a RUN", "Dockerfile", "ENV SECRET_KEY=build\nRUN --mount=type=cache,target=/x cd app && \\\n    poetry run python3 manage.py collectstatic --noinput && \\\n    echo done\nRUN python manage.py check || true\nCMD python manage.py runserver\n",
		"ENV SECRET_KEY=build\nRUN --mount=type=cache,target=/x cd app && \\\n    MAKE(poetry run python3)poetry run python3 manage.py collectstatic --noinput && \\\n    echo done\nRUN python manage.py check || true\nCMD python manage.py runserver\n", "ci-missing-key"},
	{"Dockerfile, two RUNs", "Dockerfile", "RUN SECRET_KEY=x /venv/bin/python manage.py compilemessages\nRUN [\"python\", \"manage.py\", \"check\"]\nRUN SECRET_KEY=y JWT_SECRET_KEY=z python manage.py check\n",
		"RUN MAKE(/venv/bin/python)SECRET_KEY=x /venv/bin/python manage.py compilemessages\nRUN [\"python\", \"manage.py\", \"check\"]\nRUN SECRET_KEY=y JWT_SECRET_KEY=z python manage.py check\n", "ci-missing-key"},
	{"Dockerfile, goes on", "Dockerfile", "ENV SECRET_KEY=build \\\n  A=b\n", "", "ci-missing-key"},
	{"tox", "tox.ini", "[testenv]\nsetenv =\n    SECRET_KEY = x\n", "[testenv]\nsetenv =\n    SECRET_KEY = x\n    JWT_SECRET_KEY = " + throwaway + "\n", "ci-missing-key"},
	{"Render", "render.yaml", "    envVars:\n      - key: SECRET_KEY\n        generateValue: true\n      - key: A\n", "    envVars:\n      - key: SECRET_KEY\n        generateValue: true\n      - key: JWT_SECRET_KEY\n        generateValue: true\n      - key: A\n", "ci-missing-key"},
	{"app.json", "app.json", "{\"env\": {\n  \"SECRET_KEY\": {\n    \"generator\": \"secret\"\n  }\n}}\n", "", "ci-missing-key"},
	{"pytest.ini", "pytest.ini", "[pytest]\nenv =\n    SECRET_KEY=x\n", "[pytest]\nenv =\n    SECRET_KEY=x\n    JWT_SECRET_KEY=" + throwaway + "\n", "ci-missing-key"},
	{"Terraform", "main.tf", "env = {\n  SECRET_KEY = var.key\n}\n", "", "ci-missing-key"},
	{"systemd", "web.service", "[Service]\nEnvironment=SECRET_KEY=x\n", "", "ci-missing-key"},
	{"fly.toml", "fly.toml", "[env]\n  SECRET_KEY = \"x\"\n", "", "ci-missing-key"},
	{"compose, a list", "docker-compose.yml", "services:\n  web:\n    environment:\n      - SECRET_KEY=${SECRET_KEY}\n      - A=b\n", "services:\n  web:\n    environment:\n      - SECRET_KEY=${SECRET_KEY}\n      - JWT_SECRET_KEY=${JWT_SECRET_KEY:?}\n      - A=b\n", "compose-missing-key"},
	{"compose, a mapping", "docker-compose.yml", "services:\n  web:\n    environment:\n      SECRET_KEY: x\n", "services:\n  web:\n    environment:\n      SECRET_KEY: x\n      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}\n", "compose-missing-key"},
	{"compose, passed through", "compose.yaml", "services:\n  web:\n    environment:\n      - SECRET_KEY\n", "services:\n  web:\n    environment:\n      - SECRET_KEY\n      - JWT_SECRET_KEY=${JWT_SECRET_KEY:?}\n", "compose-missing-key"},
	{"compose, a comment", "compose.yaml", "#   SECRET_KEY: x\n", "", "compose-missing-key"},
	{"a deployment", "k8s/deployment.yaml", "env:\n  - name: SECRET_KEY\n    valueFrom:\n      secretKeyRef:\n        name: backend-secrets\n        key: secret-key\n  - name: A\n    value: b\n",
		"env:\n  - name: SECRET_KEY\n    valueFrom:\n      secretKeyRef:\n        name: backend-secrets\n        key: secret-key\n  - name: JWT_SECRET_KEY\n    valueFrom:\n      secretKeyRef:\n        name: backend-secrets\n        key: jwt-secret-key\n  - name: A\n    value: b\n", "kubernetes-missing-key"},
	{"a deployment, flow style", "k8s/deployment.yaml", "env:\n  - name: SECRET_KEY\n    valueFrom:\n      secretKeyRef: {name: backend-secrets, key: secret-key}\n",
		"env:\n  - name: SECRET_KEY\n    valueFrom:\n      secretKeyRef: {name: backend-secrets, key: secret-key}\n  - name: JWT_SECRET_KEY\n    valueFrom:\n      secretKeyRef: {name: backend-secrets, key: jwt-secret-key}\n", "kubernetes-missing-key"},
	{"a deployment, flow style with quotes", "k8s/deployment.yaml", "env:\n- name: \"SECRET_KEY\" # s\n  valueFrom: { secretKeyRef: { \"key\": \"SECRET_KEY\", name: 'b' } } # t\n",
		"env:\n- name: \"SECRET_KEY\" # s\n  valueFrom: { secretKeyRef: { \"key\": \"SECRET_KEY\", name: 'b' } } # t\n- name: \"JWT_SECRET_KEY\"\n  valueFrom: { secretKeyRef: { \"key\": \"JWT_SECRET_KEY\", name: 'b' } }\n", "kubernetes-missing-key"},
	{"a deployment on one line", "k8s/deployment.yaml", "env:\n- {name: SECRET_KEY, valueFrom: {secretKeyRef: {name: b, key: SECRET_KEY}}}\n",
		"env:\n- {name: SECRET_KEY, valueFrom: {secretKeyRef: {name: b, key: SECRET_KEY}}}\n- {name: JWT_SECRET_KEY, valueFrom: {secretKeyRef: {name: b, key: JWT_SECRET_KEY}}}\n", "kubernetes-missing-key"},
	{"a deployment, block style with quotes", "k8s/deployment.yaml", "env:\n- name: 'SECRET_KEY'\n  valueFrom:\n    # ours\n    secretKeyRef:\n      key: \"secret_key\"\n      name: \"b\"\n\n      optional: false\n",
		"env:\n- name: 'SECRET_KEY'\n  valueFrom:\n    # ours\n    secretKeyRef:\n      key: \"secret_key\"\n      name: \"b\"\n\n      optional: false\n- name: 'JWT_SECRET_KEY'\n  valueFrom:\n    secretKeyRef:\n      key: \"jwt_secret_key\"\n      name: \"b\"\n      optional: false\n", "kubernetes-missing-key"},
	{"a deployment with a key of no sure name", "k8s/deployment.yaml", "- name: SECRET_KEY\n  valueFrom:\n    secretKeyRef: {name: b, key: django}\n", "", "kubernetes-missing-key"},
	{"a deployment with a template for a key", "k8s/deployment.yaml", "- name: SECRET_KEY\n  valueFrom:\n    secretKeyRef:\n      name: b\n      key: {{ .Values.key }}\n", "", "kubernetes-missing-key"},
	{"a deployment without a key", "k8s/deployment.yaml", "- name: SECRET_KEY\n  valueFrom:\n    secretKeyRef:\n      name: b\n", "", "kubernetes-missing-key"},
	{"a deployment of another name", "k8s/deployment.yaml", "- name: SECRET_KEY_BASE\n  valueFrom: {secretKeyRef: {name: b, key: secret-key}}\n", "", "kubernetes-missing-key"},
	{"a deployment with a literal", "k8s/deployment.yaml", "env:\n  - name: SECRET_KEY\n    value: x\n", "", "kubernetes-missing-key"},
	{"a Secret", "k8s/secret.yaml", "stringData:\n  SECRET_KEY: x\n", "", "kubernetes-missing-key"},
	{".gitignore", "backend/.env", "*.pyc", "*.pyc\n/backend/.env\n", "env-file-not-ignored"},
}

func TestProposalsOnlyInsertLines(t *testing.T) {
	t.Parallel()
	for _, e := range edits {
		t.Run(e.name, func(t *testing.T) {
			run := stepstest.NewRun(t, "", nil)
			file := e.file
			if e.code == "env-file-not-ignored" {
				file = ".gitignore"
			}
			path := filepath.Join(run.Project.TopLevel, filepath.FromSlash(file))
			e.after = inImage.ReplaceAllString(e.after, `JWT_SECRET_KEY="$$($1 -c 'import secrets; print(secrets.token_urlsafe(64))')" `)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(e.before), 0o640); err != nil {
				t.Fatal(err)
			}
			p, ok := propose(t, run, finding.New(e.code, "").At(e.file, 1))
			if ok != (e.after != "") {
				t.Fatalf("a proposal: %t, %+v", ok, p.Diff)
			}
			if !ok {
				return
			}
			if err := write(t, run, p); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(path)
			if err != nil || string(got) != e.after {
				t.Errorf("got\n%s\nwant\n%s", got, e.after)
			}
			added := strings.Split(strings.ReplaceAll(e.after, "\r\n", "\n"), "\n")
			for _, d := range p.Diff {
				if d.Op == "+" && (d.Line < 1 || Shown(added[d.Line-1]) != d.Text) {
					t.Errorf("the diff says line %d is %q", d.Line, d.Text)
				}
			}
			if e.code == "env-file-not-ignored" {
				if p, again := propose(t, run, finding.New(e.code, "").At(e.file, 1)); again {
					t.Errorf("proposed again: %+v", p.Diff)
				}
			}
			for _, in := range run.Journal.Applied() {
				if _, err := run.Journal.Revert(t.Context(), in, false); err != nil {
					t.Fatal(err)
				}
			}
			if got, _ := os.ReadFile(path); string(got) != e.before {
				t.Error("a rollback does not bring it back to the byte")
			}
		})
	}
}

// What is proposed must not be taken for a real key later.
func TestPlaceholdersAreRefusedAsKeys(t *testing.T) {
	t.Parallel()
	for _, value := range []string{Placeholder, throwaway} {
		if codes := steps.JudgeKey(secret.NewFingerprinter(nil).Secret(value)); len(codes) == 0 || codes[0] != "jwt-key-placeholder" {
			t.Errorf("%s is judged %v", value, codes)
		}
	}
	if len(throwaway) < steps.MinKeyLength {
		t.Error("the backend would refuse the value for tests")
	}
}

// git agrees that the proposed line ignores the file.
func TestTheProposedLineIgnoresTheFile(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: git is missing")
	}
	run := stepstest.NewRun(t, "", nil)
	top := run.Project.TopLevel
	if out, err := exec.Command("git", "-C", top, "init", "-q").CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	for _, file := range []string{".env", "a b/.env", "we[i]rd*/#.env", "!x.env"} {
		// There is none, and afterwards none is left of it.
		p, ok := propose(t, run, finding.New("env-file-not-ignored", "").At(file, 0))
		if !ok {
			t.Fatal(file)
		}
		if err := write(t, run, p); err != nil {
			t.Fatal(err)
		}
		if err := exec.Command("git", "-C", top, "check-ignore", "-q", "--", file).Run(); err != nil {
			t.Errorf("git does not ignore %q", file)
		}
		for _, in := range run.Journal.Applied() {
			if _, err := run.Journal.Revert(t.Context(), in, false); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(filepath.Join(top, ".gitignore")); err == nil {
			t.Error("a rollback leaves it")
		}
	}
}

// What a proposal cannot fix in a file is not lost with what it does.
func TestWhatIsLeftOfAFileIsSaid(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	path := filepath.Join(run.Project.TopLevel, ".gitlab-ci.yml")
	if err := os.WriteFile(path, []byte("a:\n  variables:\n    SECRET_KEY: x\n    JWT_SECRET_KEY: y\nb:\n  variables:\n    SECRET_KEY: x\nc:\n  variables: {SECRET_KEY: }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, ok := propose(t, run, finding.New("ci-missing-key", "").At(".gitlab-ci.yml", 7))
	if why := p.Why.Rendered(); !ok || steps.Extent(p.Was, p.Is, 0) != "1 line added" || !strings.HasSuffix(why, "Line 10 is left for you.") {
		t.Errorf("%v, %s", ok, why)
	}
}

// propose is the plan's edit for one finding, switched on.
func propose(t *testing.T, run *steps.Run, f finding.Finding) (e steps.Edit, ok bool) {
	t.Helper()
	d, err := steps.Draw(t.Context(), run, Makers, []finding.Finding{f})
	if err != nil || len(d.Edits) == 0 {
		return e, false
	}
	e = d.Edits[0]
	e.On = true
	return e, true
}

func write(t *testing.T, run *steps.Run, e steps.Edit) error {
	t.Helper()
	return run.WriteEdits(t.Context(), []steps.Edit{e}, func(steps.Event) {})
}

// Where code comes by a commit, an edit is shown and not made.
func TestElsewhereAnEditIsShown(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	run.Options.Environment, run.Options.Fix = "staging", true
	if err := os.WriteFile(filepath.Join(run.Project.TopLevel, ".env.example"), []byte("SECRET_KEY=x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := steps.Draw(t.Context(), run, Makers, []finding.Finding{finding.New(sample, "").At(".env.example", 1)})
	if err != nil || len(d.Edits) != 1 || d.Edits[0].On || d.Edits[0].ByHand.Empty() {
		t.Errorf("%d edits, %v", len(d.Edits), err)
	}
}

// A line around an edit may hold a secret.
func TestShownMasksWhatMayBeASecret(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"      SECRET_KEY: abc":                 "      SECRET_KEY: ••••",
		"  - DB_PASSWORD=abc":                   "  - DB_PASSWORD=••••",
		"DATABASE_URL=postgres://me:abc@db/x":   "DATABASE_URL=postgres://me:••••@db/x",
		"JWT_SECRET_KEY=${JWT_SECRET_KEY:?}":    "JWT_SECRET_KEY=${JWT_SECRET_KEY:?}",
		"SECRET_KEY: ${{ secrets.SECRET_KEY }}": "SECRET_KEY: ${{ secrets.SECRET_KEY }}",
		"services:":                             "services:",
		"JWT_SECRET_KEY=" + Placeholder:         "JWT_SECRET_KEY=" + Placeholder,
	} {
		if got := Shown(line); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}
