package steps

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/journal"
)

// A plan that does not fit together is written nowhere, and what cannot be taken back is
// said with the way to do it.
func TestEditsThatDoNotFitTogether(t *testing.T) {
	t.Parallel()
	run, top := ground(t, map[string]string{"a.md": "x\n", "b.md": "y\n"})
	edits := plan(t, run, "a.md", "b.md")
	twice := append(edits, Edit{ID: "other", File: edits[0].File, Was: []byte("another version\n"), Is: []byte("z\n"), On: true})
	if err := run.WriteEdits(t.Context(), twice, func(Event) {}); err == nil || FilesOf(twice) != nil || contents(t, top, "b.md")[0] != "y\n" {
		t.Errorf("%v, %v", err, FilesOf(twice))
	}
	said := ""
	err := run.WriteEdits(t.Context(), edits, func(e Event) {
		if said += e.Text.Rendered(); e.ID == "write a.md" {
			put(t, filepath.Join(top, "a.md"), "edited\n")
			put(t, filepath.Join(top, "b.md"), "edited\n")
		}
	})
	if err == nil || !strings.Contains(said, "a.md could not be restored. To undo what this run wrote") || strings.Contains(said, "restored exactly") || len(run.Journal.Applied()) != 1 {
		t.Errorf("%v, %d in force\n%s", err, len(run.Journal.Applied()), said)
	}
	d, err := Draw(t.Context(), run, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if on, err := d.Offer(Edit{ID: "a folder", File: top, Is: []byte("x"), Needed: true}); err == nil || on {
		t.Errorf("an edit of a folder: %t", on)
	}
	if err := run.mayEdit([]Edit{{On: true, File: top}}); err == nil {
		t.Error("a folder may be edited")
	}
	run.Project.TopLevel = filepath.Join(top, "gone")
	if _, err := run.OpenInTree(filepath.Join(top, "a.md")); !errors.As(err, new(*TreeError)) {
		t.Errorf("in a tree that is gone: %v", err)
	}
}

// A step whose end cannot be noted has not ended well.
func TestAnEndThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	for _, last := range []Name{Restart, SmokeTest} {
		j, _ := withJournal(t, "")
		e, run := engineOf(&fake{name: Preflight}, &fake{name: last})
		run.Journal, run.Stage = j, Accepting
		pass(t, e, Preflight)
		for _, n := range Order()[1:] {
			if n == last {
				break
			}
			e.Machine, _ = e.Machine.Do(n, ActSkip)
		}
		kept := ""
		if last == Restart {
			if err := j.Choose(j.Prints().Secret(canary.New()), nil); err != nil {
				t.Fatal(err)
			}
			kept = j.ChosenFile()
		} else {
			if err := j.BeginRotation(j.Prints().Secret(canary.New()), j.Prints().Secret(canary.New())); err != nil {
				t.Fatal(err)
			}
			for _, entry := range j.Entries() {
				if entry.Kind == journal.KindRotating {
					kept = filepath.Join(j.Dir(), entry.ID)
				}
			}
		}
		if err := errors.Join(os.Remove(kept), os.MkdirAll(filepath.Join(kept, "x"), 0o700)); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Plan(t.Context(), last, nil); err != nil {
			t.Fatal(err)
		}
		if err := e.Apply(t.Context(), last, nil); err == nil || !strings.Contains(err.Error(), filepath.Base(kept)) || e.Machine.Status(last) == Done {
			t.Errorf("%s: %v, %s", last, err, e.Machine.Status(last))
		}
	}
}

// foreseer is a restart that can begin early, and that is asked which key is in force.
type foreseer struct {
	fake
	early   string
	witness error
}

func (f *foreseer) Prepare(context.Context, *Run)       { f.early += "prepared " }
func (f *foreseer) Written(context.Context, *Run)       { f.early += "written" }
func (f *foreseer) Witness(context.Context, *Run) error { return f.witness }

// The restart begins early where nobody is asked, and nothing is written before it is
// known which key was in force.
func TestWhatComesBeforeTheRestart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set  func(*Options)
		want string
	}{
		"unattended":        {func(*Options) {}, "prepared written"},
		"somebody is there": {func(o *Options) { o.Unattended = false }, ""},
		"only a look":       {func(o *Options) { o.ReadOnly = true }, ""},
		"skipped":           {func(o *Options) { o.Skip = map[Name]bool{Restart: true} }, ""},
		"elsewhere":         {func(o *Options) { o.Environment = "production" }, ""},
	} {
		f := &foreseer{fake: fake{name: Restart}}
		run := &Run{Options: Options{Unattended: true, Environment: DefaultEnvironment}}
		e := NewEngine(run, &fake{name: Preflight}, &fake{name: Generate}, &fake{name: Write}, f)
		c.set(&run.Options)
		for _, n := range []Name{Preflight, Generate, Write} {
			if _, err := e.Plan(t.Context(), n, nil); err != nil {
				t.Fatal(err)
			}
			if err := e.Apply(t.Context(), n, nil); err != nil {
				t.Fatal(err)
			}
			if n == Preflight {
				run.BeforeDjango()
			}
		}
		if f.early != c.want {
			t.Errorf("%s: %q", name, f.early)
		}
	}
	j, env := withJournal(t, "")
	f := &foreseer{fake: fake{name: Restart}, witness: errors.New("no answer")}
	write := &fake{name: Write}
	run := &Run{Found: Found{Journal: j, Project: &Project{Root: filepath.Dir(env), TopLevel: filepath.Dir(env)}}, Prints: j.Prints(), Options: Options{State: stateOf(j)}}
	run.Previous = j.Prints().Secret(canary.New())
	e := NewEngine(run, &fake{name: Preflight}, &fake{name: Generate}, write, f)
	pass(t, e, Preflight)
	pass(t, e, Generate)
	if _, err := e.Plan(t.Context(), Write, nil); err != nil {
		t.Fatal(err)
	}
	if err := e.Apply(t.Context(), Write, nil); err == nil || strings.Join(write.calls, " ") != "plan" {
		t.Errorf("written without a witness: %v, %q", err, write.calls)
	}
}

// A plan of the write is none where the state folder cannot take its notes.
func TestAPlanThatCouldNotBeNoted(t *testing.T) {
	t.Parallel()
	run, top := ground(t, map[string]string{"a.md": "x\n"})
	write := &fake{name: Write}
	e := NewEngine(run, &fake{name: Preflight}, &fake{name: Generate}, write)
	if _, err := e.Plan(t.Context(), Restart, nil); err == nil {
		t.Error("a step was planned that there is not")
	}
	pass(t, e, Preflight)
	pass(t, e, Generate)
	run.Options.ReadOnly, run.Options.State = true, journal.Folder(filepath.Join(top, "a.md", "state"))
	if _, err := e.Plan(t.Context(), Write, nil); err == nil {
		t.Error("planned without a folder for the notes")
	}
}

// Files that cannot be read, or not as their reader does, tell nothing and end nothing that
// can do without them; the keys themselves are asked for with the error.
func TestFilesThatTellNothing(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string) error{
		"a folder": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"no text":  func(path string) error { return os.WriteFile(path, []byte("JWT_SECRET_KEY='\n"), 0o600) },
	} {
		run, top := ground(t, map[string]string{".env": "A=1\n"})
		path := filepath.Join(top, ".env")
		run.Environ = func(string) (string, bool) { return "", false }
		run.Project.EnvFile = EnvFile{Path: path, Exists: true, Readers: []envfile.Dialect{envfile.Shell}, Sourced: true}
		if err := spoil(path); err != nil {
			t.Fatal(err)
		}
		if _, _, under := run.Grace(time.Now()); under {
			t.Errorf("%s: a grace period", name)
		}
		if got := run.HandedIn(run.Project); len(got) != 0 {
			t.Errorf("%s: handed in %v", name, got)
		}
		run.Project.Source = Source{Kind: ValueFile, File: top}
		if keys, err := run.Home().Keys(); err == nil {
			t.Errorf("%s: a folder of one value: %v", name, keys.Key.Source)
		}
	}
}

// A container's variables are those of its env_file as it is now.
func TestAnEnvFileOfAContainerIsHandedIn(t *testing.T) {
	t.Parallel()
	run, top := ground(t, map[string]string{".env": "A=new\n"})
	run.Environ = func(string) (string, bool) { return "", false }
	run.Project.EnvFile = EnvFile{Path: filepath.Join(top, ".env"), Exists: true, Readers: []envfile.Dialect{envfile.Compose}}
	if got := run.HandedIn(run.Project); got != nil {
		t.Errorf("outside of one: %v", got)
	}
	run.Project.PythonArgs = []string{"exec"}
	if got := run.HandedIn(run.Project); got["A"] != "new" {
		t.Errorf("inside: %v", got)
	}
}

// A yes that the journal cannot take overrules nothing, and without its backup nothing is
// known of what a change replaced.
func TestWithoutTheJournal(t *testing.T) {
	t.Parallel()
	old := canary.New()
	j, env := withJournal(t, "JWT_SECRET_KEY="+old+"\n")
	run := &Run{Found: Found{Journal: j, Project: &Project{Root: filepath.Dir(env), TopLevel: filepath.Dir(env), EnvFile: EnvFile{Path: env, Exists: true, Readers: []envfile.Dialect{envfile.Decouple}}}}, Prints: j.Prints(), Environ: func(string) (string, bool) { return "", false }}
	now := canary.New()
	rewrite(t, j, env, "JWT_SECRET_KEY="+now+"\n")
	if p := run.PreviousTo(j.Prints().Secret(now)); p.Key.Reveal() != old {
		t.Fatal("the previous key is not known")
	}
	backup := filepath.Join(j.Dir(), j.Applied()[0].BackupID)
	if err := os.WriteFile(backup, []byte("JWT_SECRET_KEY=\xff\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p := run.PreviousTo(j.Prints().Secret(now)); p.Key.Set() {
		t.Errorf("from a backup that no reader reads: %+v", p)
	}
	if err := os.RemoveAll(j.Dir()); err != nil {
		t.Fatal(err)
	}
	if p := run.PreviousTo(j.Prints().Secret(now)); p.Key.Set() {
		t.Errorf("from a backup that is gone: %+v", p)
	}
	f := finding.New(finding.LoginRejected, "").At("x", 0).Asking("Go on?")
	if err := run.Overrule(f); err == nil || len(run.settled) > 0 {
		t.Errorf("overruled without a note: %v", err)
	}
}

// A key that the settings fetch themselves is to be put where they fetch it, which is said.
func TestWhereASettingsOwnKeyGoes(t *testing.T) {
	t.Parallel()
	run, _ := ground(t, nil)
	file := filepath.Join(run.Project.Root, "keys.json")
	for name, c := range map[string]struct {
		source  Source
		own, at bool
	}{
		"nothing reads":            {Source{Kind: NothingReads}, true, false},
		"nothing reads, of a file": {Source{Kind: NothingReads, SecretKey: KeyFacts{Source: "code", File: file}}, true, true},
		"code":                     {Source{Kind: FromCode, File: file}, false, true},
	} {
		f := run.besideIt(finding.New(finding.KeyUnread, "as it was"), c.source)
		if strings.Contains(f.Message.Rendered(), "in a way of their own") != c.own || (f.File == "keys.json") != c.at {
			t.Errorf("%s: %q, %q", name, f.Message.Rendered(), f.File)
		}
	}
}

// A folder's name is no pattern, whatever signs it has.
func TestAFolderIsNoPattern(t *testing.T) {
	t.Parallel()
	if filepath.Separator == '\\' {
		t.Skip("no name has such signs there")
	}
	for _, folder := range []string{"shop[1]", "a*b", "a?b", "plain"} {
		if ok, err := filepath.Match(escaped(folder), folder); err != nil || !ok {
			t.Errorf("%s: %q, %t, %v", folder, escaped(folder), ok, err)
		}
		if ok, _ := filepath.Match(escaped(folder), "shop1"); ok {
			t.Errorf("%s matches another folder", folder)
		}
	}
}
