package checklist

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
)

// Evidence goes stale with what settings and URLs load and with the versions that it
// rests on, and with no other file.
func TestEvidenceRestsOnWhatTheCodeLoads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change string // the file that is written
		reason string // "" where nothing changes
	}{
		"a module of the settings":     {"config/jwt.py", "config/jwt.py changed after"},
		"one that was not there":       {"config/local.py", "config/local.py changed after"},
		"a module of the URLs":         {"shop/views.py", "shop/views.py changed after"},
		"the version of a package":     {"lib/Django-5.2.dist-info/METADATA", "the version of Django changed after"},
		"a module that nothing loads":  {"shop/unused.py", ""},
		"a file that is no code":       {"shop/page.html", ""},
		"the same module, as it stood": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			for _, f := range []string{"config/jwt.py", "shop/views.py", "shop/unused.py", "lib/Django-5.2.dist-info/METADATA"} {
				h.write(f, "before\n")
			}
			h.run.Project.Facts = &steps.Facts{
				Modules: []string{h.path("config/jwt.py"), h.path("config/local.py")}, AppModules: []string{h.path("shop/views.py")},
				Versions: []string{h.path("lib/Django-5.2.dist-info/METADATA")},
			}
			h.prove(good(), true)
			h.run.Project.Facts = nil // a report starts no Django
			h.attest(5)
			if c.change != "" {
				h.write(c.change, "after\n")
			}
			r := h.look()
			want := []int{9}
			if c.reason != "" {
				want = []int{2, 4, 5, 6, 9}
			}
			if got := open(r); !slices.Equal(got, want) {
				t.Fatalf("open are %v, want %v\n%s", got, want, r.Text())
			}
			if c.reason != "" && !strings.Contains(r.Items[3].Reason, c.reason) {
				t.Errorf("the reason is %q, want %q in it", r.Items[3].Reason, c.reason)
			}
		})
	}
}

// Files that several pieces of evidence rest on are kept once, and each still rests on
// them when the journal is read again.
func TestFilesOfEvidenceAreKeptOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.write("config/jwt.py", "before\n")
	h.run.Project.Facts = &steps.Facts{Modules: []string{h.path("config/jwt.py")}}
	h.prove(good(), true)
	j, err := h.run.Options.State.Read(h.run.Project.Root, steps.DefaultEnvironment)
	if err != nil || j == nil {
		t.Fatal(j, err)
	}
	text, err := os.ReadFile(filepath.Join(j.Dir(), "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	module, _ := json.Marshal(h.path("config/jwt.py")) // as the journal has it: Windows' paths are escaped there
	if n := strings.Count(string(text), string(module)); n != 1 {
		t.Errorf("the journal names the module %d times, want once", n)
	}
	for _, e := range j.Entries() {
		if e.Evidence != nil && !slices.ContainsFunc(e.Evidence.Files, func(f journal.FileSum) bool { return f.Path == h.path("config/jwt.py") }) {
			t.Errorf("the evidence of %s rests on %v", e.Step, e.Evidence.Files)
		}
	}
}

// What a person says against what was seen is marked; what is only missing is not
// against it.
func TestSigningOffAgainstTheEvidence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		item int
		do   func(*house)
		want string // "" for nothing against it
	}{
		"a pipeline without the key": {7, func(h *house) { h.write(".github/workflows/test.yml", "env:\n  SECRET_KEY: x\n") }, "test.yml"},
		"no pipeline":                {7, func(h *house) { h.remove(".github/workflows/test.yml") }, ""},
		"a login that failed":        {5, func(h *house) { h.status(steps.SmokeTest, steps.Failed) }, "the step Login failed at"},
		"a restart that failed":      {6, func(h *house) { h.status(steps.Restart, steps.Failed) }, "the step Restart failed at"},
		"failed, then done": {5, func(h *house) {
			h.status(steps.SmokeTest, steps.Failed)
			h.status(steps.SmokeTest, steps.Done)
		}, ""},
		"nothing was done": {5, func(*house) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			c.do(h)
			before := h.look().Items[c.item-1]
			if before.State != Open || c.want == "" && before.Against != "" || !strings.Contains(before.Against, c.want) {
				t.Fatalf("against item %d is %q, want %q (%s)", c.item, before.Against, c.want, before.State)
			}
			h.attest(c.item)
			r := h.look()
			if marked := strings.Contains(r.Text(), "signed off against the evidence ("); marked != (c.want != "") {
				t.Errorf("marked in the report: %v\n%s", marked, r.Text())
			}
		})
	}
}
