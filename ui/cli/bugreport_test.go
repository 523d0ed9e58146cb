//go:build unix

package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest/djangotest"
)

// The report says how the project is made, and names nothing in it.
func TestBugReport(t *testing.T) {
	t.Parallel()
	key, secret, state := djangotest.NewKey(), djangotest.NewKey(), filepath.Join(t.TempDir(), "state")
	root := staticProject(t, "SECRET_KEY="+secret+"\r\nWAREHOUSE_PASSWORD=hunter2hunter2\r\nJWT_SECRET_KEY="+key[:20]+"\r\n")
	for name, text := range map[string]string{
		"keysplit.toml": "[environments.staging]\ntargets = [\"heroku:acme-staging\"]\nurl = \"https://acme.example.com\"\nusername = \"acme-probe\"\n",
		"compose.yaml":  "services:\n  acme-web:\n    environment:\n      SECRET_KEY: x\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, args := range map[string][]string{
		"as text":   {"bug-report", "--static"},
		"as JSON":   {"bug-report", "--static", "--json"},
		"elsewhere": {"bug-report", "--static", "--env", "staging"},
	} {
		r := invocation{args: args, dir: root}.run(t, state)
		if r.code != 0 {
			t.Fatalf("%s: exit %d\n%s%s", name, r.code, r.out, r.errOut)
		}
		var got struct {
			Keysplit map[string]string
			Project  *struct {
				EnvFile struct {
					Exists, CRLF bool
					Lines        int
				} `json:"env_file"`
				Targets, Committed []string
			}
			Findings []struct{ Code string }
		}
		if err := json.Unmarshal([]byte(r.out), &got); err != nil || got.Project == nil || got.Keysplit["go"] == "" {
			t.Fatalf("%s: %v\n%s", name, err, r.out)
		}
		for _, c := range []string{"keysplit.toml", "compose"} {
			if !slices.Contains(got.Project.Committed, c) {
				t.Errorf("%s: %s is not named: %v", name, c, got.Project.Committed)
			}
		}
		if name == "elsewhere" {
			if !slices.Equal(got.Project.Targets, []string{"heroku"}) {
				t.Errorf("targets %v", got.Project.Targets)
			}
		} else if len(got.Findings) == 0 || !got.Project.EnvFile.CRLF || got.Project.EnvFile.Lines != 3 {
			t.Errorf("%s: %+v", name, got)
		}
		for _, private := range []string{key[:20], secret, "hunter2", "WAREHOUSE", "acme", root, filepath.Base(root), filepath.Dir(state)} {
			if strings.Contains(r.out+r.errOut, private) {
				t.Errorf("%s: %q is in the report\n%s%s", name, private, r.out, r.errOut)
			}
		}
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("a report made a state folder")
	}
}

// Without a project it is a report as well: that is what the bug may be about.
func TestBugReportWithoutAProject(t *testing.T) {
	t.Parallel()
	r := invocation{args: []string{"bug-report"}, dir: t.TempDir()}.run(t, filepath.Join(t.TempDir(), "state"))
	if r.code != 0 || !strings.Contains(r.out, "project-not-found") || !strings.Contains(r.errOut, "Nothing was sent") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.errOut)
	}
}
