//go:build unix

package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"

	"go.yaml.in/yaml/v3"
)

// step is a step of a composite action.
type step struct {
	ID, Name, Shell, Run, Uses string
	Env                        map[string]string
}

// composite is the action that checks a repository.
type composite struct {
	Inputs map[string]struct{ Default string }
	Runs   struct {
		Using string
		Steps []step
	}
}

func readAction(t *testing.T) (a composite) {
	t.Helper()
	data, err := os.ReadFile("../../.github/actions/check/action.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &a); err != nil || a.Runs.Using != "composite" || len(a.Runs.Steps) != 2 {
		t.Fatalf("%v: %+v", err, a)
	}
	return a
}

// expression is what GitHub fills in.
var expression = regexp.MustCompile(`\$\{\{ *([a-z.]+) *\}\}`)

// runner is a machine that runs steps one after another.
type runner struct {
	known map[string]string // what expressions stand for
	temp  string
}

// run runs one step as a runner does, and returns what it printed.
func (r *runner) run(t *testing.T, s step, dir string) (code int, printed string) {
	t.Helper()
	if s.Uses != "" || s.Shell != "bash" || expression.MatchString(s.Run) {
		t.Fatalf("%s: only steps of bash are run here, and what is filled in must come by the environment: %+v", s.Name, s)
	}
	outputs := filepath.Join(r.temp, "outputs")
	c := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
	c.Dir = dir
	c.Env = append(os.Environ(), "RUNNER_TEMP="+r.temp, "GITHUB_OUTPUT="+outputs, "PIP_NO_INDEX=1", "KEYSPLIT_STATE_DIR="+filepath.Join(r.temp, "state"))
	for name, value := range s.Env {
		c.Env = append(c.Env, name+"="+expression.ReplaceAllStringFunc(value, func(e string) string {
			v, ok := r.known[expression.FindStringSubmatch(e)[1]]
			if !ok {
				t.Errorf("%s: nothing fills in %s", s.Name, e)
			}
			return v
		}))
	}
	out, _ := c.CombinedOutput() // how it ended is its exit code
	data, _ := os.ReadFile(outputs)
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		r.known["steps."+s.ID+".outputs."+name] = value
	}
	return c.ProcessState.ExitCode(), string(out)
}

// wheel packs the program.
func wheel(t *testing.T) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	program := filepath.Join(t.TempDir(), "keysplit")
	build := exec.Command("go", "build", "-o", program, "dj/keysplit")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(python, "../../.ci/wheel", "1.2.3", program, t.TempDir()).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// The action installs a wheel and judges what is committed, with annotations and, when
// asked, a file for code scanning. Only the long form makes a virtual environment to
// install into; the short one judges with the program as it was built.
func TestTheAction(t *testing.T) {
	t.Parallel()
	a := readAction(t)
	r := &runner{map[string]string{}, t.TempDir()}
	with := func(inputs map[string]string) {
		for name, in := range a.Inputs {
			r.known["inputs."+name] = in.Default
		}
		for name, value := range inputs {
			r.known["inputs."+name] = value
		}
	}
	install, check := a.Runs.Steps[0], a.Runs.Steps[1]
	r.known["steps.install.outputs.program"] = binary.Path(t)
	if stepstest.Long() {
		delete(r.known, "steps.install.outputs.program")
		installs(t, r, install, with)
	}
	for name, c := range map[string]struct {
		pipeline string
		inputs   map[string]string
		code     int
		says     string
	}{
		"in order":            {"env: {SECRET_KEY: x, JWT_SECRET_KEY: y}\n", nil, 0, ""},
		"a job without it":    {"env: {SECRET_KEY: x}\n", nil, 1, "::error file=.github/workflows/ci.yml"},
		"code scanning":       {"env: {SECRET_KEY: x}\n", map[string]string{"sarif": "found.sarif"}, 1, "::error file="},
		"no project":          {"", map[string]string{"project": "nowhere"}, 3, ""},
		"nothing of a script": {"", map[string]string{"project": `x"; touch made; "`}, 3, ""},
	} {
		t.Run(name, func(t *testing.T) {
			root := staticProject(t, "")
			if err := os.MkdirAll(filepath.Join(root, ".github", "workflows"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, ".github", "workflows", "ci.yml"), []byte(c.pipeline), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(root, ".env")); err != nil {
				t.Fatal(err)
			}
			with(c.inputs)
			code, out := r.run(t, check, root)
			if code != c.code || !strings.Contains(out, c.says) {
				t.Errorf("exit %d, want %d with %q\n%s", code, c.code, c.says, out)
			}
			if _, err := os.Stat(filepath.Join(root, "made")); err == nil {
				t.Error("an input was run")
			}
			data, err := os.ReadFile(filepath.Join(root, "found.sarif"))
			if asked := c.inputs["sarif"] != ""; asked != (err == nil) || asked && !strings.Contains(string(data), "ci-missing-key") {
				t.Errorf("SARIF: %v %s", err, data)
			}
		})
	}
}

// installs runs the step that installs: of a version that there is not, and of a wheel.
func installs(t *testing.T, r *runner, install step, with func(map[string]string)) {
	t.Helper()
	with(map[string]string{"version": "0.0.0"})
	if code, out := r.run(t, install, t.TempDir()); code == 0 || !strings.Contains(out, "keysplit==0.0.0") {
		t.Fatalf("a version that there is not: exit %d\n%s", code, out)
	}
	with(map[string]string{"package": wheel(t)})
	if code, out := r.run(t, install, t.TempDir()); code != 0 {
		t.Fatalf("exit %d\n%s", code, out)
	}
}

// Every action of others is named by a commit: a tag can be moved.
func TestActionsArePinned(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`^(\./[^@]+|[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$`)
	uses := regexp.MustCompile(`(?m)^[ -]*uses: (.*)$`)
	var files []string
	for _, pattern := range []string{"workflows/*.yml", "actions/*/action.yml", "docs/*.md"} {
		found, err := filepath.Glob("../../.github/" + pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	seen := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range uses.FindAllStringSubmatch(string(data), -1) {
			seen++
			if strings.HasPrefix(m[1], "OWNER/") {
				continue // the reader's own
			}
			if !pinned.MatchString(m[1]) {
				t.Errorf("%s: %s", file, m[1])
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d were seen", seen)
	}
	for _, loose := range []string{"actions/checkout@v4", "actions/checkout@d23441a48e516b6c34aea4fa41551a30e30af803", "a/b@main # v1.0.0"} {
		if pinned.MatchString(loose) {
			t.Errorf("%s passes for pinned", loose)
		}
	}
}
