package checklist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

func TestAChangeUnticks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(h *house)
		open   []int
		reason string // of the first
	}{
		"nothing": {func(*house) {}, nil, ""},
		"the .env": {func(h *house) { h.write(".env", stepstest.Content(h.t, h.run)+"A=1\n") },
			[]int{2, 4, 5, 6}, ".env changed after"},
		"the settings":     {func(h *house) { h.write("settings.py", "DEBUG = False\n") }, []int{2, 4, 5, 6}, "settings.py changed after"},
		"settings gone":    {func(h *house) { h.remove("settings.py") }, []int{2, 4, 5, 6}, "settings.py changed after"},
		"same content":     {func(h *house) { h.write("settings.py", "DEBUG = True\n") }, nil, ""},
		"smoke test fails": {func(h *house) { h.status(steps.SmokeTest, steps.Failed) }, []int{5, 6}, "the step Login failed at"},
		"restart fails":    {func(h *house) { h.status(steps.Restart, steps.Failed) }, []int{4, 5, 6}, "the step Restart failed at"},
		"distinct fails":   {func(h *house) { h.status(steps.Distinct, steps.Failed) }, []int{2, 4, 5, 6}, "the step Verify failed at"},
		"undone":           {func(h *house) { h.status(steps.Write, steps.Undone) }, []int{2, 4, 5, 6}, "the step Write was undone"},
		"restarted again":  {func(h *house) { h.status(steps.Restart, steps.Running) }, []int{5, 6}, "restarted again"},
		"skipped later":    {func(h *house) { h.status(steps.SmokeTest, steps.Skipped) }, nil, ""},
		"stopped later":    {func(h *house) { h.status(steps.SmokeTest, steps.Pending) }, nil, ""},
		"the key is replaced": {func(h *house) {
			h.write(".env", "SECRET_KEY="+h.secretKey+"\nJWT_SECRET_KEY="+stepstest.Key()+"\n")
		}, []int{2, 4, 5, 6, 9}, ".env changed after"},
		"proved again": {func(h *house) {
			h.write("settings.py", "DEBUG = False\n")
			h.status(steps.SmokeTest, steps.Failed)
			h.prove(good(), true)
		}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.prove(good(), true)
			h.attest(9)
			c.change(h)
			r := h.look()
			if got := open(r); !slices.Equal(got, append([]int{}, c.open...)) {
				t.Fatalf("open are %v, want %v\n%s", got, c.open, r.Text())
			}
			if len(c.open) > 0 && !strings.Contains(r.Items[c.open[0]-1].Reason, c.reason) {
				t.Errorf("reason %q", r.Items[c.open[0]-1].Reason)
			}
		})
	}
}

// A proof whose login alone failed has told of the keys before that. An account that was
// made to wait says nothing against an earlier login either; one that was refused does.
func TestALoginThatFailsLeavesWhatWasSeenOfTheKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before bool // a login was proved
		login  steps.Mark
		more   func(h *house)
		open   []int
		reason string // of the first
	}{
		"made to wait, a login before":    {true, steps.MarkWarn, nil, nil, ""},
		"made to wait, none before":       {false, steps.MarkWarn, nil, []int{5}, "the login gave no token"},
		"refused, a login before":         {true, steps.MarkFailed, nil, []int{5}, "the login gave no token"},
		"refused, none before":            {false, steps.MarkFailed, nil, []int{5}, "the login gave no token"},
		"made to wait, then a failure":    {true, steps.MarkWarn, func(h *house) { h.status(steps.SmokeTest, steps.Running); h.status(steps.SmokeTest, steps.Failed) }, []int{5, 6}, "the step Login failed at"},
		"refused, then no account":        {true, steps.MarkFailed, func(h *house) { h.prove(withoutAccount(), true) }, []int{5}, "no login was tried"},
		"made to wait, then no account":   {true, steps.MarkWarn, func(h *house) { h.prove(withoutAccount(), true) }, nil, ""},
		"made to wait, then another .env": {true, steps.MarkWarn, func(h *house) { h.write(".env", stepstest.Content(h.t, h.run)+"A=1\n") }, []int{2, 4, 5, 6}, ".env changed after"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.attest(9)
			h.prove(marks{steps.Distinct: good()[steps.Distinct], steps.Restart: good()[steps.Restart]}, true)
			if c.before {
				h.prove(good(), true)
			}
			h.status(steps.Restart, steps.Running)
			h.status(steps.Restart, steps.Done)
			h.status(steps.SmokeTest, steps.Running)
			lines := withoutAccount()[steps.SmokeTest]
			lines[steps.LineLogin] = c.login
			h.record(steps.SmokeTest, lines, true)
			h.status(steps.SmokeTest, steps.Failed)
			if c.more != nil {
				c.more(h)
			}
			r := h.look()
			if got := open(r); !slices.Equal(got, append([]int{}, c.open...)) {
				t.Fatalf("open are %v, want %v\n%s", got, c.open, r.Text())
			}
			if len(c.open) > 0 && !strings.Contains(r.Items[c.open[0]-1].Reason, c.reason) {
				t.Errorf("reason %q", r.Items[c.open[0]-1].Reason)
			}
		})
	}
}

// withoutAccount are the marks of a good run that had no account.
func withoutAccount() marks {
	m := good()
	for _, id := range []string{steps.LineLogin, steps.LineToken, steps.LineProtected, steps.LineRefresh} {
		delete(m[steps.SmokeTest], id)
	}
	return m
}

func TestARollbackUnticks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()
	at, err := envfile.Open(h.run.Project.EnvFile.Path)
	if err != nil {
		t.Fatal(err)
	}
	old := string(at.Data)
	if _, err := h.run.Journal.Replace(ctx, at, []byte(old+"A=1\n")); err != nil {
		t.Fatal(err)
	}
	h.prove(good(), true)
	if _, err := h.run.Journal.Revert(ctx, h.run.Journal.Applied()[0], false); err != nil {
		t.Fatal(err)
	}
	// Even when the same bytes come back by hand.
	h.write(".env", old+"A=1\n")
	r := h.look()
	if got := open(r); !slices.Equal(got, []int{2, 4, 5, 6, 9}) || !strings.Contains(r.Items[1].Reason, "undone") {
		t.Errorf("open are %v, reason %q", got, r.Items[1].Reason)
	}
}

// A grace period changes the .env too, and neither it nor its rollback says
// anything about the key that signs. The same change as part of an upgrade does.
func TestARollbackOfAGracePeriodKeepsWhatWasProved(t *testing.T) {
	t.Parallel()
	for name, writing := range map[string]bool{"a grace period": false, "an upgrade": true} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.status(steps.Write, steps.Running)
			h.status(steps.Write, steps.Done)
			h.prove(good(), true)
			h.attest(9)
			if writing {
				h.status(steps.Write, steps.Running)
			}
			at, err := envfile.Open(h.run.Project.EnvFile.Path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := h.run.Journal.Replace(t.Context(), at, append(slices.Clone(at.Data), "A=1\n"...)); err != nil {
				t.Fatal(err)
			}
			if _, err := h.run.Journal.Revert(t.Context(), h.run.Journal.Applied()[0], false); err != nil {
				t.Fatal(err)
			}
			h.status(steps.Write, steps.Undone)
			if r := h.look(); !writing && !slices.Equal(open(r), nil) || writing && !slices.Contains(open(r), 2) {
				t.Errorf("open are %v\n%s", open(r), r.Text())
			}
		})
	}
}

// What a check --fix edited, and a rollback of that, says nothing about the key.
func TestARollbackOfAnEditKeepsWhatWasProved(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.prove(good(), true)
	h.attest(9)
	for _, name := range []string{".env.example", "compose.yaml", ".gitignore", "docs/a.md"} {
		h.write(name, "A=1\n")
		at, err := envfile.Open(h.path(name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.run.Journal.Publish(t.Context(), at, []byte("A=1\nB=2\n")); err != nil {
			t.Fatal(err)
		}
	}
	for _, in := range h.run.Journal.Applied() {
		if _, err := h.run.Journal.Revert(t.Context(), in, false); err != nil {
			t.Fatal(err)
		}
	}
	if r := h.look(); !r.Complete {
		t.Errorf("open are %v\n%s", open(r), r.Text())
	}
	// That of a delivery does.
	d, err := h.run.Journal.Deliver(journal.Delivery{Target: "heroku:shop"}, secret.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.run.Journal.TookBack(d); err != nil {
		t.Fatal(err)
	}
	if got := open(h.look()); !slices.Equal(got, []int{2, 4, 5, 6}) {
		t.Errorf("open are %v", got)
	}
}

// A login that was proved stays proved when the upgrade runs again without an
// account, while the key and the files are the same.
func TestALoginOutlivesARunWithoutAnAccount(t *testing.T) {
	t.Parallel()
	again := func(h *house) {
		m := good()
		m[steps.SmokeTest] = map[string]steps.Mark{"answers": steps.MarkOK, "new-key": steps.MarkOK, "secret-key": steps.MarkOK, "random-key": steps.MarkOK, "previous-key": steps.MarkOK}
		h.status(steps.Restart, steps.Running)
		h.prove(m, true)
	}
	for name, c := range map[string]struct {
		between func(h *house)
		open    []int
	}{
		"the same":              {again, []int{}},
		"twice":                 {func(h *house) { again(h); again(h) }, []int{}},
		"another key":           {func(h *house) { h.newKey(); again(h) }, []int{5}},
		"another .env":          {func(h *house) { h.write(".env", stepstest.Content(h.t, h.run)+"A=1\n"); again(h) }, []int{5}},
		"failed in between":     {func(h *house) { h.status(steps.SmokeTest, steps.Failed); again(h) }, []int{5}},
		"restarted and no more": {func(h *house) { again(h); h.status(steps.Restart, steps.Running) }, []int{5, 6}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.prove(good(), true)
			h.attest(9)
			c.between(h)
			r := h.look()
			if got := open(r); !slices.Equal(got, c.open) {
				t.Errorf("open are %v, want %v\n%s", got, c.open, r.Text())
			}
		})
	}
}

// Times of the same minute tell nothing beside each other.
func TestWhatEndsAWordIsToldWithoutTheSameTimeTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.attest(9)
	h.attest(5)
	h.write(".env", "SECRET_KEY="+h.secretKey+"\nJWT_SECRET_KEY="+stepstest.Key()+"\n")
	r := h.look()
	for item, want := range map[int]string{5: `^Ada said so at [-0-9]+ \d\d:\d\d:\d\d UTC, but \.env changed since; `, 9: `^Ada said so at [-0-9]+ \d\d:\d\d:\d\d UTC, but the key was replaced since; `} {
		if got := r.Items[item-1].Reason; !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("item %d: %s", item, got)
		}
	}
}

func TestALeftOutStepIsSaid(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.status(steps.SmokeTest, steps.Skipped)
	if it := h.look().Items[4]; !strings.Contains(it.Reason, "Login was skipped") {
		t.Errorf("reason %q", it.Reason)
	}
}

func TestAWordCountsUntilWhatItIsAboutChanges(t *testing.T) {
	t.Parallel()
	lacking := "env:\n  SECRET_KEY: x\n"
	for name, c := range map[string]struct {
		item   int
		change func(h *house)
		reason string // "" while the word counts
	}{
		"4":                 {4, func(*house) {}, ""},
		"5":                 {5, func(*house) {}, ""},
		"6":                 {6, func(*house) {}, ""},
		"7":                 {7, func(*house) {}, ""},
		"8":                 {8, func(*house) {}, ""},
		"5, restarted":      {5, func(h *house) { h.status(steps.Restart, steps.Running) }, ""},
		"5, .env changed":   {5, func(h *house) { h.write(".env", stepstest.Content(h.t, h.run)+"A=1\n") }, "Ada said so at"},
		"5, login fails":    {5, func(h *house) { h.status(steps.SmokeTest, steps.Failed) }, "the step Login failed"},
		"4, restart fails":  {4, func(h *house) { h.status(steps.Restart, steps.Failed) }, "the step Restart failed"},
		"4, login fails":    {4, func(h *house) { h.status(steps.SmokeTest, steps.Failed) }, ""},
		"7, file changed":   {7, func(h *house) { h.write("ci.yml", lacking+"# x\n") }, "ci.yml changed since"},
		"7, new file":       {7, func(h *house) { h.write("new.yml", lacking) }, "new.yml sets SECRET_KEY since"},
		"7, new good file":  {7, func(h *house) { h.write("new.yml", workflow) }, ""},
		"8, file changed":   {8, func(h *house) { h.write("docs/a.md", "SECRET_KEY=2\n") }, "docs/a.md changed since"},
		"8, pipeline added": {8, func(h *house) { h.write("new.yml", lacking) }, ""},
		"7, test fails":     {7, func(h *house) { h.status(steps.SmokeTest, steps.Failed) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.write("ci.yml", lacking)
			h.write("docs/a.md", "SECRET_KEY=1\n")
			if it := h.look().Items[c.item-1]; it.State != Open {
				t.Fatalf("item %d is %s before", c.item, it.State)
			}
			h.attest(c.item)
			c.change(h)
			it := h.look().Items[c.item-1]
			switch {
			case c.reason == "" && it.State != Attested:
				t.Errorf("item %d is %s: %s", c.item, it.State, it.Reason)
			case c.reason != "" && (it.State != Open || !strings.Contains(it.Reason, c.reason)):
				t.Errorf("item %d is %s: %q", c.item, it.State, it.Reason)
			}
		})
	}
}

func TestWordsAreChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, c := range []struct {
		item     int
		by, note string
	}{
		{0, "Ada", "x"}, {1, "Ada", "x"}, {3, "Ada", "x"}, {10, "Ada", "x"}, {9, "", "x"}, {9, " \u200b", "x"}, {9, "Ada", ""},
		{9, "Ada", strings.Repeat("x", MaxWords+1)},
	} {
		if err := Attest(context.Background(), h.run, c.item, c.by, c.note); !errors.Is(err, steps.ErrUsage) {
			t.Errorf("item %d by %q: %v", c.item, c.by, err)
		}
	}
	if entries := h.run.Journal.Entries(); len(entries) != 1 {
		t.Errorf("%d entries in the journal", len(entries))
	}
	// The right words are taken, cleaned.
	if err := Attest(context.Background(), h.run, 9, "A\x1b[31mda\nX", fmt.Sprintf("key is %s, @all", h.key)); err != nil {
		t.Fatal(err)
	}
	r := h.look()
	if it := r.Items[8]; it.State != Attested || it.Evidence[0].said() != "signed off by Ada X: key is ****, @all" {
		t.Errorf("item 9: %+v", it)
	}
	if md := r.Markdown(); strings.Contains(md, "@all") {
		t.Error("the report would call people")
	}
	data, err := os.ReadFile(h.run.Journal.Dir() + "/journal.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), h.key) {
		t.Error("the journal holds the key")
	}
}
