package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func explain(t *testing.T, stdin string, terminal bool, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	stdio := IO{In: strings.NewReader(stdin), Out: &out, Err: &out, InTTY: terminal}
	cmd := newExplain(stdio)
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	code := exitCode(stdio, execute(context.Background(), cmd))
	return code, out.String()
}

func TestExplainTakesAPastedMessage(t *testing.T) {
	secret := "hunter2hunter2hunter2"
	long := strings.Repeat("  File \"x.py\", line 1\n", 100_000) + "JWT_SECRET_KEY must be at least 50 characters. PASSWORD=" + secret + "\n"
	for name, c := range map[string]struct {
		stdin    string
		terminal bool
		args     []string
		code     int
		says     string
	}{
		"a code":              {"", true, []string{"login-csrf"}, 0, "login-csrf (error)"},
		"piped":               {long, false, nil, 0, "jwt-key-too-short (error)"},
		"as an argument":      {"", true, []string{"JWT_SECRET_KEY must be different from SECRET_KEY."}, 0, "jwt-key-equals-secret-key (error)"},
		"several":             {"JWT_SECRET_KEY is required\nConnection refused\n", false, nil, 0, "may also be about"},
		"not known":           {"it is raining\n", false, nil, 1, "keysplit check"},
		"nothing piped":       {"", false, nil, 0, "jwt-key-missing"},
		"alone on a terminal": {"never read", true, nil, 0, "jwt-key-missing"},
		"no such code":        {"", true, []string{"nonsense"}, 2, "nonsense"},
		"no such message":     {"", true, []string{"it is raining"}, 1, "keysplit check"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out := explain(t, c.stdin, c.terminal, c.args...)
			if code != c.code || !strings.Contains(out, c.says) {
				t.Errorf("exit %d, want %d with %q\n%s", code, c.code, c.says, out)
			}
			if strings.Contains(out, secret) {
				t.Error("the message is repeated")
			}
		})
	}
}
