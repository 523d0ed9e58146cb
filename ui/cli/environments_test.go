//go:build unix

package cli

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest/djangotest"
)

// environments adds a configuration with three environments to a project; the
// .env of production has the key of staging when shared is set.
func environments(t *testing.T, shared bool) (root string, keys []string) {
	t.Helper()
	root, _ = staticProject(t)
	t.Chdir(root)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	staging, production := djangotest.NewKey(), djangotest.NewKey()
	if shared {
		production = staging
	}
	write(".env.staging", "SECRET_KEY="+djangotest.NewKey()+"\nJWT_SECRET_KEY="+staging+"\n")
	write(".env.production", "SECRET_KEY="+djangotest.NewKey()+"\nJWT_SECRET_KEY="+production+"\n")
	write("keysplit.toml", "[environments.staging]\ntargets = [\"dotenv:.env.staging\"]\nrestart = \"none\"\n\n[environments.production]\ntargets = [\"dotenv:.env.production\"]\n")
	return root, []string{staging, production}
}

func check(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	return inProcess(t, newCheck, append([]string{"check", "--static"}, args...))
}

func TestCheckAllLooksAtEveryEnvironment(t *testing.T) {
	for name, shared := range map[string]bool{"different keys": false, "a shared key": true} {
		t.Run(name, func(t *testing.T) {
			_, keys := environments(t, shared)
			code, out, errOut := check(t, "--all", "--json")
			var got struct {
				Ready        bool
				Environments []struct {
					Environment string
					Ready       bool
					Project     struct {
						EnvFile string `json:"env_file"`
					}
					Findings []struct{ Code, Message string }
				}
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatalf("%v\n%s%s", err, out, errOut)
			}
			if len(got.Environments) != 2 || got.Environments[0].Environment != "production" || got.Environments[0].Project.EnvFile != ".env.production" {
				t.Fatalf("%s", out)
			}
			reused := strings.Contains(out, "jwt-key-reused-across-environments")
			if reused != shared || got.Ready == shared || code != map[bool]int{false: 0, true: 1}[shared] {
				t.Errorf("exit %d, reused %t: %s", code, reused, out)
			}
			for _, one := range got.Environments { // neither of two is called ready
				if one.Ready == shared || slices.ContainsFunc(one.Findings, func(f struct{ Code, Message string }) bool {
					return strings.Contains(f.Message, "production and staging use the same")
				}) != shared {
					t.Errorf("%s: ready %t, %v", one.Environment, one.Ready, one.Findings)
				}
			}
			for _, key := range keys {
				if strings.Contains(out, key[:12]) {
					t.Error("a key is shown")
				}
			}
			_, text, _ := check(t, "--all")
			if !strings.Contains(text, "Environment staging") || strings.Contains(text, "production and staging use the same") != shared || strings.Contains(text, "Ready: ") == shared || strings.Contains(text, "keysplit check --all") != shared {
				t.Errorf("as text: %s", text)
			}
		})
	}
}

func TestTheConfigurationNamesTheEnvironments(t *testing.T) {
	root, _ := environments(t, false)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--env", "staging"}, 0, "Ready"},
		{[]string{"--env", "stagin"}, 2, `did you mean "staging"`},
		{[]string{"--env", "moon"}, 2, "there is: production, staging"},
		{[]string{"--all", "--env", "staging"}, 2, "cannot be used together"},
		{[]string{"--format", "yaml"}, 2, "choose text, json"},
	} {
		code, out, errOut := check(t, c.args...)
		if code != c.code || !strings.Contains(out+errOut, c.says) {
			t.Errorf("%v: exit %d\n%s%s", c.args, code, out, errOut)
		}
	}
	conf := filepath.Join(root, "keysplit.toml")
	text, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	for added, says := range map[string]string{
		"\ntargtes = []\n":              `did you mean "targets"`,
		"\n[environments.x]\nurl = 1\n": "url must be a text",
	} {
		if err := os.WriteFile(conf, append(text, added...), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, _, errOut := check(t); code != 2 || !strings.Contains(errOut, says) || !strings.Contains(errOut, "keysplit.toml:") {
			t.Errorf("exit %d: %s", code, errOut)
		}
	}
}

func TestALongerKeyCanBeAskedFor(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	for text, code := range map[string]int{"min_length = 86\n": 0, "min_length = 87\n": 1} {
		if err := os.WriteFile(filepath.Join(root, "keysplit.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, out, _ := check(t); got != code || strings.Contains(out, "87 are needed") != (code == 1) {
			t.Errorf("%s: exit %d\n%s", text, got, out)
		}
	}
}

func TestFormatsForOtherPrograms(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	key := djangotest.NewKey()
	if err := os.WriteFile(filepath.Join(root, ".env"), []byte("SECRET_KEY="+key+"\nJWT_SECRET_KEY="+key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for format, valid := range map[string]func(string) bool{
		"sarif": func(s string) bool {
			return json.Valid([]byte(s)) && strings.Contains(s, `"ruleId": "jwt-key-equals-secret-key"`)
		},
		"junit": func(s string) bool {
			return xml.Unmarshal([]byte(s), new(struct{})) == nil && strings.Contains(s, "<failure")
		},
		"github": func(s string) bool {
			return strings.HasPrefix(s, "::error file=.env,line=2,title=jwt-key-equals-secret-key::")
		},
		"json": func(s string) bool { return json.Valid([]byte(s)) },
	} {
		code, out, errOut := check(t, "--format", format)
		if code != 1 || !valid(out) || errOut != "" {
			t.Errorf("%s: exit %d\n%s%s", format, code, out, errOut)
		}
		if strings.Contains(out, key[:12]) {
			t.Errorf("%s: the key is shown", format)
		}
	}
}
