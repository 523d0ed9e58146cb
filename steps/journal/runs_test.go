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
	passed := func(e Entry) bool { return e.Kind == KindStatus && e.Status == "done" }

	first := openIn(t, state, project)
	key := first.prints.Secret("one")
	if err := first.Bring(key); err != nil {
		t.Fatal(err)
	}
	change(t, first, path, "one")
	if got := first.Ran(passed); len(got) != 1 || got[0].Finished || got[0].Undone || got[0].Key != first.prints.Of(key) || len(got[0].Files) != 1 || got[0].From.IsZero() || got[0].To.Before(got[0].From) {
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

// A plan that was cut short and what goes on with it is one run, with the key of the one
// that went on. A plan of other files, one that follows a whole plan, and one that a later
// run stands on are runs of their own.
func TestAPlanThatWasCutShortGoesOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first   []string // of a plan of a, b and c, what was changed
		between bool     // another run changed d
		next    []string
		runs    int
	}{
		"goes on":              {[]string{"a"}, false, []string{"b", "c"}, 1},
		"with the last file":   {[]string{"a", "b"}, false, []string{"c"}, 1},
		"nothing was changed":  {nil, false, []string{"b", "c"}, 1},
		"the plan was whole":   {[]string{"a", "b", "c"}, false, []string{"b", "c"}, 2},
		"other files":          {[]string{"a"}, false, []string{"a", "d"}, 2},
		"a later run is there": {[]string{"a"}, true, []string{"b", "c"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			project := t.TempDir()
			state := stateFolder(t)
			run := func(plan, made []string, key string) *Journal {
				j := openIn(t, state, project)
				err := j.Bring(j.prints.Secret(key))
				var paths []string
				for _, f := range plan {
					paths = append(paths, filepath.Join(project, f))
				}
				if err == nil {
					err = j.BeginPlan(paths)
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range made {
					change(t, j, filepath.Join(project, f), key)
				}
				return j
			}
			run([]string{"a", "b", "c"}, c.first, "one")
			if c.between {
				run([]string{"d"}, []string{"d"}, "other")
			}
			j := run(c.next, c.next, "two")
			all := j.Ran(func(Entry) bool { return false })
			if len(all) != c.runs || all[len(all)-1].Key != j.prints.Of(j.prints.Secret("two")) {
				t.Errorf("%+v", all)
			}
			want := len(c.next)
			if c.runs == 1 {
				want += len(c.first)
			}
			if got := len(j.Applied()); got != want {
				t.Errorf("a rollback would undo %d changes, want %d", got, want)
			}
		})
	}
}
