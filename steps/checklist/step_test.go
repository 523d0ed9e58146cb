package checklist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest"
)

func TestTheStepNeverFailsForOpenItems(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.write("ci.yml", "SECRET_KEY: x\n")
	h.prove(good(), true)
	s := &Step{}
	ctx := context.Background()
	p, err := s.Plan(ctx, h.run)
	if err != nil || !p.Nothing || len(p.Details) != 2 || !strings.HasPrefix(p.Details[0].Rendered(), "Open: 7.") {
		t.Errorf("plan %+v, %v", p, err)
	}
	dry := *h.run
	dry.Journal = nil
	if p, err := s.Plan(ctx, &dry); err != nil || len(p.Details) != 0 {
		t.Errorf("a run that does not know what was proved says %+v, %v", p, err)
	}
	var events stepstest.Events
	if err := s.Apply(ctx, h.run, events.Emit); err != nil {
		t.Fatal(err)
	}
	checks := map[string]steps.Event{}
	findings := 0
	for _, ev := range events {
		switch ev.Kind {
		case steps.EventCheck:
			checks[ev.ID] = ev
		case steps.EventFinding:
			findings++
		}
	}
	for i := 1; i <= 9; i++ {
		want := steps.MarkOK
		if i == 7 || i == 9 {
			want = steps.MarkWarn
		}
		if ev := checks[fmt.Sprintf("item-%d", i)]; ev.Mark != want || ev.Text.Rendered() == "" || ev.Detail.Rendered() == "" {
			t.Errorf("item %d: %+v", i, ev)
		}
	}
	if len(checks) != 9 || findings != 1 {
		t.Errorf("%d checks, %d findings", len(checks), findings)
	}
	if s.Verify(ctx, h.run, events.Emit) != nil || s.Undo(ctx, h.run, events.Emit) != nil {
		t.Error("verify or undo failed")
	}
	if err := s.Apply(ctx, &steps.Run{}, events.Emit); err == nil {
		t.Error("no project, and no error")
	}
}

// The engine's own recording, from the check lines of steps to the items.
func TestItemsFromAnEnginesRun(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var all []steps.Step
	for _, n := range steps.Order()[:6] {
		all = append(all, &said{n, good()[n]})
	}
	e := steps.NewEngine(h.run, append(all, &Step{})...)
	h.run.Restarted = true
	for _, n := range steps.Order() {
		if _, err := e.Plan(context.Background(), n, nil); err != nil {
			t.Fatal(err)
		}
		if err := e.Apply(context.Background(), n, nil); err != nil {
			t.Fatal(err)
		}
	}
	// As another process sees it.
	j, err := h.run.Options.State.Read(h.run.Project.Root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	h.run.Journal = j
	if got := open(h.look()); len(got) != 1 || got[0] != 9 {
		t.Errorf("open are %v", got)
	}
}

// said is a step that emits check lines.
type said struct {
	name  steps.Name
	lines map[string]steps.Mark
}

func (s *said) Name() steps.Name { return s.name }
func (s *said) Plan(context.Context, *steps.Run) (steps.Plan, error) {
	return steps.Plan{}, nil
}
func (s *said) Apply(_ context.Context, _ *steps.Run, emit steps.Emit) error {
	for id, mark := range s.lines {
		emit.Check(id, mark, id, "")
	}
	return nil
}
func (*said) Verify(context.Context, *steps.Run, steps.Emit) error { return nil }
func (*said) Undo(context.Context, *steps.Run, steps.Emit) error   { return nil }

func TestNoFormShowsASecret(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	password := stepstest.Key()
	other := stepstest.Key()
	h.write(".env.staging", "SECRET_KEY="+other+"\nDB_PASSWORD="+password+"\n")
	h.write("ci.yml", "SECRET_KEY: "+other+"\nDB_PASSWORD: "+password+"\n")
	h.write("docs/a.md", "SECRET_KEY="+other+" "+password+"\n")
	h.write("docs/"+h.key+".md", "SECRET_KEY=x\n")
	h.prove(good(), true)
	h.attest(9)
	full := h.run.Prints.Sum([]byte(h.key))
	r := h.look()
	r.Team = r.TeamMessage()
	out := map[string]string{"Markdown": r.Markdown(), "text": r.Text(), "JSON": asJSON(t, r), "Go": fmt.Sprintf("%+v", r)}
	for form, text := range out {
		for what, secret := range map[string]string{"JWT_SECRET_KEY": h.key, "SECRET_KEY": h.secretKey, "another key": other, "a password": password, "a fingerprint": full[:8]} {
			for i := 0; i+8 <= len(secret); i++ {
				if strings.Contains(text, secret[i:i+8]) {
					t.Errorf("%s shows %s", form, what)
					break
				}
			}
		}
		if !strings.Contains(text, ".env.staging") || !strings.Contains(text, "ci.yml") {
			t.Errorf("%s does not name the files: the search above proves nothing", form)
		}
	}
}

// fixedHouse has a journal of known times and nothing that changes from one
// test to the next.
func fixedHouse(t *testing.T) (*house, time.Time) {
	h := newHouse(t)
	root := filepath.Join(h.run.Project.Root, "plantid")
	h.write("plantid/backend/.env", stepstest.Content(t, h.run))
	h.write("plantid/backend/settings.py", "DEBUG = True\n")
	h.write("plantid/.github/workflows/test.yml", workflow)
	h.write("plantid/docker-compose.yml", "services:\n  backend:\n    environment:\n      - SECRET_KEY=${SECRET_KEY}\n")
	h.write("plantid/docs/set_up.md", "Put SECRET_KEY=... and JWT_SECRET_KEY=... into .env\n")
	p := h.run.Project
	p.TopLevel, p.Root = root, filepath.Join(root, "backend")
	p.EnvFile.Path, p.SettingsFile = filepath.Join(p.Root, ".env"), filepath.Join(p.Root, "settings.py")
	j, err := h.run.Options.State.Open(p.Root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	h.run.Journal, h.run.Prints = j, j.Prints()
	for n, m := range good() {
		delete(m, "login")
		ids := []string{"differ", "checks", "answers", "new-key", "secret-key", "previous-key", "random-key"}
		ev := journal.Evidence{Restarted: true, Files: steps.ProofFiles(h.run)}
		if n == steps.SmokeTest {
			ev.Server = "http://127.0.0.1:8000"
		}
		for _, id := range ids {
			if m[id] != "" {
				ev.Checks = append(ev.Checks, journal.CheckLine{ID: id, Mark: string(m[id]), Text: "the line " + id, Detail: "as seen"})
			}
		}
		if len(ev.Checks) == 0 {
			continue
		}
		if err := j.Record(string(n), ev); err != nil {
			t.Fatal(err)
		}
	}
	if err := Attest(context.Background(), h.run, 9, "Ada", "mail to <backend@example.com>, *all*"); err != nil {
		t.Fatal(err)
	}
	start := time.Date(2025, 11, 3, 10, 0, 0, 0, time.UTC)
	for i := range j.Entries() {
		j.Entries()[i].Time = start
	}
	return h, start.Add(90 * time.Minute)
}

func TestGoldenReports(t *testing.T) {
	t.Parallel()
	h, now := fixedHouse(t)
	r, err := Look(context.Background(), h.run, now)
	if err != nil {
		t.Fatal(err)
	}
	r.AddFindings([]finding.Finding{finding.New("env-file-permissions", "").At("backend/.env", 0)})
	changed := true
	r.Keysplit, r.Machine, r.Commit, r.Changed = "v1.0.0", "ada-laptop", "1a2b3c4", &changed
	r.Team = r.TeamMessage()
	if got := r.Items[5].inShort(); !strings.HasSuffix(got, "; no account's token was tried") {
		t.Errorf("in a line, item 6 does not say what was not asked: %s", got)
	}
	for name, got := range map[string]string{"report.md": r.Markdown(), "report.txt": r.Text(), "report.json": asJSON(t, r), "team.txt": r.Team} {
		path := filepath.Join("testdata", name)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs (UPDATE_GOLDEN=1 writes it anew):\n%s", name, got)
		}
	}
}

func TestEnvironmentIsInTheCommand(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.run.Options.Environment = "staging"
	items := h.look().Items
	if next := items[8].Next.Rendered(); !strings.Contains(next, "keysplit report --env staging --attest 9") || !strings.Contains(next, "keysplit report --env staging --team") {
		t.Errorf("next %q", next)
	}
	open := 0
	for _, it := range items {
		next := it.Next.Rendered()
		if open += strings.Count(next, "keysplit "); strings.Count(next, "keysplit ") != strings.Count(next, " --env staging") {
			t.Errorf("item %d, next %q", it.Number, next)
		}
	}
	if open < 5 {
		t.Errorf("only %d commands were looked at", open)
	}
}

func TestTheTeamHearsWhenSessionsEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if m := h.look().TeamMessage(); !strings.Contains(m, "all sessions end when") || !strings.Contains(m, "Still open in development\n  2.") {
		t.Errorf("before:\n%s", m)
	}
	h.prove(good(), true)
	if m := h.look().TeamMessage(); !strings.Contains(m, "all sessions have ended: seen at 2") || strings.Contains(m, "Still open") {
		t.Errorf("after:\n%s", m)
	}
}

func TestEscape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"JWT_SECRET_KEY": "JWT_SECRET_KEY",
		"_x_":            `\_x\_`,
		"<b>*a*</b>":     `\<b\>\*a\*\</b\>`,
		"[a](b)`c`":      "\\[a\\](b)\\`c\\`",
		"@team":          "@<!-- -->team",
	} {
		if got := escape(in); got != want {
			t.Errorf("escape(%q) = %q, want %q", in, got, want)
		}
	}
	if got := code("a`b"); got != "`a'b`" {
		t.Errorf("code gives %s", got)
	}
}

// A look that was cut short signs nothing off, and is no plan and no result.
func TestALookThatIsCutShort(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	before := len(h.run.Journal.Entries())
	if err := Attest(ctx, h.run, 9, "Ada", "told"); !errors.Is(err, context.Canceled) || len(h.run.Journal.Entries()) != before {
		t.Errorf("signed off: %v", err)
	}
	if _, err := (&Step{}).Plan(ctx, h.run); !errors.Is(err, context.Canceled) {
		t.Errorf("planned: %v", err)
	}
	if found, err := (&Step{}).Lacks(ctx, h.run); !errors.Is(err, context.Canceled) || found != nil {
		t.Errorf("lacks: %v", err)
	}
	all := All{Environments: []Report{{Environment: "staging"}}}
	for name, text := range map[string]string{"Markdown": all.Markdown(), "text": all.Text()} {
		if !strings.Contains(text, "No place that was looked at lacks it.") || !strings.Contains(text, "staging") {
			t.Errorf("%s: %s", name, text)
		}
	}
}
