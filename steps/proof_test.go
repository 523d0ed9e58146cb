package steps

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/journal"
)

// proving emits check lines, the last mark of each being what counts.
type proving struct {
	fake
	lines []journal.CheckLine
}

func (p *proving) Apply(_ context.Context, _ *Run, emit Emit) error {
	for _, l := range p.lines {
		emit.Check(l.ID, Mark(l.Mark), l.Text, l.Detail)
	}
	return p.apply
}

func evidenceIn(j *journal.Journal) []journal.Entry {
	var out []journal.Entry
	for _, e := range j.Entries() {
		if e.Kind == "evidence" {
			out = append(out, e)
		}
	}
	return out
}

func TestEngineRecordsWhatAStepProved(t *testing.T) {
	t.Parallel()
	value := canary.New()
	j, env := withJournal(t, "K=1\n")
	pre := &proving{fake{name: Preflight}, []journal.CheckLine{{ID: "project", Mark: string(MarkOK)}}}
	gen := &proving{fake{name: Generate}, nil}
	write := &proving{fake{name: Write}, []journal.CheckLine{
		{ID: "a", Mark: string(MarkRunning), Text: "a"}, {ID: "b", Mark: string(MarkWarn), Text: "b"},
		{ID: "a", Mark: string(MarkOK), Text: "a", Detail: "seen " + value},
	}}
	failing := &proving{fake{name: Distinct, apply: errors.New("no")}, []journal.CheckLine{{ID: "x", Mark: string(MarkOK)}}}
	run := &Run{Found: Found{Journal: j, Project: &Project{EnvFile: EnvFile{Path: env}}}, Prints: j.Prints()}
	run.Redactor.Add(run.Prints.Secret(value))
	e := NewEngine(run, pre, gen, write, failing)
	for _, n := range []Name{Preflight, Generate, Write} {
		pass(t, e, n)
	}
	if _, err := e.Plan(context.Background(), Distinct, nil); err != nil {
		t.Fatal(err)
	}
	if err := e.Apply(context.Background(), Distinct, nil); err == nil {
		t.Fatal("the failing step passed")
	}
	j, err := stateOf(j).Read(filepath.Dir(env), "development")
	if err != nil {
		t.Fatal(err)
	}
	got := evidenceIn(j)
	if len(got) != 1 || got[0].Step != string(Write) {
		t.Fatalf("%d entries of evidence, want the one of write", len(got))
	}
	ev := got[0].Evidence
	if len(ev.Checks) != 2 || ev.Checks[0].Mark != string(MarkOK) || ev.Checks[1].Mark != string(MarkWarn) {
		t.Errorf("check lines %+v", ev.Checks)
	}
	if len(ev.Files) != 1 || ev.Files[0] != journal.SumFile(j.Prints(), env) || ev.Files[0].Sum == "" {
		t.Errorf("files %+v", ev.Files)
	}
	lines, err := os.ReadFile(filepath.Join(j.Dir(), "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if canary.Leaks(string(lines), value) {
		t.Error("the journal holds a secret")
	}
	if err := os.WriteFile(env, []byte("K=2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if journal.SumFile(j.Prints(), env) == ev.Files[0] {
		t.Error("a changed file has the same fingerprint")
	}
}

// The evidence of a server names its address, and nobody's password.
func TestEvidenceNamesTheServers(t *testing.T) {
	t.Parallel()
	j, env := withJournal(t, "K=1\n")
	run := &Run{Found: Found{Journal: j, Project: &Project{EnvFile: EnvFile{Path: env}}}, Prints: j.Prints()}
	run.URL, run.Asked = "http://127.0.0.1:8000", []string{"https://ada:" + canary.New() + "@a.example.com/x?token=1", "https://b.example.com\x1b[31m", "http://[::1]:80"}
	all := []Step{&proving{fake{name: Preflight}, nil}}
	for _, n := range []Name{Generate, Write, Distinct, Restart, SmokeTest} {
		all = append(all, &proving{fake{name: n}, []journal.CheckLine{{ID: "a", Mark: string(MarkOK)}}})
	}
	e := NewEngine(run, all...)
	for _, s := range all {
		pass(t, e, s.Name())
	}
	want := map[Name]string{Restart: "http://127.0.0.1:8000", SmokeTest: "https://a.example.com/x, http://[::1]:80"}
	for _, entry := range evidenceIn(j) {
		if got := entry.Evidence.Server; got != want[Name(entry.Step)] {
			t.Errorf("%s: %q", entry.Step, got)
		}
	}
}
