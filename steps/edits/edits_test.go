package edits

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/adopt"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/grace"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// ground is a project with a .env (nil for none) and an example, which decouple reads.
func ground(t *testing.T, env, sample []byte) (run *steps.Run, path string) {
	t.Helper()
	top := t.TempDir()
	path = filepath.Join(top, ".env")
	for name, text := range map[string][]byte{path: env, path + ".example": sample} {
		if text == nil {
			continue
		}
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at, err := envfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Folder(filepath.Join(t.TempDir(), "state")).Open(top, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	p := &steps.Project{Root: top, TopLevel: top, EnvFile: steps.EnvFile{Path: path, Exists: at.Exists, Readers: []envfile.Dialect{envfile.Decouple}, At: at}}
	run = &steps.Run{Found: steps.Found{Project: p, Journal: j}, Prints: j.Prints(), Environ: func(string) (string, bool) { return "", false }}
	run.Options.Environment = steps.DefaultEnvironment
	return run, path
}

// at is a finding of the .env.
func at(code finding.Code, line int) finding.Finding {
	return finding.New(code, "").At(".env", line).Needed()
}

func TestEditsOfTheEnvFile(t *testing.T) {
	t.Parallel()
	key, raw := stepstest.Key(), stepstest.Key()
	needed := finding.New(finding.ValueInlineComment, "").WithSeverity(finding.Error).Needed()
	for name, c := range map[string]struct {
		env   string
		found []finding.Finding
		want  string
	}{
		"a comment":         {"A=1\nB=2 # two\n", []finding.Finding{needed.At(".env", 2)}, "A=1\n# two\nB=2\n"},
		"one not needed":    {"A=1\nB=2 # two\n", []finding.Finding{finding.New(finding.ValueInlineComment, "").At(".env", 2)}, ""},
		"one of another":    {"A=1\nB=2 # two\n", []finding.Finding{needed.At("other.env", 2)}, ""},
		"a mark":            {"\ufeffA=1\n", []finding.Finding{finding.New(finding.EncodingBOM, "").At(".env", 1).WithSeverity(finding.Error)}, "A=1\n"},
		"Latin-1, comments": {"A=Zo\xeb\nB=2 # two\nC=3 # three\n", []finding.Finding{at(finding.EncodingInvalid, 1), needed.At(".env", 2), needed.At(".env", 3)}, "A=Zoë\n# two\nB=2\n# three\nC=3\n"},
		"all of a kind": {
			"A=1 # one\nDEBUG=TrueJWT_SECRET_KEY=" + key + "\n" + raw + "\nB=2 # two\n",
			[]finding.Finding{at(finding.LineGlued, 2), at(finding.LineBare, 3), needed.At(".env", 1), needed.At(".env", 4)},
			"# one\nA=1\nDEBUG=True\nJWT_SECRET_KEY=" + key + "\n# two\nB=2\n",
		},
		"twice": {"JWT_SECRET_KEY=" + key + "\nB=2 # two\nJWT_SECRET_KEY=" + key + "\n", []finding.Finding{at(finding.JWTKeyDuplicate, 1), needed.At(".env", 2)}, "# two\nB=2\nJWT_SECRET_KEY=" + key + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run, path := ground(t, []byte(c.env), nil)
			d, err := Draw(t.Context(), run, c.found)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(d.Trial().Files[path]); got != c.want {
				t.Errorf("not as it should be: %d bytes, %d lines", len(got), strings.Count(got, "\n"))
			}
			for _, e := range d.Edits {
				for _, l := range e.Diff {
					if strings.Contains(l.Text+l.Note, key) || strings.Contains(l.Text+l.Note, raw) {
						t.Errorf("%s shows a key", e.ID)
					}
				}
			}
		})
	}
}

func TestFileFromTheExample(t *testing.T) {
	t.Parallel()
	run, path := ground(t, nil, []byte("DEBUG=True  # off elsewhere\nSECRET_KEY=change-me\nHOST=example.com\nMAIL=your-mail-here\n"))
	f := run.MissingFile(path)
	d, err := Draw(t.Context(), run, []finding.Finding{f})
	if err != nil || len(d.On()) != 1 {
		t.Fatalf("%d edits, %v", len(d.On()), err)
	}
	got := string(d.On()[0].Is)
	want := "# off elsewhere\nDEBUG=True\nSECRET_KEY=" + run.FreshSecretKey().Reveal() + "\nHOST=example.com\nMAIL=your-mail-here\n"
	if got != want {
		t.Error("not as it should be")
	}
	if why := d.Edits[0].Why.Rendered(); !strings.Contains(why, "MAIL") || strings.Contains(why, "DEBUG") {
		t.Errorf("the placeholders are not listed: %s", why)
	}
	run.Options.Environment = "staging"
	if d, err = Draw(t.Context(), run, []finding.Finding{run.MissingFile(path)}); err != nil || len(d.Edits) != 0 {
		t.Errorf("elsewhere %d edits are offered, %v", len(d.Edits), err)
	}
}

func TestPermissionsAreOfferedAndKeepTheGroup(t *testing.T) {
	t.Parallel()
	if os.PathSeparator != '/' {
		t.Skip("no permissions here")
	}
	run, path := ground(t, []byte("A=1\n"), nil)
	if err := os.Chmod(path, 0o644); err != nil { // #nosec G302 -- what is to be found
		t.Fatal(err)
	}
	found := []finding.Finding{finding.New(finding.EnvFilePermissions, "").At(".env", 0)}
	d, err := Draw(t.Context(), run, found)
	if err != nil || len(d.Edits) != 1 || len(d.On()) != 0 || d.Edits[0].Mode&0o007 != 0 {
		t.Fatalf("%d edits, %d on, %v", len(d.Edits), len(d.On()), err)
	}
	run.Options.Fix = true
	if d, err = Draw(t.Context(), run, found); err != nil || len(d.On()) != 1 {
		t.Errorf("with --fix %d are on, %v", len(d.On()), err)
	}
	if os.Geteuid() != 0 {
		return // nobody else can give a file to a group that is not theirs
	}
	for _, c := range []struct {
		gid        int
		mode, want os.FileMode
	}{{4242, 0o644, 0o640}, {4242, 0o604, 0o600}, {0, 0o644, 0o600}} {
		if err := errors.Join(os.Chown(path, 0, c.gid), os.Chmod(path, c.mode)); err != nil {
			t.Fatal(err)
		}
		if d, err = Draw(t.Context(), run, found); err != nil || len(d.Edits) != 1 || d.Edits[0].Mode != c.want {
			t.Errorf("group %d, mode %o: %v, %v", c.gid, c.mode, d.Edits, err)
		}
	}
}

// Every finding of the catalogue is in the plan, is fixed by the steps, or has a page that
// says why a machine must not do it.
func TestEveryFindingHasItsPlaceInThePlan(t *testing.T) {
	t.Parallel()
	codes := slices.Concat(Codes(), ofKey)
	if len(finding.Codes()) < 80 || len(Codes()) < 15 {
		t.Fatalf("%d findings, %d with a maker: this looks at too few", len(finding.Codes()), len(Codes()))
	}
	for _, code := range codes {
		if _, known := finding.LookUp(code); !known {
			t.Errorf("%s has a maker, and no page", code)
		}
	}
	for _, code := range finding.Codes() {
		page, _ := finding.LookUp(code)
		switch made := slices.Contains(codes, code); {
		case made && page.ByHand != "":
			t.Errorf("%s is in the plan, and its page says why it is not: %s", code, page.ByHand)
		case made && !page.Fixable && code != finding.SecretKeyMissing && code != finding.SecretKeyPlaceholder: // in the file of development alone
			t.Errorf("%s is in the plan, and its page does not say fixable", code)
		case !made && (!strings.HasSuffix(page.ByHand, ".") || len(strings.Fields(page.ByHand)) < 4):
			t.Errorf("%s is not in the plan, and its page does not say why in a sentence: %q", code, page.ByHand)
		case !made && page.Fixable:
			t.Errorf("%s is said to be fixable, and nothing fixes it", code)
		}
	}
}

// The lines around a change are shown without what may be an earlier key, also in a
// comment; what a committed file holds is no secret by itself.
func TestDiffsHideWhatIsKnown(t *testing.T) {
	earlier, public := rand.Text(), "postgres-"+strings.ToLower(rand.Text())
	run, path := ground(t, nil, nil)
	compose := filepath.Join(filepath.Dir(path), "compose.yml")
	lines := Diffs(run, []steps.Edit{
		{File: path, Secret: true, On: true, Was: []byte("# until May: " + earlier + "\nA=1\n"), Is: []byte("# until May: " + earlier + "\nA=1\nB=2\n")},
		{File: compose, On: true, Was: []byte("image: " + public + "\n# not " + earlier + "\n"), Is: []byte("image: " + public + "\n# not " + earlier + "\nB: 2\n")},
	})
	shown := ""
	for _, l := range lines {
		shown += l.Text + "\n"
	}
	if strings.Contains(shown, earlier) || !strings.Contains(shown, "# until May") || !strings.Contains(shown, public) {
		t.Errorf("it shows\n%s", strings.ReplaceAll(shown, earlier, "THE EARLIER KEY"))
	}
	if said := run.Redactor.Show(secret.Said("pull " + public)); !strings.Contains(said, public) {
		t.Errorf("a committed file was learned from: %q", said)
	}
}

// states are, for each code with a maker, a file in which the finding is made good by a
// real edit: what the file holds, and what the edit adds or leaves of it.
var states = map[finding.Code]struct{ file, was, is string }{
	finding.EnvFileMissing:        {".env.example", "DEBUG=True # on\nMAIL=x\n", "# on\nDEBUG=True\nMAIL=x\n"},
	finding.EncodingBOM:           {".env", "\ufeffA=1\n", "A=1\n"},
	finding.EncodingInvalid:       {".env", "A=Zo\xeb\n", "A=Zoë\n"},
	finding.LineGlued:             {".env", "DEBUG=TrueJWT_SECRET_KEY=x\n", "DEBUG=True\nJWT_SECRET_KEY=x\n"},
	finding.LineBare:              {".env", "Zm9vYmFyYmF6\nA=1\n", "A=1\n"},
	finding.JWTKeyDuplicate:       {".env", "JWT_SECRET_KEY=a\nJWT_SECRET_KEY=b\n", "JWT_SECRET_KEY=b\n"},
	finding.ValueInlineComment:    {".env", "A=1 # one\n", "# one\nA=1\n"},
	finding.SecretKeyMissing:      {".env", "A=1\n", "A=1\nSECRET_KEY="},
	finding.SecretKeyPlaceholder:  {".env", "SECRET_KEY=change-me\nA=1\n", "\nA=1\n"},
	finding.EnvFilePermissions:    {".env", "A=1\n", "A=1\n"},
	finding.GraceOver:             {".env", "A=1\nJWT_PREVIOUS_SECRET_KEY=x\nJWT_PREVIOUS_SECRET_KEY_UNTIL=20250102T030405Z\n", "A=1\n"},
	finding.EnvFileNotIgnored:     {".env", "A=1\n", ".env"},
	finding.EnvFileInBuildContext: {"Dockerfile", "FROM x\nCOPY . .\n", ".env"},
	finding.CIMissingKey:          {".github/workflows/ci.yml", "on: push\nenv:\n  SECRET_KEY: x\n", "  JWT_SECRET_KEY:"},
	finding.ComposeMissingKey:     {"compose.yml", "services:\n  web:\n    environment:\n      SECRET_KEY: ${SECRET_KEY}\n", "      JWT_SECRET_KEY:"},
	finding.KubernetesMissingKey:  {"k8s/web.yaml", "apiVersion: apps/v1\nkind: Deployment\nenv:\n- name: SECRET_KEY\n  valueFrom:\n    secretKeyRef: {name: a, key: secret-key}\n", "- name: JWT_SECRET_KEY"},
	finding.ExampleMissingKey:     {".env.example", "SECRET_KEY=change-me\n", "JWT_SECRET_KEY="},
	finding.DocsMissingKey:        {"README.md", "    export SECRET_KEY=your-key\n", "export JWT_SECRET_KEY="},
}

// A maker that makes nothing does not count: each code that has one is closed by an edit.
func TestEveryMakerMakesAnEdit(t *testing.T) {
	t.Parallel()
	elsewhere := slices.Concat(adopt.Maker.Codes, grace.Maker.Codes) // made in a real project, and tested there
	for _, code := range Codes() {
		state, ok := states[code]
		switch {
		case slices.Contains(elsewhere, code):
			continue
		case !ok:
			t.Errorf("%s has a maker, and no state in which that makes an edit", code)
			continue
		}
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()
			var env, sample []byte
			switch state.file {
			case ".env":
				env = []byte(state.was)
			case ".env.example":
				sample = []byte(state.was)
			}
			run, path := ground(t, env, sample)
			top := filepath.Dir(path)
			if env == nil && sample == nil {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(top, state.file)), 0o750); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(top, state.file), []byte(state.was), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if code == finding.EnvFilePermissions {
				if err := os.Chmod(path, 0o644); err != nil { // #nosec G302 -- what is to be found
					t.Fatal(err)
				}
			}
			f := finding.New(code, "").At(state.file, 1).Needed()
			if code == finding.EnvFileMissing {
				f = run.MissingFile(path)
			}
			run.Options.Fix = true
			d, err := Draw(t.Context(), run, []finding.Finding{f})
			if err != nil || len(d.On()) != 1 || !slices.Contains(d.On()[0].Closes, f) || d.On()[0].Why.Empty() {
				t.Fatalf("%d edits of %d are on, %v", len(d.On()), len(d.Edits), err)
			}
			if got := string(d.On()[0].Is); !strings.Contains(got, state.is) || got == state.was && d.On()[0].Mode == 0 {
				t.Errorf("the edit leaves %d bytes, and not what it should", len(got))
			}
		})
	}
}

// Where a reader would read another line wrong, no SECRET_KEY is offered: a person sets it.
func TestASecretKeyThatCannotBeSet(t *testing.T) {
	t.Parallel()
	run, _ := ground(t, []byte("A=1\nSECRET_KEY=x\nB=\xe9\n"), nil)
	d, err := Draw(t.Context(), run, []finding.Finding{finding.New(finding.SecretKeyPlaceholder, "").At(".env", 2).Needed()})
	if err != nil || len(d.Edits) != 0 {
		t.Errorf("%d edits, %v", len(d.Edits), err)
	}
}

// The variables of a grace period that is over can be taken out with the next plan, when a
// person says so; those of one that goes on stay.
func TestLeftoverVariablesOfAGracePeriod(t *testing.T) {
	t.Parallel()
	for until, over := range map[string]bool{"20250102T030405Z": true, steps.GraceUntil(time.Now().Add(time.Hour)): false} {
		run, path := ground(t, []byte("A=1\nJWT_PREVIOUS_SECRET_KEY="+stepstest.Key()+"\nJWT_PREVIOUS_SECRET_KEY_UNTIL="+until+"\nB=2\n"), nil)
		d, err := Draw(t.Context(), run, nil)
		if err != nil || len(d.On()) != 0 || (len(d.Edits) == 1) != over {
			t.Fatalf("over %t: %d edits, %d on, %v", over, len(d.Edits), len(d.On()), err)
		}
		if !over {
			continue
		}
		run.Options.Fix = true
		if d, err = Draw(t.Context(), run, nil); err != nil || len(d.On()) != 1 {
			t.Fatalf("with --fix: %d on, %v", len(d.On()), err)
		}
		if err := run.WriteEdits(t.Context(), d.On(), func(steps.Event) {}); err != nil {
			t.Fatal(err)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != "A=1\nB=2\n" {
			t.Errorf("%v, the file is %d bytes", err, len(now))
		}
		run.Stage = steps.Signing // a rotation brings its own
		if d, err = Draw(t.Context(), run, nil); err != nil || len(d.Edits) != 0 {
			t.Errorf("in a rotation: %d edits, %v", len(d.Edits), err)
		}
	}
}
