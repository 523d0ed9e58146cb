//go:build unix

package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/internal/built"
)

// binary is the built program.
var binary built.Program

func TestMain(m *testing.M) {
	stepstest.Waiting()
	code := m.Run()
	binary.Remove()
	os.Exit(code)
}

// ran is how one run of the program ended.
type ran struct {
	code        int
	out, errOut string
}

// invocation is one call of the built program.
type invocation struct {
	args  []string
	dir   string
	env   []string
	stdin string
}

func (i invocation) command(ctx context.Context, t testing.TB, state string) *exec.Cmd {
	c := exec.CommandContext(ctx, binary.Path(t), i.args...)
	c.Dir = i.dir
	c.Env = djangotest.CleanEnviron(append([]string{"KEYSPLIT_STATE_DIR=" + state, "LANG=C.UTF-8"}, i.env...)...)
	c.Stdin = strings.NewReader(i.stdin)
	return c
}

func (i invocation) run(t *testing.T, state string) ran {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := i.command(ctx, t, state)
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run keysplit: %v", err)
	}
	return ran{c.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// outcome is the last line of `upgrade --json`.
type outcome struct {
	OK       bool                        `json:"ok"`
	Changed  bool                        `json:"changed"`
	Steps    map[steps.Name]steps.Status `json:"steps"`
	Findings []finding.Finding           `json:"findings"`
}

func (r ran) outcome(t *testing.T) outcome {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	var o outcome
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Fatalf("not JSON: %q (stderr: %s)", line, r.errOut)
		}
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// token is an access token for a user that cannot exist, as simplejwt makes it.
func token(t *testing.T, key string) string {
	t.Helper()
	s, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"token_type": "access", "user_id": "2147483000", "jti": djangotest.NewKey()[:16],
		"iat": time.Now().Add(-time.Second).Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}).SignedString([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// accepts reports whether the running server takes a token signed with key: it
// then looks for the user, and says that there is none.
func accepts(t *testing.T, url, key string) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/v1/auth/user/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token(t, key))
	res, err := (&http.Client{Timeout: 20 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	switch {
	case strings.Contains(body.String(), "user_not_found"):
		return true
	case strings.Contains(body.String(), "token_not_valid"):
		return false
	}
	t.Fatalf("the server answered %d %s", res.StatusCode, body.String())
	return false
}

// keyIn reads JWT_SECRET_KEY from the text of a .env.
func keyIn(text string) string {
	key := ""
	for _, line := range strings.Split(strings.ReplaceAll(text, "\r", ""), "\n") {
		if v, ok := strings.CutPrefix(line, "JWT_SECRET_KEY="); ok {
			key = v
		}
	}
	return key
}

// otherLines gives the lines that are in both texts, without line ends, minus
// those that mention the key.
func otherLines(text string) []string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		if line != "" && !strings.Contains(line, "JWT_SECRET_KEY") {
			out = append(out, line)
		}
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
