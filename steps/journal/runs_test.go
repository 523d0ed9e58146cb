package journal

import (
	"path/filepath"
	"testing"
)

func TestRunsAreListedWithHowTheyEnded(t *testing.T) {
	t.Parallel()
	project := t.TempDir()
	state := stateFolder(t)
	path := filepath.Join(project, ".env")
	passed := func(e Entry) bool { return e.Kind == "status" && e.Status == "done" }

	first := openIn(t, state, project)
	key := first.prints.Secret("one")
	if err := first.Bring(key); err != nil {
		t.Fatal(err)
	}
	change(t, first, path, "one")
	if got := first.Ran(passed); len(got) != 1 || got[0].Finished || got[0].Undone || got[0].Key != first.prints.Of(key) || len(got[0].Files) != 1 {
		t.Fatalf("after the first write: %+v", got)
	}
	if err := first.SetStatus("restart", "done"); err != nil {
		t.Fatal(err)
	}
	second := openIn(t, state, project)
	change(t, second, path, "two")
	if d, err := second.Deliver(Delivery{Target: "vault:a/b"}, key); err != nil || second.Delivered(d) != nil {
		t.Fatal(err)
	}
	got := second.Ran(passed)
	if len(got) != 2 || !got[0].Finished || got[1].Finished || got[1].Key != "" || len(got[1].Targets) != 1 {
		t.Fatalf("%+v", got)
	}
	for _, in := range second.Applied() {
		if _, err := second.Revert(t.Context(), in, false); err != nil {
			t.Fatal(err)
		}
	}
	if got := second.Ran(passed); got[1].Undone {
		t.Error("a run of which one place is in force counts as undone")
	}
	for _, d := range second.AppliedElsewhere() {
		if err := second.TookBack(d); err != nil {
			t.Fatal(err)
		}
	}
	if got := second.Ran(passed); !got[1].Undone || got[0].Undone {
		t.Errorf("%+v", got)
	}
}
