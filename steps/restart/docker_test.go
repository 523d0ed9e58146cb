//go:build linux

package restart

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// With the real thing: a plain restart keeps the old key, ours brings the new one,
// and a service that ends is told with its log, without the key in it.
func TestTheRealDockerCompose(t *testing.T) {
	realDocker(t)
	w := newWorld(t)
	root := w.run.Project.Root
	w.run.Project.TopLevel = root
	w.run.Options.Restart, w.run.Options.Timeout = by(t, "compose:web"), 60*time.Second
	old := newKey()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	write("main.go", dockerProgram)
	write("go.mod", "module wait\n\ngo 1.25\n")
	run("go", "build", "-o", "wait", ".")
	write("Dockerfile", "FROM scratch\nCOPY wait /wait\nENTRYPOINT [\"/wait\"]\n")
	write(".dockerignore", ".env\n")
	file := "version: '3'\nservices:\n  web:\n    build: .\n    image: keysplit-test\n    network_mode: none\n    env_file: .env\n"
	write("docker-compose.yml", file)
	t.Cleanup(func() {
		for _, c := range [][]string{{"docker-compose", "down"}, {"docker", "compose", "down"}, {"docker", "image", "rm", "-f", "keysplit-test"}} {
			cmd := exec.Command(c[0], c[1:]...)
			cmd.Dir = root
			_ = cmd.Run()
		}
	})
	command := []string{"docker", "compose"}
	if exec.Command("docker", "compose", "version", "--short").Run() != nil {
		command = []string{"docker-compose"}
	}
	t.Logf("with %s", strings.Join(command, " "))
	if os.Getenv("KEYSPLIT_REQUIRE_COMPOSE") == "2" && len(command) == 1 {
		t.Fatal("this is not compose 2")
	}
	write(".env", "JWT_SECRET_KEY="+old+"\n")
	run("docker", "build", "-q", "-t", "keysplit-test", ".")
	run(command[0], append(command[1:], "up", "-d", "--no-build", "web")...)
	environment := func() string {
		ids := strings.Fields(run(command[0], append(command[1:], "ps", "--quiet", "web")...))
		if len(ids) == 0 {
			t.Fatal("no container")
		}
		return run("docker", append([]string{"inspect", "--format", "{{.Config.Env}}"}, ids...)...)
	}
	write(".env", "JWT_SECRET_KEY="+w.run.Key.Reveal()+"\n")
	run(command[0], append(command[1:], "restart", "-t", "1", "web")...)
	if !strings.Contains(environment(), old) {
		t.Error("a plain restart took the new key: the fact that this way rests on has changed")
	}
	said, found, err := restarted(t, w)
	if err != nil || !strings.Contains(said, "recreated web") {
		t.Fatalf("error %v, %v\n%s", err, found, said)
	}
	if env := environment(); strings.Contains(env, old) || !strings.Contains(env, w.run.Key.Reveal()) {
		t.Error("the container does not have the new key")
	}
	write("docker-compose.yml", file+"    environment:\n      FAIL: '1'\n")
	said, found, err = restarted(t, w)
	if err == nil || !finding.Has(found, "restart-failed") || !strings.Contains(said, "cannot start with") || strings.Contains(said, w.run.Key.Reveal()) {
		t.Errorf("a service that ends: error %v, %v\n%s", err, found, said)
	}
}
