package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"dj/keysplit/steps/finding"
)

func explain(t *testing.T, stdin string, terminal bool, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	stdio := IO{State: Stdio().State, In: strings.NewReader(stdin), Out: &out, Err: &out, InTTY: terminal, OutTTY: terminal}
	cmd := newExplain(stdio)
	cmd.SetArgs(append([]string{}, args...)) // with nil it takes those of the test binary
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	code := exitCode(stdio, execute(context.Background(), cmd, &signals{}))
	return code, out.String()
}

func TestExplainAsJSON(t *testing.T) {
	for name, c := range map[string]struct {
		args  []string
		code  int
		first string // "" for none
		more  bool
	}{
		"a code":    {[]string{"jwt-key-missing"}, 0, "jwt-key-missing", false},
		"a message": {[]string{"JWT_SECRET_KEY is required, Connection refused"}, 0, "jwt-key-missing", true},
		"all":       {nil, 0, string(finding.Codes()[0]), true},
		"not known": {[]string{"it", "is", "raining"}, 1, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			code, out := explain(t, "", true, append(c.args, "--json")...)
			var got []map[string]any
			if err := json.Unmarshal([]byte(out), &got); err != nil || code != c.code || got == nil {
				t.Fatalf("exit %d, %v\n%s", code, err, out)
			}
			if c.first == "" && len(got) > 0 || c.first != "" && (got[0]["code"] != c.first || len(got) > 1 != c.more) {
				t.Errorf("%s", out)
			}
			for _, p := range got {
				for _, key := range []string{"code", "severity", "message", "why", "fix", "fixable"} {
					if _, ok := p[key]; !ok {
						t.Errorf("%v has no %s", p["code"], key)
					}
				}
			}
		})
	}
}

// On a terminal no line is wider than 76 columns; a program gets whole lines.
func TestExplainWrapsForPeople(t *testing.T) {
	all := []string{"", "token_not_valid, Connection refused, JWT_SECRET_KEY is required"}
	for _, c := range finding.Codes() {
		all = append(all, string(c))
	}
	for _, c := range all {
		var args []string
		if c != "" {
			args = []string{c}
		}
		_, out := explain(t, "", true, args...)
		for line := range strings.Lines(out) {
			if len([]rune(line)) > width+1 {
				t.Errorf("%s: %s", c, line)
			}
		}
	}
	p, _ := finding.LookUp("server-unreachable")
	if _, out := explain(t, "Connection refused", false); !strings.Contains(out, "\n  "+p.Fix.Rendered()+"\n") {
		t.Errorf("%s", out)
	}
}

func TestVersionAsJSON(t *testing.T) {
	var out bytes.Buffer
	var got map[string]string
	code := Main([]string{"version", "--json"}, IO{State: Stdio().State, In: strings.NewReader(""), Out: &out, Err: &out})
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || code != 0 || !strings.HasPrefix(version(), got["version"]) || got["os"] != runtime.GOOS || got["arch"] != runtime.GOARCH || got["go"] != runtime.Version() || len(got) != 6 {
		t.Errorf("exit %d, %v: %s", code, err, out.String())
	}
}
