//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/sandbox/djangotest"
)

// elsewhere is a project whose .env holds the good keys of development, and files
// of other environments beside it.
func elsewhere(t *testing.T, files map[string]string) (root, key string) {
	t.Helper()
	root, _ = staticProject(t)
	t.Chdir(root)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root, keyOf(t, filepath.Join(root, ".env"))
}

// keyOf is the key in a file, "" for none.
func keyOf(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if key, ok := strings.CutPrefix(line, "JWT_SECRET_KEY="); ok {
			return key
		}
	}
	return ""
}

func upgradeTo(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	code, out, errOut := inProcess(t, newUpgrade, append([]string{"upgrade", "--yes", "--restart", "none", "--skip", "smoke-test"}, args...))
	return code, out + errOut
}

// The key of development must never end up in another environment.
func TestTheLocalKeyStaysHere(t *testing.T) {
	compose := "services:\n  web:\n    image: shop\n    env_file: .env.prod\n"
	for name, c := range map[string]struct {
		args  []string
		files []string // that get one new key
	}{
		"a compose file's own": {[]string{"--env", "prodlike", "--confirm", "prodlike", "--target", "compose:docker-compose.prod.yml#web"}, []string{".env.prod"}},
		"two files":            {[]string{"--env", "staging", "--target", "dotenv:a.env", "--target", "dotenv:b.env"}, []string{"a.env", "b.env"}},
		"in development too":   {[]string{"--target", "dotenv:a.env"}, []string{"a.env"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"docker-compose.prod.yml": compose}
			for _, f := range c.files {
				files[f] = "SECRET_KEY=" + djangotest.NewKey() + "\n"
			}
			root, local := elsewhere(t, files)
			code, out := upgradeTo(t, c.args...)
			if code != 0 || !strings.Contains(out, "key made") {
				t.Fatalf("exit %d\n%s", code, out)
			}
			first := keyOf(t, filepath.Join(root, c.files[0]))
			if first == "" || first == local {
				t.Errorf("the file holds the key of development: %t", first == local)
			}
			for _, f := range c.files {
				if keyOf(t, filepath.Join(root, f)) != first {
					t.Errorf("%s holds another key", f)
				}
			}
			if keyOf(t, filepath.Join(root, ".env")) != local {
				t.Error("the .env of development changed")
			}
			// What is good there stays, and the proof is about those files.
			if code, out = upgradeTo(t, c.args...); code != 0 || !strings.Contains(out, "Nothing to write") || keyOf(t, filepath.Join(root, c.files[0])) != first {
				t.Errorf("again: exit %d\n%s", code, out)
			}
			// A key that equals that environment's own SECRET_KEY is found out.
			same := "SECRET_KEY=" + first + "\nJWT_SECRET_KEY=" + first + "\n"
			if err := os.WriteFile(filepath.Join(root, c.files[0]), []byte(same), 0o600); err != nil {
				t.Fatal(err)
			}
			if code, out = upgradeTo(t, append(c.args, "--skip", "generate,write")...); code != 1 || !strings.Contains(out, "jwt-key-equals-secret-key") {
				t.Errorf("equal keys: exit %d\n%s", code, out)
			}
		})
	}
}
