//go:build unix

package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/inspect"
	"dj/keysplit/steps/stepstest/djangotest"
)

// What is wrong is said once, the value that the shell sets instead is not judged as
// well, the count is of what is shown, and no command is
// advised that would end in the same way.
func TestCheckSaysEachFindingOnce(t *testing.T) {
	root, _ := staticProject(t)
	t.Setenv("SECRET_KEY", "abc")
	t.Setenv("JWT_SECRET_KEY", "short")
	_, out, errOut := check(t, "--project", root)
	if n := strings.Count(out, "✗ jwt-key-shadowed"); n != 1 {
		t.Errorf("the variable of the shell is told of %d times:\n%s%s", n, out, errOut)
	}
	if shown, says := strings.Count(out, "✗ "), "Not ready: 1 thing is wrong. See the findings above."; shown != 1 || !strings.Contains(out, says) {
		t.Errorf("%d errors are shown; it is not said that %q:\n%s", shown, says, out)
	}
	for _, name := range []string{"SECRET_KEY", "JWT_SECRET_KEY"} {
		_ = os.Unsetenv(name) // t.Setenv restores it
	}
	if err := os.WriteFile(filepath.Join(root, ".env"), []byte("SECRET_KEY="+djangotest.NewKey()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, out, _ := check(t, "--project", root); strings.Count(out, "Not ready: 1 thing is wrong. keysplit fixes it.") != 2 || !strings.Contains(out, "\nNext:\n") || !strings.HasSuffix(strings.TrimSpace(out), "\n  keysplit upgrade --project "+root) {
		t.Errorf("what fixes it is not advised:\n%s", out)
	}
}

// Findings that cannot be printed are no good end, in any format.
func TestFindingsThatCannotBePrinted(t *testing.T) {
	t.Parallel()
	closed, writing := io.Pipe()
	_ = closed.Close()
	all := []*inspect.Environment{{Run: &steps.Run{}, Findings: []finding.Finding{finding.New(finding.JWTKeyMissing, "")}}}
	for _, format := range []string{"json", "junit", "sarif", "github"} {
		if err := (&checkOptions{format: format}).print(IO{Out: writing, Err: io.Discard}, all); err == nil {
			t.Errorf("%s: it was printed", format)
		}
	}
}
