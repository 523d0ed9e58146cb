//go:build unix

package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckFixEditsAndRollbackTakesItBack(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	before := map[string]string{
		".env.example":      "SECRET_KEY=change-me\n",
		"compose.yaml":      "services:\n  web:\n    environment:\n      - SECRET_KEY=${SECRET_KEY}\n",
		"k8s/secret.yaml":   "apiVersion: v1\nkind: Secret\nstringData:\n  SECRET_KEY: x\n",
		"app/settings.py":   "", // as it is
		"docs/deploying.md": "    SECRET_KEY=your-key\n",
	}
	for name, text := range before {
		if text == "" {
			continue
		}
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errOut := check(t, "--json")
	for _, want := range []string{"example-missing-key", "compose-missing-key", "kubernetes-missing-key", "docs-missing-key"} {
		if !strings.Contains(out, want) {
			t.Errorf("%s was not found: exit %d\n%s%s", want, code, out, errOut)
		}
	}
	for name, text := range before {
		if got, _ := os.ReadFile(filepath.Join(root, name)); text != "" && string(got) != text {
			t.Errorf("a check without --fix changed %s", name)
		}
	}
	code, out, errOut = check(t, "--fix")
	if code != 0 || !strings.Contains(out, "Edited .env.example: 1 line added") || !strings.Contains(out, "kubernetes-missing-key") || strings.Contains(out, "compose-missing-key") {
		t.Fatalf("exit %d\n%s%s", code, out, errOut)
	}
	got, err := os.ReadFile(filepath.Join(root, "compose.yaml"))
	if err != nil || !strings.HasSuffix(string(got), "      - JWT_SECRET_KEY=${JWT_SECRET_KEY:?}\n") {
		t.Errorf("%s, %v", got, err)
	}
	if _, out, _ := check(t, "--json"); strings.Contains(out, "compose-missing-key") || !strings.Contains(out, "kubernetes-missing-key") {
		t.Errorf("afterwards:\n%s", out)
	}
	var o bytes.Buffer
	if code := Main([]string{"rollback", "--yes", "--restart", "none"}, IO{In: strings.NewReader(""), Out: &o, Err: &o}); code != 0 {
		t.Fatalf("rollback: exit %d\n%s", code, o.String())
	}
	for name, text := range before {
		if got, _ := os.ReadFile(filepath.Join(root, name)); text != "" && string(got) != text {
			t.Errorf("after the rollback %s is %q", name, got)
		}
	}
}
