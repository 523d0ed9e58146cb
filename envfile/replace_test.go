package envfile

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestReplace(t *testing.T) {
	large := make([]byte, 10<<20)
	_, _ = rand.Read(large)
	for name, c := range map[string]struct{ old, data []byte }{
		"usual":          {[]byte("A=1\n"), []byte("A=1\nB=2\n")},
		"shorter":        {[]byte("A=1\nB=2\n"), []byte("A=1\n")},
		"from empty":     {[]byte{}, []byte("A=1\n")},
		"to empty":       {[]byte("A=1\n"), []byte{}},
		"missing":        {nil, []byte("A=1\n")},
		"missing, empty": {nil, []byte{}},
		"10 MB":          {large, append([]byte("A=1\n"), large...)},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, c.old)
			out, err := p.replace(t, c.data)
			if err != nil || out != (Outcome{State: Replaced}) {
				t.Fatalf("%+v, %v", out, err)
			}
			p.holds(t, c.data)
			p.clean(t)
			in := p.only(t)
			if in.Created != (c.old == nil) || in.NewSum != testSum(c.data) {
				t.Errorf("the intent does not tell what happened: %+v", in)
			}
			if c.old != nil {
				kept, err := p.ledger.Kept(in.BackupID)
				if err != nil || !bytes.Equal(kept, c.old) {
					t.Errorf("the backup is not the old content: %v", err)
				}
			}
			if open, err := p.ledger.intents(true); err != nil || len(open) != 0 {
				t.Errorf("%d intents are unfinished, %v", len(open), err)
			}
		})
	}
}

func TestReplaceCreatesPrivateFile(t *testing.T) {
	p := newPlace(t, nil)
	if _, err := p.replace(t, []byte("A=1\n")); err != nil {
		t.Fatal(err)
	}
	if s := p.open(t); s.Mode != 0o600 {
		t.Errorf("mode %v", s.Mode)
	}
}

func TestReplaceWritesNothingWhenNothingChanges(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	before := p.open(t)
	out, err := p.replace(t, []byte("A=1\n"))
	if err != nil || out.State != Unchanged {
		t.Fatalf("%+v, %v", out, err)
	}
	if !p.open(t).same(before) {
		t.Error("the file was written anew")
	}
	if names := listing(t, p.ledger.dir); len(names) != 0 {
		t.Errorf("the ledger has %q", names)
	}
}

func TestReplaceRefusesTooLarge(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	_, err := p.replace(t, make([]byte, MaxSize+1))
	refusedWith(t, err, ReasonTooLarge)
	p.holds(t, []byte("A=1\n"))
}

func TestReplaceKeepsTheLink(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	link := filepath.Join(p.house, "link")
	if err := os.Symlink(".env", link); err != nil {
		t.Fatal(err)
	}
	snap, err := Open(link)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Replace(context.Background(), snap, []byte("A=2\n"), p.ledger, p.opts); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != ".env" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	p.holds(t, []byte("A=2\n"))
	p.clean(t, ".env", "link")
}

// stepNames are all steps of a plain replacement, in order.
func stepNames() []string {
	names := []string{}
	for _, s := range (&replacement{}).steps() {
		names = append(names, s.name)
	}
	return names
}

func TestReplaceFailsCleanlyAtEveryStep(t *testing.T) {
	broken := errors.New("injected")
	for _, old := range [][]byte{[]byte("A=1\n"), nil} {
		for _, name := range stepNames() {
			t.Run(fmt.Sprint(name, old != nil), func(t *testing.T) {
				p := newPlace(t, old)
				p.opts.before = func(step string) error {
					if step == name {
						return broken
					}
					return nil
				}
				out, err := p.replace(t, []byte("A=2\n"))
				if !errors.Is(err, broken) || out.State != Unchanged || !strings.Contains(err.Error(), name) {
					t.Errorf("%+v, %v", out, err)
				}
				if old == nil {
					p.clean(t, []string{}...)
				} else {
					p.holds(t, old)
					p.clean(t)
				}
				if open, err := p.ledger.intents(true); err != nil || len(open) != 0 {
					t.Errorf("%d intents are unfinished, %v", len(open), err)
				}
			})
		}
	}
}

func TestReplaceTellsUnknownDurability(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	p.opts.before = func(step string) error {
		if step == "sync the folder of" {
			return errors.New("injected")
		}
		return nil
	}
	out, err := p.replace(t, []byte("A=2\n"))
	if err == nil || out.State != NotDurable {
		t.Errorf("%+v, %v", out, err)
	}
	p.holds(t, []byte("A=2\n"))
	p.clean(t)
}

func TestReplaceCancelled(t *testing.T) {
	for _, name := range stepNames() {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, []byte("A=1\n"))
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			p.opts.before = func(step string) error {
				if step == name {
					cancel()
				}
				return nil
			}
			out, err := Replace(ctx, p.open(t), []byte("A=2\n"), p.ledger, p.opts)
			if name == renameStep { // too late: what has happened is finished
				if err != nil || out.State != Replaced {
					t.Errorf("%+v, %v", out, err)
				}
			} else if !errors.Is(err, context.Canceled) || out.State != Unchanged {
				t.Errorf("%+v, %v", out, err)
			} else {
				p.holds(t, []byte("A=1\n"))
			}
			p.clean(t)
		})
	}
}

// TestReplaceKeepsTheEditors lets another program change the file at the last moment before the second look.
func TestReplaceKeepsTheEditors(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(p place) error
		want []byte
	}{
		"saves in place": {func(p place) error { return os.WriteFile(p.target, []byte("A=editor\n"), 0o600) }, []byte("A=editor\n")},
		"saves by rename": {func(p place) error {
			side := filepath.Join(p.house, "side")
			return errors.Join(os.WriteFile(side, []byte("A=1\n"), 0o600), os.Rename(side, p.target))
		}, []byte("A=1\n")},
		"changes the mode": {func(p place) error { return os.Chmod(p.target, 0o640) }, []byte("A=1\n")},
		"removes":          {func(p place) error { return os.Remove(p.target) }, nil},
		"makes a link of it": {func(p place) error {
			return errors.Join(os.Remove(p.target), os.Symlink("../ledger", p.target))
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, []byte("A=1\n"))
			p.opts.before = func(step string) error {
				if step == "compare" {
					return c.edit(p)
				}
				return nil
			}
			out, err := p.replace(t, []byte("A=2\n"))
			refusedWith(t, err, ReasonChanged)
			if out.State != Unchanged {
				t.Errorf("%+v", out)
			}
			if c.want != nil {
				p.holds(t, c.want)
			}
			for _, name := range listing(t, p.house) {
				if name != ".env" {
					t.Errorf("%s was left", name)
				}
			}
		})
	}
}

func TestReplaceKeepsAFileMadeMeanwhile(t *testing.T) {
	p := newPlace(t, nil)
	snap := p.open(t)
	put(t, p.target, []byte("A=editor\n"))
	_, err := Replace(context.Background(), snap, []byte("A=2\n"), p.ledger, p.opts)
	refusedWith(t, err, ReasonChanged)
	p.holds(t, []byte("A=editor\n"))
}

func TestTempIsNeverWiderThanWanted(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	if err := os.Chmod(p.target, 0o644); err != nil {
		t.Fatal(err)
	}
	seen := 0
	kept := false // the mode may be the wanted one only after the step that keeps it
	p.opts.before = func(step string) error {
		temps, err := filepath.Glob(filepath.Join(p.house, ".env.keysplit-*"))
		for _, temp := range temps {
			fi, err := os.Stat(temp)
			if err != nil {
				return err
			}
			seen++
			if mode := fi.Mode().Perm(); !kept && mode != 0o600 || mode&^0o644 != 0 {
				return fmt.Errorf("mode %v before %q", mode, step)
			}
		}
		kept = kept || strings.HasPrefix(step, "keep the owner")
		return err
	}
	if _, err := p.replace(t, []byte("A=2\n")); err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("no temporary file was ever seen")
	}
}

// TestManyWritersAtOnce starts from one snapshot each, so that all but one are late.
func TestManyWritersAtOnce(t *testing.T) {
	const writers = 8
	write := func(t *testing.T, p place, save func(*Snapshot, []byte) error) (refused int) {
		var snaps [writers]*Snapshot
		for i := range snaps {
			snaps[i] = p.open(t)
		}
		var wg sync.WaitGroup
		errs := make([]error, writers)
		for i, s := range snaps {
			wg.Go(func() { errs[i] = save(s, fmt.Appendf(bytes.Clone(s.Data), "K%d=1\n", i)) })
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				refusedWith(t, err, ReasonChanged)
				refused++
			}
		}
		return refused
	}
	lines := func(p place) int { return bytes.Count(p.open(t).Data, []byte("\n")) }

	p := newPlace(t, []byte{})
	refused := write(t, p, func(s *Snapshot, data []byte) error {
		_, err := Replace(context.Background(), s, data, p.ledger, p.opts)
		return err
	})
	if refused+lines(p) != writers || lines(p) != 1 {
		t.Errorf("%d were refused and %d lines written: an update is lost", refused, lines(p))
	}
	p.clean(t)

	// The control: a writer that does not compare loses updates, and this count shows it.
	p = newPlace(t, []byte{})
	refused = write(t, p, func(s *Snapshot, data []byte) error { return os.WriteFile(s.Target, data, 0o600) })
	if refused+lines(p) == writers {
		t.Error("the careless writer lost nothing: this test proves nothing")
	}
}

func TestManyRetryingGoroutines(t *testing.T) {
	const writers, each = 6, 4
	p := newPlace(t, nil)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for n := range each {
				if err := appendLine(p, fmt.Sprintf("K_%d_%d=1\n", i, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	everyLine(t, p, writers*each)
}

func TestManyProcesses(t *testing.T) {
	const writers = 5
	p := newPlace(t, []byte{})
	var cmds []*exec.Cmd
	var outs [writers]bytes.Buffer
	for i := range writers {
		cmd := roleCommand(t, fmt.Sprint("append:", i), p)
		cmd.Stdout, cmd.Stderr = &outs[i], &outs[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, outs[i].String())
		}
	}
	everyLine(t, p, writers*5)
}

func everyLine(t *testing.T, p place, want int) {
	t.Helper()
	seen := map[string]bool{}
	for _, line := range strings.Fields(string(p.open(t).Data)) {
		seen[line] = true
	}
	if len(seen) != want {
		t.Errorf("%d of %d updates are there", len(seen), want)
	}
	p.clean(t)
}

func TestIntentHoldsNoSecret(t *testing.T) {
	before, after := rand.Text(), rand.Text()
	p := newPlace(t, []byte("KEY="+before+"\n"))
	if _, err := p.replace(t, []byte("KEY="+after+"\n")); err != nil {
		t.Fatal(err)
	}
	in := p.only(t)
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte(before)) || bytes.Contains(data, []byte(after)) {
		t.Error("the intent shows a secret")
	}
	var back Intent
	if err := json.Unmarshal(data, &back); err != nil || fmt.Sprint(back) != fmt.Sprint(in) {
		t.Errorf("the intent does not survive JSON: %v", err)
	}
}

// TestGitIgnoresTemp asks git itself, with the lines that common ignore files have.
func TestGitIgnoresTemp(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		missingTool(t, "git is not installed", err)
	}
	for lines, want := range map[string]bool{
		".env\n*.py[codz]\n": true, ".env\n*.pyc\n": true, ".env.*\n": true, ".env*\n": true,
		".env\n": false, // the control
	} {
		dir := t.TempDir()
		if out, err := exec.Command(git, "init", "-q", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		put(t, filepath.Join(dir, ".gitignore"), []byte(lines))
		err := exec.Command(git, "-C", dir, "check-ignore", "-q", tempName("/x/.env", "0123456789abcdef")).Run()
		if ignored := err == nil; ignored != want {
			t.Errorf("with %q ignored is %v, want %v", lines, ignored, want)
		}
	}
}

func TestReplaceNeedsLockFolder(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	p.opts.LockDir = ""
	if out, err := p.replace(t, []byte("A=2\n")); err == nil || out.State != Unchanged {
		t.Errorf("%+v, %v", out, err)
	}
}

// failingLedger fails in one method.
type failingLedger struct {
	dirLedger
	fails string
}

var errLedger = errors.New("the disk of the ledger is full")

func (l failingLedger) Keep(target string, data []byte) (string, error) {
	if l.fails == "Keep" {
		return "", errLedger
	}
	return l.dirLedger.Keep(target, data)
}

func (l failingLedger) Begin(in Intent) error {
	if l.fails == "Begin" {
		return errLedger
	}
	return l.dirLedger.Begin(in)
}

func (l failingLedger) Finish(in Intent, out Outcome) error {
	if l.fails == "Finish" {
		return errLedger
	}
	return l.dirLedger.Finish(in, out)
}

func TestReplaceWithFailingLedger(t *testing.T) {
	for fails, want := range map[string]State{"Keep": Unchanged, "Begin": Unchanged, "Finish": Replaced} {
		p := newPlace(t, []byte("A=1\n"))
		out, err := Replace(context.Background(), p.open(t), []byte("A=2\n"), failingLedger{p.ledger, fails}, p.opts)
		if !errors.Is(err, errLedger) || out.State != want {
			t.Errorf("%s: %+v, %v", fails, out, err)
		}
		if want == Unchanged {
			p.holds(t, []byte("A=1\n"))
		}
		p.clean(t)
	}
}

func BenchmarkReplace(b *testing.B) {
	p := newPlace(b, []byte("A=1\n"))
	line := bytes.Repeat([]byte("SOME_NAME=some value\n"), 100)
	for i := 0; b.Loop(); i++ {
		snap, err := Open(p.target)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Replace(context.Background(), snap, fmt.Appendf(bytes.Clone(line), "N=%d\n", i), p.ledger, p.opts); err != nil {
			b.Fatal(err)
		}
	}
}

// A temporary file that cannot be removed is the next run's work: its name stays known.
func TestReplaceLeavesIntentOpenForAStuckTemp(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	opts := p.opts
	var temp string
	opts.before = func(step string) error {
		if step != renameStep {
			return nil
		}
		// A folder with something in it in the place of the temporary file cannot be removed.
		temp = filepath.Join(p.house, p.only(t).Temp)
		made(t, "", errors.Join(os.Remove(temp), os.Mkdir(temp, 0o755)))
		put(t, filepath.Join(temp, "x"), nil)
		return errors.New("injected")
	}
	out, err := Replace(context.Background(), p.open(t), []byte("A=2\n"), p.ledger, opts)
	if out.State != Unchanged || err == nil || !strings.Contains(err.Error(), "remove the temporary file") {
		t.Errorf("%+v, %v", out, err)
	}
	if open, err := p.ledger.intents(true); err != nil || len(open) != 1 {
		t.Errorf("%d intents are unfinished, %v; want 1", len(open), err)
	}
}
