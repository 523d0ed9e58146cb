package steps

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
)

// checked is a step that shows one line of proof.
type checked struct{ fake }

func (c *checked) Verify(_ context.Context, _ *Run, emit Emit) error {
	emit.Check("a line", MarkOK, "seen", "")
	return nil
}

// Evidence keeps the name of the commit that it was seen at, also when the project goes
// on, and says where files differed from it.
func TestEvidenceNamesItsCommit(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-C", root, "-c", "user.name=Test", "-c", "user.email=test@localhost"}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out[:len(out)-min(len(out), 1)])
	}
	file := filepath.Join(root, "settings.py")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("A = 1\n")
	git("init", "-q")
	git("add", ".")
	git("commit", "-qm", "Begin")
	j, err := journal.Folder(filepath.Join(t.TempDir(), "state")).Open(root, DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	prove := func() string {
		t.Helper()
		run := &Run{Prints: secret.NewFingerprinter(nil), Found: Found{Journal: j, Project: &Project{Root: root, TopLevel: root}}}
		e := NewEngine(run, &checked{fake{name: Preflight}}, &checked{fake{name: Generate}})
		pass(t, e, Preflight)
		pass(t, e, Generate)
		all := j.Entries()
		for i := len(all) - 1; i >= 0; i-- {
			if all[i].Evidence != nil {
				return all[i].Evidence.Commit
			}
		}
		return "no evidence"
	}
	first := git("rev-parse", "--short", "HEAD")
	if got := prove(); got != first {
		t.Errorf("seen at %q, want %q", got, first)
	}
	write("A = 2\n")
	if got := prove(); got != first+" with uncommitted changes" {
		t.Errorf("seen at %q", got)
	}
	git("commit", "-qam", "Go on")
	if got, second := prove(), git("rev-parse", "--short", "HEAD"); got != second || got == first {
		t.Errorf("seen at %q, want %q", got, second)
	}
}

// refusing is a proof that tells of the keys, and then fails for some findings.
type refusing struct {
	fake
	codes []finding.Code
}

func (r *refusing) Apply(_ context.Context, _ *Run, emit Emit) error {
	emit.Check(LineSecret, MarkOK, "refuses SECRET_KEY", "")
	var found []finding.Finding
	for _, code := range r.codes {
		found = append(found, finding.New(code, ""))
	}
	return Fail(found...)
}

// A proof whose login alone failed keeps what it saw of the keys.
func TestAFailedLoginKeepsWhatWasSeenBefore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		codes []finding.Code
		keeps bool
	}{
		"made to wait":               {[]finding.Code{finding.LoginThrottled}, true},
		"refused":                    {[]finding.Code{finding.LoginRejected}, true},
		"a stale server":             {[]finding.Code{finding.ServerStaleKey}, false},
		"that of a second one":       {[]finding.Code{finding.LoginThrottled, finding.ServerStaleKey}, false},
		"no password was sent there": {[]finding.Code{finding.LoginWithheld}, false},
	} {
		root := t.TempDir()
		j, err := journal.Folder(filepath.Join(t.TempDir(), "state")).Open(root, DefaultEnvironment)
		if err != nil {
			t.Fatal(err)
		}
		run := &Run{Prints: secret.NewFingerprinter(nil), Found: Found{Journal: j, Project: &Project{Root: root, TopLevel: root}}}
		e := NewEngine(run, &fake{name: Preflight}, &fake{name: Generate}, &fake{name: Write}, &fake{name: Distinct}, &fake{name: Restart}, &refusing{fake{name: SmokeTest}, c.codes})
		for _, n := range []Name{Preflight, Generate, Write, Distinct, Restart} {
			pass(t, e, n)
		}
		if _, err := e.Plan(t.Context(), SmokeTest, nil); err != nil {
			t.Fatal(err)
		}
		if failure := (*Failure)(nil); !errors.As(e.Apply(t.Context(), SmokeTest, nil), &failure) {
			t.Fatalf("%s: no failure", name)
		}
		var kinds []string
		for _, entry := range j.Entries() {
			if entry.Kind == journal.KindEvidence || entry.Kind == journal.KindStatus && entry.Step == string(SmokeTest) {
				kinds = append(kinds, string(entry.Kind)+" "+entry.Status)
			}
		}
		want := []string{"status running", "status failed"}
		if c.keeps {
			want = []string{"status running", "evidence ", "status failed"}
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("%s: the journal has %q, want %q", name, kinds, want)
		}
	}
}
