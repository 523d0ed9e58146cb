//go:build linux

package restart

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// dockerProgram is what runs in the container of the test: it says which key it
// was started with, by its first characters of "ok", and waits; with FAIL set it
// prints the key, as a careless program would, and ends.
const dockerProgram = `package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	if os.Getenv("FAIL") != "" {
		fmt.Println("cannot start with", os.Getenv("JWT_SECRET_KEY"))
		os.Exit(3)
	}
	time.Sleep(time.Hour)
}
`

// realDocker reports whether a Docker engine and docker-compose are here. Without
// them the test is skipped, loudly, unless KEYSPLIT_REQUIRE_DOCKER is set.
func realDocker(t *testing.T) {
	t.Helper()
	why := ""
	if err := exec.Command("docker", "info").Run(); err != nil {
		why = "no Docker engine answers"
	} else if exec.Command("docker", "compose", "version").Run() != nil && exec.Command("docker-compose", "version").Run() != nil {
		why = "there is no compose"
	}
	if why == "" {
		return
	}
	if os.Getenv("KEYSPLIT_REQUIRE_DOCKER") != "" {
		t.Fatal(why + ", and KEYSPLIT_REQUIRE_DOCKER is set")
	}
	t.Skip("SKIPPED: " + why + "; the real Docker was not tested")
}

// dockerWorld is a world whose folder has an image that runs dockerProgram, and a compose
// that works.
type dockerWorld struct {
	*world
	compose []string // the words that call it
	image   string
}

func newDockerWorld(t *testing.T) dockerWorld {
	t.Helper()
	realDocker(t)
	// Another run of this test may use the same engine.
	d := dockerWorld{newWorld(t), []string{"docker", "compose"}, "keysplit-test-" + strconv.Itoa(os.Getpid())}
	t.Setenv("COMPOSE_PROJECT_NAME", d.image)
	d.run.Project.TopLevel = d.run.Project.Root
	d.run.Options.Timeout = 60 * time.Second
	if exec.Command("docker", "compose", "version", "--short").Run() != nil {
		d.compose = []string{"docker-compose"}
	}
	t.Logf("with %s", strings.Join(d.compose, " "))
	if os.Getenv("KEYSPLIT_REQUIRE_COMPOSE") == "2" && len(d.compose) == 1 {
		t.Fatal("this is not compose 2")
	}
	d.write("main.go", dockerProgram)
	d.write("go.mod", "module wait\n\ngo 1.25\n")
	d.write("Dockerfile", "FROM scratch\nCOPY wait /wait\nENTRYPOINT [\"/wait\"]\n")
	d.write(".dockerignore", ".env\n")
	d.command("go", "build", "-o", "wait", ".")
	d.command("docker", "build", "-q", "-t", d.image, ".")
	t.Cleanup(func() {
		for _, c := range [][]string{append(d.compose[:len(d.compose):len(d.compose)], "down", "-t", "1"), {"docker", "image", "rm", "-f", d.image}} {
			cmd := exec.Command(c[0], c[1:]...)
			cmd.Dir = d.run.Project.Root
			_ = cmd.Run()
		}
	})
	return d
}

func (d dockerWorld) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.run.Project.Root, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d dockerWorld) command(words ...string) string {
	d.t.Helper()
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = d.run.Project.Root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		d.t.Fatalf("%v: %v\n%s", words, err, out)
	}
	return string(out)
}

func (d dockerWorld) composes(args ...string) string {
	d.t.Helper()
	return d.command(append(d.compose[:len(d.compose):len(d.compose)], args...)...)
}

// has reports whether the containers of a service were given a key.
func (d dockerWorld) has(service, key string) bool {
	d.t.Helper()
	ids := strings.Fields(d.composes("ps", "--quiet", service))
	if len(ids) == 0 {
		d.t.Fatal("no container")
	}
	return strings.Contains(d.command(append([]string{"docker", "inspect", "--format", "{{.Config.Env}}"}, ids...)...), key)
}

// With the real thing: a plain restart keeps the old key, ours brings the new one,
// and a service that ends is told with its log, without the key in it.
func TestTheRealDockerCompose(t *testing.T) {
	d := newDockerWorld(t)
	old, key := newKey(), d.run.Key.Reveal()
	d.run.Options.Restart = by(t, "compose:web")
	file := "version: '3'\nservices:\n  web:\n    build: .\n    image: " + d.image + "\n    network_mode: none\n    env_file: .env\n"
	d.write("docker-compose.yml", file)
	d.write(".env", "JWT_SECRET_KEY="+old+"\n")
	d.composes("up", "-d", "--no-build", "web")
	d.write(".env", "JWT_SECRET_KEY="+key+"\n")
	d.composes("restart", "-t", "1", "web")
	if !d.has("web", old) {
		t.Error("a plain restart took the new key: the fact that this way rests on has changed")
	}
	said, found, err := restarted(t, d.world)
	if err != nil || !strings.Contains(said, "recreated web") {
		t.Fatalf("error %v, %v\n%s", err, found, said)
	}
	if d.has("web", old) || !d.has("web", key) {
		t.Error("the container does not have the new key")
	}
	d.write("docker-compose.yml", file+"    environment:\n      FAIL: '1'\n")
	said, found, err = restarted(t, d.world)
	if err == nil || !finding.Has(found, "restart-failed") || !strings.Contains(said, "cannot start with") || strings.Contains(said, key) {
		t.Errorf("a service that ends: error %v, %v\n%s", err, found, said)
	}
}

// With the real thing, and a worker that gets the key from the same file: what a command
// or compose restarted is looked at, and what has another key is a finding.
func TestTheRealDockerWorker(t *testing.T) {
	d := newDockerWorld(t)
	old, key := newKey(), d.run.Key.Reveal()
	service := "    image: " + d.image + "\n    network_mode: none\n    env_file: .env\n"
	d.write("docker-compose.yml", "version: '3'\nservices:\n  backend:\n"+service+"  worker:\n"+service)
	d.write(".env", "JWT_SECRET_KEY="+old+"\n")
	d.composes("up", "-d", "--no-build")
	d.write(".env", "JWT_SECRET_KEY="+key+"\n")
	d.run.Targets = []steps.Target{target(t, "compose:docker-compose.yml#backend")}
	d.run.Options.Timeout = 5 * time.Second // what is stale stays so
	call := strings.Join(d.compose, " ")
	for _, c := range []struct{ restart, stale string }{
		{"command:" + call + " restart -t 1 backend", "backend, worker"},
		{"command:" + call + " restart -t 1", "backend, worker"},
		{"command:" + call + " up -d -t 1 --no-build --force-recreate backend", "worker"},
		{"compose:backend", "worker"},
		{"none", "worker"},
		{"command:" + call + " up -d -t 1 --no-build --force-recreate", ""},
		{"compose:backend,worker", ""},
	} {
		d.run.Options.Restart = by(t, c.restart)
		said, found, err := restarted(t, d.world)
		fails := c.stale != "" && c.restart != "none"
		if (err != nil) != fails || finding.Has(found, finding.ServerStaleKey) != (c.stale != "") {
			t.Fatalf("%s: %v, %+v\n%s", c.restart, err, found, said)
		}
		if c.stale != "" && (!strings.Contains(found[0].Message.Rendered(), "The containers of "+c.stale+" run") || !strings.HasSuffix(found[0].Fix.Rendered(), "backend,worker")) {
			t.Errorf("%s: %s %s", c.restart, found[0].Message.Rendered(), found[0].Fix.Rendered())
		}
	}
	if !d.has("worker", key) || d.has("worker", old) || !d.has("backend", key) {
		t.Error("the containers do not have the new key")
	}
}
