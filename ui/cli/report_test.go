//go:build unix

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest/djangotest"
)

// report runs the command in this process, in the way that the root does.
func report(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	return inProcess(t, newReport, append([]string{"report"}, args...))
}

func inProcess(t *testing.T, make func(IO) *cobra.Command, args []string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	stdio := IO{State: Stdio().State, In: strings.NewReader(""), Out: &o, Err: &e}
	root := &cobra.Command{Use: "keysplit", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(make(stdio))
	root.SetArgs(args)
	code = exitCode(stdio, execute(context.Background(), root, &signals{}))
	return code, o.String(), e.String()
}

// staticProject is a project that only its files tell about: its settings end
// any Python that runs them.
func staticProject(t *testing.T) (root, state string) {
	t.Helper()
	state = filepath.Join(t.TempDir(), "state")
	t.Setenv("KEYSPLIT_STATE_DIR", state)
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"manage.py":             "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'app.settings')\nfrom django.core.management import execute_from_command_line\n",
		"app/__init__.py":       "open('ran', 'w')\n",
		"app/settings.py":       "open('ran', 'w')\nfrom decouple import config\nSECRET_KEY = config('SECRET_KEY')\nJWT_SECRET_KEY = config('JWT_SECRET_KEY')\nSIMPLE_JWT = {'SIGNING_KEY': JWT_SECRET_KEY}\n",
		".env":                  "SECRET_KEY=" + djangotest.NewKey() + "\nJWT_SECRET_KEY=" + djangotest.NewKey() + "\n",
		"README.md":             "SECRET_KEY=... JWT_SECRET_KEY=...\n",
		".github/workflows.yml": "SECRET_KEY: x\nJWT_SECRET_KEY: y\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root, state
}

func listing(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		info, err := d.Info()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, path, info.Size(), info.ModTime(), info.Mode())
		return nil
	})
	return b.String()
}

func TestReportChangesNothingAndRunsNothing(t *testing.T) {
	root, state := staticProject(t)
	before := listing(t, root)
	code, out, errOut := report(t, "--project", root)
	if code != ExitFinding || errOut != "" || !strings.HasPrefix(out, "## JWT_SECRET_KEY upgrade: `") || strings.Count(out, "\n- [") != 9 {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
	if after := listing(t, root); after != before {
		t.Errorf("the project changed:\n%s", after)
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("a journal was made")
	}
}

func TestReportFormats(t *testing.T) {
	root, _ := staticProject(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "- [ ] 9\\. Team notified"},
		{[]string{"--format", "text"}, "9. Team notified of change: open"},
		{[]string{"--format", "json", "--team"}, `"team": "Subject`},
		{[]string{"--json"}, `"schema": 1`},
	} {
		code, out, _ := report(t, append(c.args, "--project", root)...)
		if code != ExitFinding || !strings.Contains(out, c.want) {
			t.Errorf("%v: exit %d\n%s", c.args, code, out)
		}
	}
	for _, args := range [][]string{{"--team"}, {"--team", "--format", "text"}} {
		if code, out, errOut := report(t, append(args, "--project", root)...); code != ExitOK || errOut != "" || !strings.HasPrefix(out, "Subject: JWT_SECRET_KEY") || strings.Contains(out, "```") || strings.Contains(out, "Findings") {
			t.Errorf("%v: exit %d\n%s%s", args, code, out, errOut)
		}
	}
	_, out, _ := report(t, "--json", "--project", root)
	var r checklist.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Items) != 9 || r.Complete {
		t.Errorf("%v: %s", err, out)
	}
}

// The head of a report says which program looked, where and at which commit.
func TestTheReportSaysWhoLookedAtWhat(t *testing.T) {
	root, _ := staticProject(t)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	head := func() string {
		_, out, _ := report(t, "--format", "text", "--project", root)
		return strings.Split(out, "\n")[1]
	}
	if got := head(); !strings.Contains(got, "Checked by keysplit "+version()+" on "+host+", 2") || strings.Contains(got, "commit") {
		t.Errorf("without a repository: %s", got)
	}
	git := func(args ...string) string {
		out, err := exec.Command("git", append([]string{"-C", root, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...).CombinedOutput()
		if err != nil {
			t.Skipf("SKIPPED: git: %v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	git("add", "manage.py", "README.md")
	git("commit", "-q", "-m", "x")
	commit := git("rev-parse", "--short", "HEAD")
	if got := head(); !strings.HasSuffix(got, "The project is at commit "+commit+", without uncommitted changes.") {
		t.Errorf("clean: %s", got)
	}
	if err := os.WriteFile(filepath.Join(root, "README.md"), []byte("SECRET_KEY= JWT_SECRET_KEY=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := head(); !strings.HasSuffix(got, "commit "+commit+", with changes that are not committed.") {
		t.Errorf("changed: %s", got)
	}
	// A filter of the repository's own would run: it does not.
	ran := filepath.Join(root, "ran")
	git("config", "filter.x.clean", "touch "+ran)
	if err := os.WriteFile(filepath.Join(root, ".gitattributes"), []byte("* filter=x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := head(); !strings.HasSuffix(got, "The project is at commit "+commit+".") {
		t.Errorf("with a filter: %s", got)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a filter of the repository ran")
	}
}

func TestReportUsage(t *testing.T) {
	root, state := staticProject(t)
	for _, args := range [][]string{
		{"--format", "xml"}, {"--format", "sarif"}, {"--format", "junit"}, {"--format", "github"}, {"--by", "Ada"}, {"--note", "x"}, {"--attest", "9"}, {"--attest", "9", "--by", "Ada"},
		{"--attest", "1", "--by", "Ada", "--note", "x"}, {"--attest", "9,12", "--by", "Ada", "--note", "x"}, {"--attest", "x"}, {"more"},
	} {
		if code, out, errOut := report(t, append(args, "--project", root)...); code != ExitUsage || out != "" || errOut == "" {
			t.Errorf("%v: exit %d\n%s%s", args, code, out, errOut)
		}
	}
	for _, format := range []string{"junit", "sarif", "github"} {
		if _, _, errOut := report(t, "--format", format, "--project", root); !strings.Contains(errOut, "Use: keysplit check --format "+format+"\n") {
			t.Errorf("%s: %s", format, errOut)
		}
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("wrong usage made a journal")
	}
}

func TestReportCannotLook(t *testing.T) {
	root, _ := staticProject(t)
	if code, out, errOut := report(t, "--project", t.TempDir()); code != ExitBlind || out != "" || !strings.Contains(errOut, "No Django project") {
		t.Errorf("no project: exit %d\n%s%s", code, out, errOut)
	}
	if _, err := Stdio().State.Open(root, steps.DefaultEnvironment); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(string(Stdio().State), "key")); err != nil {
		t.Fatal(err)
	}
	if code, out, errOut := report(t, "--project", root); code != ExitBlind || out != "" || !strings.Contains(errOut, "journal") {
		t.Errorf("damaged journal: exit %d\n%s%s", code, out, errOut)
	}
}

func TestReportIsCompleteWithWords(t *testing.T) {
	root, _ := staticProject(t)
	args := []string{"--project", root, "--by", "Ada", "--note", "seen on staging"}
	if code, out, _ := report(t, append(args, "--attest", "4,5,6", "--attest", "9")...); code != ExitFinding || strings.Count(out, "signed off by Ada: seen on staging") != 4 {
		t.Errorf("exit %d\n%s", code, out)
	}
	// Item 2 alone is left: it wants a proof, which a run records.
	j, err := Stdio().State.Open(root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Record(string(steps.Distinct), journal.Evidence{Checks: []journal.CheckLine{{ID: "differ", Mark: string(steps.MarkOK), Text: "they differ"}}}); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := report(t, "--project", root); code != ExitOK {
		t.Errorf("exit %d\n%s", code, out)
	}
	// A word is about one environment.
	if code, out, errOut := report(t, "--project", root, "--env", "staging"); code != ExitUsage || out != "" || !strings.Contains(errOut, "no target for staging") {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
	if err := os.WriteFile(filepath.Join(root, "keysplit.toml"), []byte("[environments.staging]\ntargets = [\"dotenv:.env.staging\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := report(t, "--project", root, "--env", "staging"); code != ExitFinding || strings.Contains(out, "signed off by") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if err := os.WriteFile(filepath.Join(root, ".env"), []byte("SECRET_KEY=x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := report(t, "--project", root); code != ExitFinding || !strings.Contains(out, "jwt-key-missing") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// To sign off what was seen to be otherwise a person is asked, with no as the default;
// where nobody can be asked it takes --yes. Either way the report says so.
func TestReportAsksBeforeASignOffAgainstTheEvidence(t *testing.T) {
	root, _ := staticProject(t)
	if err := os.WriteFile(filepath.Join(root, ".github", "workflows.yml"), []byte("SECRET_KEY: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--project", root, "--attest", "7", "--by", "Ada", "--note", "done elsewhere"}
	const marked = "signed off against the evidence ("
	if code, out, errOut := report(t, args...); code != ExitUsage || !strings.Contains(errOut, "workflows.yml") || !strings.Contains(errOut, "--yes") {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	if code, out := answered(t, "\n", newReport, append([]string{"report"}, args...)...); code != ExitCancelled || strings.Contains(out, marked) {
		t.Errorf("enter alone: exit %d: %s", code, out)
	}
	if _, out, _ := report(t, "--project", root); strings.Contains(out, "signed off") && strings.Contains(out, "by Ada") {
		t.Errorf("it was kept: %s", out)
	}
	if _, out := answered(t, "y\n", newReport, append([]string{"report"}, args...)...); !strings.Contains(out, marked) {
		t.Errorf("a yes: %s", out)
	}
	if _, out, errOut := report(t, append(args[:3:3], "7", "--by", "Ada", "--note", "again", "--yes")...); !strings.Contains(out, marked) {
		t.Errorf("--yes: %s%s", out, errOut)
	}
}
