//go:build unix

package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/cli"
)

// start is a state that a user can begin in.
type start struct {
	name       string
	flavour    djangotest.Flavour
	generation djangotest.Generation
	env        string // {SECRET_KEY} as in djangotest; {OLD} is a raw key
	want       string // lines other than the key's, afterwards; "" for as before
	link       bool   // .env is a symbolic link
}

const rest = "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"

// starts are the states that an upgrade begins with; each fifth is tried in the short form.
func starts() []start {
	return []start{
		{name: "missing", flavour: djangotest.Tokens, env: rest},
		{name: "missing, cookies", flavour: djangotest.Cookies, env: rest},
		{name: "missing, Django 3.2", flavour: djangotest.Tokens, generation: djangotest.Legacy, env: rest},
		{name: "no final newline", flavour: djangotest.Tokens, env: strings.TrimSuffix(rest, "\n")},
		{name: "CRLF", flavour: djangotest.Tokens, env: strings.ReplaceAll(rest, "\n", "\r\n")},
		{name: "missing, cookies, Django 3.2", flavour: djangotest.Cookies, generation: djangotest.Legacy, env: rest},
		{name: "placeholder in the middle", flavour: djangotest.Tokens, env: "DEBUG=True\nJWT_SECRET_KEY=REQUIRED__GENERATE_WITH__python_-c_import_secrets_token_urlsafe_64\n# more\nSECRET_KEY={SECRET_KEY}\n"},
		{name: "export", flavour: djangotest.Cookies, env: rest + "export JWT_SECRET_KEY={OLD}\n"},
		{name: "bare key line", flavour: djangotest.Tokens, env: rest + "{OLD}\n", want: rest},
		{name: "glued", flavour: djangotest.Tokens, env: "SECRET_KEY={SECRET_KEY}\nDEBUG=TrueJWT_SECRET_KEY={OLD}\n", want: "SECRET_KEY={SECRET_KEY}\nDEBUG=True\n"},
		{name: "symlink", flavour: djangotest.Tokens, env: rest, link: true},
		{name: "equal", flavour: djangotest.Cookies, env: rest + "JWT_SECRET_KEY={SECRET_KEY}\n"},
	}
}

func TestUpgradeAndRollbackOnARealProject(t *testing.T) {
	t.Parallel()
	for _, s := range stepstest.Every(12, starts()) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{Flavour: s.flavour, Generation: s.generation})
			server := p.Start(t, djangotest.ServerOptions{Reload: true})
			state := filepath.Join(t.TempDir(), "state")
			fill := strings.NewReplacer("{SECRET_KEY}", p.SecretKey, "{OLD}", djangotest.NewKey())
			before := fill.Replace(s.env)
			target := p.EnvPath
			if s.link {
				target = filepath.Join(p.Dir, "elsewhere.env")
				if err := errors.Join(os.Rename(p.EnvPath, target), os.Symlink(target, p.EnvPath)); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(os.WriteFile(target, []byte(before), 0o600), os.Chmod(target, 0o640)); err != nil {
				t.Fatal(err)
			}
			owner := ownedBy(t, target)

			r := invocation{args: []string{"upgrade", "--yes", "--json", "--temp-user", "--python", p.Python}, dir: p.Dir}.run(t, state)
			o := r.outcome(t)
			if r.code != 0 || !o.OK || !o.Changed {
				t.Fatalf("exit %d, findings %v\n%s%s", r.code, codes(o.Findings), r.out, r.errOut)
			}
			for _, n := range []steps.Name{steps.Preflight, steps.Generate, steps.Write, steps.Distinct, steps.Restart, steps.SmokeTest} {
				if o.Steps[n] != steps.Done {
					t.Errorf("step %s is %s", n, o.Steps[n])
				}
			}
			after := read(t, target)
			key := keyIn(after)
			if len(key) != 86 {
				t.Fatalf("the key in the file has %d characters", len(key))
			}
			if !accepts(t, server.URL, key) {
				t.Error("the running server does not sign with the new key")
			}
			if accepts(t, server.URL, p.SecretKey) || accepts(t, server.URL, p.Key) {
				t.Error("the running server takes a token signed with SECRET_KEY or the previous key")
			}
			want := before
			if s.want != "" {
				want = fill.Replace(s.want)
			}
			if got := otherLines(after); !slices.Equal(got, otherLines(want)) {
				t.Error("another line than the key's changed")
			}
			noneOf(t, r.out+r.errOut, key, p.SecretKey, p.Key)
			noneOf(t, journalText(t, state), key, p.SecretKey, p.Key)
			if users := p.Users(t); len(users) > 0 {
				t.Errorf("accounts are left over: %v", users)
			}

			again := invocation{args: []string{"upgrade", "--yes", "--json", "--python", p.Python}, dir: p.Root}.run(t, state)
			if o := again.outcome(t); again.code != 0 || o.Changed || read(t, target) != after {
				t.Errorf("a second upgrade: exit %d, changed %v, findings %v", again.code, o.Changed, codes(o.Findings))
			}

			back := invocation{args: []string{"rollback", "--yes"}, dir: p.Root}.run(t, state)
			down := s.name == "equal" // the backend refuses what is restored
			if back.code == 0 == down {
				t.Fatalf("rollback: exit %d\n%s%s", back.code, back.out, back.errOut)
			}
			if read(t, target) != before {
				t.Error("the rollback did not give the old bytes back")
			}
			if info, err := os.Stat(target); err != nil || info.Mode().Perm() != 0o640 || ownedBy(t, target) != owner {
				t.Errorf("the rollback did not give mode and owner back: %v %v", info.Mode(), err)
			}
			if info, err := os.Lstat(p.EnvPath); err != nil || (info.Mode()&os.ModeSymlink != 0) != s.link {
				t.Errorf("the link is not as it was: %v %v", info.Mode(), err)
			}
		})
	}
}

func codes(fs []finding.Finding) []finding.Code {
	var out []finding.Code
	for _, f := range fs {
		out = append(out, f.Code)
	}
	return out
}

func ownedBy(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	return fmt.Sprint(st.Uid, ":", st.Gid)
}

// noneOf fails when text holds any 12 characters in a row of a value.
func noneOf(t *testing.T, text string, values ...string) {
	t.Helper()
	for _, v := range values {
		for i := 0; i+12 <= len(v); i++ {
			if strings.Contains(text, v[i:i+12]) {
				t.Error("a secret was printed or kept")
				return
			}
		}
	}
}

// journalText is every file of the state folder but the backups, which hold
// what the .env held.
func journalText(t *testing.T, state string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(state, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(d.Name(), "backup-") {
			all.WriteString(read(t, path))
		}
		return err
	})
	if err != nil || all.Len() == 0 {
		t.Fatalf("the state folder holds nothing to look at (%v)", err)
	}
	return all.String()
}

func TestShadowedKeysAreRefused(t *testing.T) {
	t.Parallel()
	// A good key that only the environment sets is another matter, and kept.
	p := djangotest.New(t, djangotest.Options{Env: rest + "JWT_SECRET_KEY=" + djangotest.NewKey() + "\n"})
	before := read(t, p.EnvPath)
	for _, value := range stepstest.Every(2, []string{djangotest.NewKey(), ""}) {
		r := invocation{args: []string{"upgrade", "--yes", "--json", "--python", p.Python}, dir: p.Root, env: []string{"JWT_SECRET_KEY=" + value}}.run(t, t.TempDir())
		if o := r.outcome(t); r.code != 1 || !finding.Has(o.Findings, "jwt-key-shadowed") {
			t.Errorf("exit %d, findings %v", r.code, codes(o.Findings))
		}
		if read(t, p.EnvPath) != before {
			t.Error("the file was changed")
		}
	}
}

// The negative controls: the smoke test must be able to fail.
func TestAServerThatWasNotRestarted(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	server := p.Start(t, djangotest.ServerOptions{Reload: true})
	r := invocation{args: []string{"upgrade", "--yes", "--json", "--rotate", "--skip", "restart", "--url", server.URL, "--python", p.Python}, dir: p.Root}.run(t, t.TempDir())
	o := r.outcome(t)
	if r.code != 1 || !finding.Has(o.Findings, "server-stale-key") || o.Steps[steps.SmokeTest] != steps.Failed || o.Steps[steps.Restart] != steps.Skipped {
		t.Errorf("exit %d, steps %v, findings %v", r.code, o.Steps, codes(o.Findings))
	}
}

func TestAServerWithTheOldSettings(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: rest, Before: true, Git: true})
	server := p.Start(t, djangotest.ServerOptions{})
	upgrade := invocation{args: []string{"upgrade", "--yes", "--json", "--skip", "restart", "--url", server.URL, "--python", p.Python}, dir: p.Root}
	state, before := t.TempDir(), read(t, p.EnvPath)
	r := upgrade.run(t, state)
	if o := r.outcome(t); r.code != 1 || !finding.Has(o.Findings, "settings-not-upgraded") || read(t, p.EnvPath) != before {
		t.Errorf("exit %d, steps %v, findings %v\n%s", r.code, o.Steps, codes(o.Findings), r.out)
	}
	r = invocation{args: append(upgrade.args, "--adopt"), dir: p.Root}.run(t, state)
	if o := r.outcome(t); r.code != 1 || !finding.Has(o.Findings, "server-signs-with-secret-key") || o.Steps[steps.SmokeTest] != steps.Failed {
		t.Errorf("exit %d, steps %v, findings %v\n%s", r.code, o.Steps, codes(o.Findings), r.out)
	}
}

func TestCheckOnTheGuidesExampleFile(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n" +
		"JWT_SECRET_KEY=REQUIRED__GENERATE_WITH__python_-c_import_secrets_token_urlsafe_64\nJWT_ACCESS_TOKEN_LIFETIME=15  # minutes\n"})
	for _, args := range [][]string{{"check", "--static", "--json"}, {"check", "--json", "--python", p.Python}} {
		r := invocation{args: args, dir: p.Root}.run(t, filepath.Join(t.TempDir(), "state"))
		var report struct {
			Schema   int
			Ready    bool
			Findings []finding.Finding
		}
		if err := json.Unmarshal([]byte(r.out), &report); err != nil {
			t.Fatalf("%v: %s", err, r.out)
		}
		if r.code == 0 || report.Ready || !finding.Has(report.Findings, "jwt-key-placeholder") || !finding.Has(report.Findings, "value-inline-comment") {
			t.Errorf("%v: exit %d, findings %v", args, r.code, codes(report.Findings))
		}
	}
	p.WriteEnv(t, "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n")
	r := invocation{args: []string{"check", "--python", p.Python}, dir: p.Root}.run(t, filepath.Join(t.TempDir(), "state"))
	if r.code != 0 {
		t.Errorf("a healthy project: exit %d\n%s", r.code, r.out)
	}
}

// What an upgrade of a real project proves, a later report shows; what happens
// to the files then, it notices.
func TestReportOfARealUpgrade(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"})
	state := filepath.Join(t.TempDir(), "state")
	run := func(args ...string) ran {
		t.Helper()
		return invocation{args: args, dir: p.Root}.run(t, state)
	}
	upgrade := []string{"upgrade", "--yes", "--temp-user", "--python", p.Python}
	r := run(upgrade...)
	if r.code != cli.ExitOK {
		t.Fatalf("upgrade: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	states := func() map[int]checklist.State {
		r := run("report", "--json")
		var said checklist.Report
		if err := json.Unmarshal([]byte(r.out), &said); err != nil {
			t.Fatalf("%v\n%s%s", err, r.out, r.errOut)
		}
		got := map[int]checklist.State{}
		for _, it := range said.Items {
			got[it.Number] = it.State
		}
		return got
	}
	if said := stepstest.OneLine(r.out); !strings.Contains(said, "keysplit found no server of this project.") || !strings.Contains(said, "Start your server: ") {
		t.Errorf("nothing is said of the server:\n%s", r.out)
	}
	for n, s := range states() {
		if seen := n <= 3; n <= 6 && seen != (s == checklist.Done) {
			t.Errorf("item %d is %s before a server of the project was seen", n, s)
		}
	}
	p.Start(t, djangotest.ServerOptions{})
	if r = run(upgrade...); r.code != cli.ExitOK || strings.Contains(stepstest.OneLine(r.out), "Start your server: ") {
		t.Fatalf("with a server: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	for n, s := range states() {
		if n <= 6 && s != checklist.Done {
			t.Errorf("item %d is %s after the upgrade", n, s)
		}
	}
	// An edit of another file that is undone, and a run without an account,
	// change nothing about that.
	if err := os.WriteFile(filepath.Join(p.Root, ".env.example"), []byte("SECRET_KEY=change-me\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, again := range [][]string{{"check", "--static", "--fix"}, {"rollback", "--yes", "--restart", "none"}, {"upgrade", "--yes"}} {
		if r := run(append(again, "--python", p.Python)...); r.code != cli.ExitOK {
			t.Fatalf("%s: exit %d\n%s%s", again[0], r.code, r.out, r.errOut)
		}
		for n, s := range states() {
			if n <= 6 && s != checklist.Done {
				t.Errorf("item %d is %s after %v", n, s, again)
			}
		}
	}
	if r = run("report"); !strings.Contains(r.out, "http://127.0.0.1:") {
		t.Errorf("no address of the server in the evidence:\n%s", r.out)
	}
	f, err := os.OpenFile(p.EnvPath, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, "EXTRA=1")
	f.Close()
	for n, s := range states() {
		if want := n == 2 || n >= 4 && n <= 6; n <= 6 && (s == checklist.Open) != want {
			t.Errorf("item %d is %s after a change of .env", n, s)
		}
	}
}
