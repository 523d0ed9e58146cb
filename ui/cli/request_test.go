//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest/djangotest"
)

func TestTheConfigurationIsWrittenOnRequest(t *testing.T) {
	p := djangotest.New(t, djangotest.Options{})
	state := filepath.Join(t.TempDir(), "state")
	conf := filepath.Join(p.Root, "keysplit.toml")
	do := func(args ...string) ran {
		return invocation{args: append(args, "--python", p.Python), dir: p.Root}.run(t, state)
	}
	if r := do("upgrade", "--yes", "--skip", "restart,smoke-test"); r.code != 0 {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	if _, err := os.Stat(conf); err == nil {
		t.Fatal("it was written unasked")
	}
	r := do("upgrade", "--yes", "--skip", "restart,smoke-test", "--write-config", "--url", "https://shop.example.com")
	if r.code != 0 || !strings.Contains(r.out, "keysplit.toml") {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	text := read(t, conf)
	noneOf(t, text, p.Key, p.SecretKey)
	if !strings.Contains(text, `url = "https://shop.example.com"`) || !strings.Contains(text, "login = ") {
		t.Errorf("%s", text)
	}
	if r := do("check"); r.code != 0 {
		t.Errorf("with it: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	// Whoever wrote it has agreed to its address; another one is a question.
	if r := do("upgrade", "--yes", "--skip", "restart,smoke-test"); r.code != 0 {
		t.Errorf("with it: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	if err := os.WriteFile(conf, []byte(strings.Replace(text, "shop.example", "evil.example", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := do("upgrade", "--yes", "--skip", "restart,smoke-test"); r.code != 2 || !strings.Contains(r.errOut, "--url https://evil.example.com") {
		t.Errorf("changed: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
}

func TestUpgradeEditsTheRestOnRequest(t *testing.T) {
	p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"})
	state := filepath.Join(t.TempDir(), "state")
	example := filepath.Join(p.Root, "compose.yaml")
	const before = "services:\n  web:\n    environment:\n      - SECRET_KEY=${SECRET_KEY}\n"
	if err := os.WriteFile(example, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	do := func(args ...string) ran {
		return invocation{args: append(args, "--python", p.Python), dir: p.Root}.run(t, state)
	}
	start := read(t, p.EnvPath)
	if r := do("upgrade", "--yes", "--skip", "restart,smoke-test"); r.code != 0 || read(t, example) != before {
		t.Fatalf("without --fix: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	if r := do("rollback", "--yes", "--restart", "none"); r.code != 0 {
		t.Fatal(r.out)
	}
	r := do("upgrade", "--yes", "--fix", "--skip", "restart,smoke-test")
	if r.code != 0 || read(t, example) != before+"      - JWT_SECRET_KEY=${JWT_SECRET_KEY:?}\n" || !strings.Contains(r.out, "Edited compose.yaml: 1 line added") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	// One upgrade, one way back.
	if r := do("rollback", "--yes", "--restart", "none"); r.code != 0 || read(t, example) != before || read(t, p.EnvPath) != start {
		t.Errorf("rollback: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
}
