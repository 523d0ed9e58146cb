package write

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// composeBench writes a compose file, and env files with SECRET_KEY in each.
func composeBench(t *testing.T, yaml string, environ map[string]string, envFiles ...string) *steps.Run {
	t.Helper()
	run := withKey(stepstest.NewRun(t, "SECRET_KEY=x\n", environ))
	for name, content := range map[string]string{"docker-compose.yml": yaml} {
		if err := os.WriteFile(filepath.Join(run.Project.Root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range envFiles {
		if err := os.WriteFile(filepath.Join(run.Project.Root, name), []byte("SECRET_KEY=x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return run
}

func TestComposeWritesWhatTheServiceReads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		yaml string
		spec string // after compose:docker-compose.yml
		file string // that gets the key
	}{
		"interpolated list":    {"services:\n  web:\n    env_file: .env.docker\n    environment:\n      - SECRET_KEY=${SECRET_KEY}\n      - JWT_SECRET_KEY=${JWT_SECRET_KEY}\n", "", ".env"},
		"interpolated mapping": {"services:\n  web:\n    environment:\n      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}\n", "", ".env"},
		"passed through":       {"services:\n  web:\n    environment:\n      - JWT_SECRET_KEY\n", "", ".env"},
		"no value":             {"services:\n  web:\n    environment:\n      JWT_SECRET_KEY:\n", "", ".env"},
		"env_file":             {"services:\n  web:\n    env_file: .env.docker\n  db:\n    image: postgres\n", "#web", ".env.docker"},
		"the last env_file":    {"services:\n  web:\n    env_file:\n      - .env\n      - path: .env.docker\n        required: true\n", "", ".env.docker"},
		"the one that reads":   {"services:\n  web:\n    environment: {SECRET_KEY: x}\n    env_file: .env.docker\n  db:\n    image: postgres\n", "", ".env.docker"},
	} {
		t.Run(name, func(t *testing.T) {
			run := composeBench(t, c.yaml, nil, ".env.docker")
			targets, err := Targets([]string{"compose:docker-compose.yml" + c.spec})
			if err != nil {
				t.Fatal(err)
			}
			run.Targets = targets
			if err := run.Home().Look(context.Background()); err != nil || run.Held[0].Key.Set() || !run.Held[0].SecretKey.Set() {
				t.Fatalf("look: %v", err)
			}
			if run.Home().Here() != (c.file == ".env") {
				t.Errorf("only the .env here is the backend's own: %t", run.Home().Here())
			}
			if said, err := bring(run, targets[0]); err != nil || !strings.Contains(said, "Service: web") {
				t.Fatalf("%s, %v", said, err)
			}
			for _, file := range []string{".env", ".env.docker"} {
				b, err := os.ReadFile(filepath.Join(run.Project.Root, file))
				if err != nil {
					t.Fatal(err)
				}
				if has := strings.Contains(string(b), "JWT_SECRET_KEY="+run.Key.Reveal()+"\n"); has != (file == c.file) {
					t.Errorf("%s has the key: %t", file, has)
				}
			}
		})
	}
}

// A file that the service reads and keysplit cannot is no place without a key.
func TestAServiceWhoseFileCannotBeRead(t *testing.T) {
	t.Parallel()
	for reads, unread := range map[string]string{
		"env_file: .env.docker": ".env.docker", "env_file: [.env.docker, .env]": ".env.docker", "environment: [\"JWT_SECRET_KEY=${JWT_SECRET_KEY}\"]": ".env",
	} {
		run := composeBench(t, "services:\n  web:\n    "+reads+"\n", nil)
		path := filepath.Join(run.Project.Root, unread)
		if err := errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o700)); err != nil {
			t.Fatal(err)
		}
		targets, err := Targets([]string{"compose:docker-compose.yml"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := targets[0].Look(t.Context(), run); err == nil {
			t.Errorf("%s: a folder was read as a file", reads)
		}
	}
}

// What a container has beside the key, this machine does not know.
func TestTheVariablesOfAContainer(t *testing.T) {
	t.Parallel()
	run := composeBench(t, "services:\n  web:\n    environment: [\"JWT_SECRET_KEY=${JWT_SECRET_KEY}\"]\n", nil)
	targets, err := Targets([]string{"compose:docker-compose.yml"})
	if err != nil {
		t.Fatal(err)
	}
	run.Targets = targets
	if said, err := bring(run, targets[0]); err != nil {
		t.Fatal(said, err)
	}
	l := targets[0].(interface {
		Variables(*steps.Run) (map[string]string, bool)
	})
	if vars, known := l.Variables(run); known || vars != nil {
		t.Errorf("outside of it %d variables are known", len(vars))
	}
	run.Project.PythonArgs = []string{"exec", "web"}
	if vars, known := l.Variables(run); !known || len(vars) != 1 || vars["JWT_SECRET_KEY"] != run.Key.Reveal() {
		t.Errorf("in it %d variables are known, %t", len(vars), known)
	}
}

// bomb is a small file whose aliases make a large environment.
func bomb() string {
	text := "a0: &a0 {A: x}\n"
	for i := range 20 {
		text += fmt.Sprintf("a%d: &a%d {A: *a%d, B: *a%d, C: *a%d}\n", i+1, i+1, i, i, i)
	}
	return text + "services:\n  web:\n    environment: *a20\n"
}

// What a service merges counts for it, and what it says itself goes before that.
func TestComposeMergesAsYAMLDoes(t *testing.T) {
	t.Parallel()
	const web = "  web: &web\n    image: shop\n    env_file: .env.web\n    logging: &logging {driver: local}\n"
	for name, c := range map[string]struct{ yaml, service, file string }{
		"above":                 {"services:\n" + web + "  worker:\n    <<: *web\n    image: worker\n", "worker", ".env.web"},
		"below":                 {"services:\n" + web + "  worker:\n    image: worker\n    <<: *web\n", "worker", ".env.web"},
		"overridden, above":     {"services:\n" + web + "  worker:\n    <<: *web\n    env_file: .env.worker\n", "worker", ".env.worker"},
		"overridden, below":     {"services:\n" + web + "  worker:\n    env_file: .env.worker\n    <<: *web\n", "worker", ".env.worker"},
		"several, the first":    {"x-a: &a {env_file: .env.web}\nx-b: &b {env_file: .env.worker}\nservices:\n  worker:\n    <<: [*a, *b]\n", "worker", ".env.web"},
		"an environment":        {"x-env: &env {JWT_SECRET_KEY: '${JWT_SECRET_KEY:?}'}\nservices:\n  worker:\n    env_file: .env.worker\n    environment:\n      A: b\n      <<: *env\n", "worker", ".env"},
		"an alias":              {"x-env: &env {JWT_SECRET_KEY: '${JWT_SECRET_KEY:?}'}\nservices:\n  worker:\n    env_file: .env.worker\n    environment: *env\n", "worker", ".env"},
		"for something else":    {"services:\n" + web + "  worker:\n    env_file: .env.worker\n    logging: *logging\n", "worker", ".env.worker"},
		"more than a few":       {"x-l: &l {driver: local}\nservices:\n  worker: {env_file: .env.worker}\n" + many(150), "worker", ".env.worker"},
		"merged into something": {"x-a: &a {env_file: .env.web}\nx-b: &b {<<: *a}\nservices:\n  worker:\n    <<: *b\n", "worker", ".env.web"},
	} {
		t.Run(name, func(t *testing.T) {
			run := composeBench(t, c.yaml, nil, ".env.web", ".env.worker")
			targets, _ := Targets([]string{"compose:docker-compose.yml#" + c.service})
			run.Options.Static = true // what is here reads it, and no docker
			if err := targets[0].(*located).Find(t.Context(), run); err != nil || run.Project.Rel(targets[0].File(run)) != c.file {
				t.Errorf("%s, %v, want %s", targets[0].File(run), err, c.file)
			}
		})
	}
}

func many(n int) (services string) {
	for i := range n {
		services += fmt.Sprintf("  s%d: {logging: *l}\n", i)
	}
	return services
}

// Of several env_file the one that has SECRET_KEY gets the key, and all are read for the comparison.
func TestComposeWithSeveralEnvFiles(t *testing.T) {
	t.Parallel()
	secret := stepstest.Key()
	for name, c := range map[string]struct {
		django, postgres string // what the two hold
		files            string // env_file
		file             string // that gets the key
		compared         bool   // SECRET_KEY is seen
	}{
		"the database's last":    {"SECRET_KEY=" + secret, "POSTGRES_PASSWORD=x", "[.django, .postgres]", ".django", true},
		"the database's first":   {"SECRET_KEY=" + secret, "POSTGRES_PASSWORD=x", "[.postgres, .django]", ".django", true},
		"long form":              {"SECRET_KEY=" + secret, "POSTGRES_PASSWORD=x", "[{path: .django, required: true}, {path: ./.postgres, required: false}]", ".django", true},
		"one that need not be":   {"SECRET_KEY=" + secret, "POSTGRES_PASSWORD=x", "[{path: .django}, {path: local/.env, required: false}]", ".django", true},
		"in none":                {"DEBUG=0", "POSTGRES_PASSWORD=x", "[.django, .postgres]", ".django", false},
		"the key is in the last": {"SECRET_KEY=" + secret, "JWT_SECRET_KEY=old", "[.django, .postgres]", ".postgres", true},
		"in both":                {"SECRET_KEY=other", "SECRET_KEY=" + secret, "[.django, .postgres]", ".postgres", true},
	} {
		t.Run(name, func(t *testing.T) {
			run := composeBench(t, "services:\n  web:\n    env_file: "+c.files+"\n", nil)
			run.Options.Static = true
			for file, text := range map[string]string{".django": c.django, ".postgres": c.postgres} {
				if err := os.WriteFile(filepath.Join(run.Project.Root, file), []byte(text+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			targets, _ := Targets([]string{"compose:docker-compose.yml"})
			run.Targets = targets
			if err := run.Home().Look(t.Context()); err != nil {
				t.Fatal(err)
			}
			if run.Project.Rel(targets[0].File(run)) != c.file {
				t.Errorf("the key goes into %s, not %s", targets[0].File(run), c.file)
			}
			if got := run.Held[0].SecretKey; got.Set() != c.compared || c.compared && !got.Equal(run.Secret(secret)) {
				t.Errorf("SECRET_KEY is seen: %t", got.Set())
			}
		})
	}
	// What stands in environment goes before every env_file.
	for environment, compared := range map[string]bool{"{SECRET_KEY: '" + secret + "'}": true, "['SECRET_KEY=${SECRET_KEY}']": true, "[SECRET_KEY]": true, "{A: b}": false} {
		run := composeBench(t, "services:\n  web:\n    env_file: .django\n    environment: "+environment+"\n", nil)
		run.Options.Static = true
		for file, text := range map[string]string{".django": "SECRET_KEY=other\n", ".env": "SECRET_KEY=" + secret + "\n"} {
			if err := os.WriteFile(filepath.Join(run.Project.Root, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		run.Targets, _ = Targets([]string{"compose:docker-compose.yml"})
		if err := run.Home().Look(t.Context()); err != nil || run.Held[0].SecretKey.Equal(run.Secret(secret)) != compared {
			t.Errorf("%s: compared with %v, %v", environment, run.Held, err)
		}
	}
}

func TestComposeFilesThatHideTheKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		yaml    string
		environ map[string]string
		code    finding.Code
	}{
		"a literal":           {"services:\n  web:\n    environment:\n      JWT_SECRET_KEY: " + stepstest.Key() + "\n", nil, "key-committed-elsewhere"},
		"nothing":             {"services:\n  web:\n    env_file: .env.docker\n    environment:\n      - JWT_SECRET_KEY=\n", nil, "jwt-key-shadowed"},
		"set in this shell":   {"services:\n  web:\n    environment:\n      - JWT_SECRET_KEY=${JWT_SECRET_KEY}\n", map[string]string{"JWT_SECRET_KEY": "x"}, "jwt-key-shadowed"},
		"neither":             {"services:\n  web:\n    image: shop\n", nil, "compose-missing-key"},
		"another variable":    {"services:\n  web:\n    environment:\n      JWT_SECRET_KEY: ${STAGING_JWT_KEY}\n", nil, "compose-missing-key"},
		"a part of it":        {"services:\n  web:\n    environment:\n      JWT_SECRET_KEY: x${STAGING_JWT_KEY:-y}\n", nil, "compose-missing-key"},
		"a dollar of its own": {"services:\n  web:\n    environment:\n      JWT_SECRET_KEY: a$$b\n", nil, "key-committed-elsewhere"},
		"extends":             {"services:\n  web:\n    extends: {file: base.yml, service: web}\n    env_file: .env.docker\n", nil, "place-not-found"},
		"a variable path":     {"services:\n  web:\n    env_file: ${WHICH}.env\n", nil, "place-not-found"},
		"no YAML":             {"services: [", nil, "place-not-found"},
		"no services":         {"version: '3'\n", nil, "place-not-found"},
		"a bomb":              {bomb(), nil, "place-not-found"},
		"a name twice":        {"services:\n  web:\n    env_file: .env.docker\n    environment: {A: x}\n    environment: {A: x}\n", nil, "place-not-found"},
		"a variable after it": {"services:\n  web:\n    env_file: [.env.docker, '${WHICH}.env']\n", nil, "place-not-found"},
	} {
		t.Run(name, func(t *testing.T) {
			run := composeBench(t, c.yaml, c.environ, ".env.docker")
			targets, err := Targets([]string{"compose:docker-compose.yml"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = targets[0].Plan(context.Background(), run)
			if f := wantCode(t, err, c.code); f.Fix.Empty() || strings.Contains(f.Message.Rendered(), "STAGING") && strings.Contains(f.Message.Rendered(), "itself") {
				t.Errorf("finding %+v", f)
			}
		})
	}
	run := composeBench(t, "include: [other.yml]\nservices:\n  web: {}\n", nil)
	targets, _ := Targets([]string{"compose:docker-compose.yml#api"})
	if _, err := targets[0].Plan(context.Background(), run); !errors.Is(err, steps.ErrUsage) || !strings.Contains(err.Error(), "includes") {
		t.Errorf("a service that is included: %v", err)
	}
	run = composeBench(t, "include: [other.yml]\n", nil)
	if err := os.WriteFile(filepath.Join(run.Project.Root, "compose.override.yml"), []byte("services:\n  web: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := targets[0].Plan(context.Background(), run); !errors.Is(err, steps.ErrUsage) || !strings.Contains(err.Error(), "includes") {
		t.Errorf("a service that is included, with an override: %v", err)
	}
	run = composeBench(t, "services:\n  web: {}\n  worker: {}\n", nil)
	for _, spec := range []string{"compose:docker-compose.yml", "compose:docker-compose.yml#api"} {
		targets, _ := Targets([]string{spec})
		if _, err := targets[0].Plan(context.Background(), run); !errors.Is(err, steps.ErrUsage) || !strings.Contains(err.Error(), "web, worker") {
			t.Errorf("%s: error %v", spec, err)
		}
	}
}

// An override file counts as docker compose counts it: beside a file with a usual
// name, and over it.
func TestComposeOverrides(t *testing.T) {
	t.Parallel()
	stepstest.NewTool(t, "docker", "echo \"unknown shorthand flag: 'f' in -f\" >&2; exit 125") // version 1 and older versions 2
	base := "services:\n  web:\n    env_file: .env.docker\n"
	for name, c := range map[string]struct {
		override, yaml string
		file           string
	}{
		"an env_file": {"compose.override.yaml", "services:\n  web:\n    env_file: [.env.local]\n", ".env.local"},
		"an entry":    {"docker-compose.override.yml", "services:\n  web:\n    environment: {JWT_SECRET_KEY: '${JWT_SECRET_KEY:?}'}\n", ".env"},
		"another one": {"docker-compose.override.yml", "services:\n  db:\n    image: postgres\n", ".env.docker"},
		"none":        {"docker-compose.prod.yml", "services:\n  web:\n    env_file: .env.local\n", ".env.docker"},
	} {
		t.Run(name, func(t *testing.T) {
			run := composeBench(t, base, nil, ".env.docker", ".env.local")
			if err := os.WriteFile(filepath.Join(run.Project.Root, c.override), []byte(c.yaml), 0o600); err != nil {
				t.Fatal(err)
			}
			targets, _ := Targets([]string{"compose:docker-compose.yml#web"})
			if err := targets[0].(*located).Find(t.Context(), run); err != nil || run.Project.Rel(targets[0].File(run)) != c.file {
				t.Errorf("%s, %v, want %s", targets[0].File(run), err, c.file)
			}
		})
	}
}

// Docker Compose, where it has the flags that print no value, follows what a file
// extends and includes.
func TestComposeItselfIsAsked(t *testing.T) {
	t.Parallel()
	docker := stepstest.NewTool(t, "docker", `case "$*" in
*"config --no-interpolate --no-env-resolution") printf 'name: shop\nservices:\n  web:\n    env_file:\n      - path: %s/.env.docker\n        required: true\n    environment:\n      DEBUG: null\n' "$PWD" ;;
*) exit 9 ;;
esac`)
	run := composeBench(t, "include: [other.yml]\n", map[string]string{"JWT_SECRET_KEY": "of this shell"}, ".env.docker")
	if err := os.WriteFile(filepath.Join(run.Project.Root, "compose.override.yml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	targets, _ := Targets([]string{"compose:docker-compose.yml#web"})
	run.Targets = targets
	said, err := bring(run, targets[0])
	if err != nil || !strings.Contains(said, "as docker compose config says") || run.Project.Rel(targets[0].File(run)) != ".env.docker" {
		t.Fatalf("%s, %v", said, err)
	}
	if argv := docker.Argv(); !strings.Contains(argv, "compose.override.yml") || strings.Contains(docker.Environ(), "JWT_SECRET_KEY=") {
		t.Errorf("called with %s", argv)
	}
	run.Options.Static = true
	again, _ := Targets([]string{"compose:docker-compose.yml#web"})
	if err := again[0].(*located).Find(t.Context(), run); err == nil {
		t.Error("a static look started docker")
	}
}
