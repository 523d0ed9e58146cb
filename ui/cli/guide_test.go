//go:build unix

package cli_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/internal/ptytest"
)

// faultOfEnv is one thing that is wrong with a .env, done to a good one.
type faultOfEnv struct {
	name string
	do   func(env, key string) string
}

// faultsOfEnv are what goes wrong with a .env, in an order in which they can follow each
// other. Those of a whole file come last.
var faultsOfEnv = []faultOfEnv{
	{"comments", func(env, _ string) string {
		return strings.NewReplacer("LIFETIME=60", "LIFETIME=60  # minutes", "DJANGO_ENV=development", "DJANGO_ENV=development # or staging").Replace(env)
	}},
	{"placeholder", func(env, _ string) string {
		return env + "JWT_SECRET_KEY=REQUIRED__GENERATE_WITH__secrets_token_urlsafe__AND_KEEP_IT_APART\n"
	}},
	{"no SECRET_KEY", func(env, _ string) string {
		lines := slices.DeleteFunc(strings.SplitAfter(env, "\n"), func(l string) bool { return strings.HasPrefix(l, "SECRET_KEY=") })
		return strings.Join(lines, "") + "SECRET_KEY=\n"
	}},
	{"twice", func(env, key string) string { return "JWT_SECRET_KEY=" + key + "\n" + env + "JWT_SECRET_KEY=short\n" }},
	{"bare", func(env, key string) string { return env + key + "\n" }},
	{"export", func(env, key string) string { return env + "export JWT_SECRET_KEY=" + key + "\n" }},
	{"glued", func(env, key string) string { return env + "MAIL_FROM=meJWT_SECRET_KEY=" + key + "\n" }},
	{"Latin-1", func(env, _ string) string { return env + "# Z\xfcrich\n" }},
	{"a mark", func(env, _ string) string { return "\ufeff" + env }},
	{"UTF-16", func(env, _ string) string {
		out := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(strings.ToValidUTF8(strings.TrimPrefix(env, "\ufeff"), "?"))) {
			out = append(out, byte(u), byte(u>>8))
		}
		return string(out)
	}},
}

// goodEnv is a .env of the guide's project with which only the key is missing.
const goodEnv = "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nDJANGO_ENV=development\nJWT_ACCESS_TOKEN_LIFETIME=60\n"

// wholly upgrades the project from what lies there, proves it all, and rolls back: every
// byte and mode of every file is then as it was.
func wholly(t *testing.T, p *djangotest.Project) {
	t.Helper()
	state := filepath.Join(t.TempDir(), "state")
	before := tree(t, p.Dir)
	r := invocation{args: []string{"upgrade", "--yes", "--json", "--temp-user", "--python", p.Python}, dir: p.Root}.run(t, state)
	o := r.outcome(t)
	if r.code != 0 || !o.OK || !o.Changed {
		t.Fatalf("exit %d, findings %v\n%s%s", r.code, codes(o.Findings), r.out, r.errOut)
	}
	for _, n := range []steps.Name{steps.Generate, steps.Write, steps.Distinct, steps.Restart, steps.SmokeTest} {
		if o.Steps[n] != steps.Done {
			t.Errorf("step %s is %s", n, o.Steps[n])
		}
	}
	if said, err := p.Manage(t, nil, "check"); err != nil {
		t.Errorf("the backend does not start by itself: %v\n%s", err, said)
	}
	noneOf(t, r.out+r.errOut, keyIn(read(t, p.EnvPath)), p.SecretKey, p.Key)
	back := invocation{args: []string{"rollback", "--yes", "--python", p.Python}, dir: p.Root}.run(t, state)
	if after := tree(t, p.Dir); !slices.Equal(after, before) {
		t.Errorf("the rollback did not give everything back: exit %d\n%s", back.code, back.out)
	}
}

// tree is every file below a folder with its mode and bytes, but for the database, in which
// an account came and went.
func tree(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, ".sqlite3") || strings.Contains(path, "/.git/") {
			return err
		}
		info, err := d.Info()
		if err == nil {
			all = append(all, path+" "+info.Mode().String()+" "+read(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The guide's project, as a newcomer has it: the example copied, or nothing yet.
func TestTheGuidesProject(t *testing.T) {
	t.Parallel()
	for _, copied := range stepstest.Every(2, []bool{true, false}) {
		t.Run(map[bool]string{true: "the example copied", false: "no env file"}[copied], func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{Flavour: djangotest.Guide, NoEnv: true, Git: true})
			if copied {
				p.WriteEnv(t, read(t, p.EnvPath+".example"))
			}
			look := invocation{args: []string{"check"}, dir: p.Root, env: []string{"VIRTUAL_ENV=" + filepath.Dir(filepath.Dir(p.Python))}}.run(t, filepath.Join(t.TempDir(), "state"))
			if n := strings.Count(look.out, "\n"); n > 24 || look.code != 1 || !strings.HasPrefix(look.out, "Not ready: 2 things stop the backend. keysplit fixes all of them.\n") {
				t.Errorf("check prints %d rows, exit %d:\n%s", n, look.code, look.out)
			}
			if copied && !strings.Contains(look.out, "value-inline-comment  .env:5, 10-14, 17-18, 22\n") && !strings.Contains(look.out, "value-inline-comment  backend/.env:5, 10-14, 17-18, 22\n") {
				t.Errorf("ten lines are not one entry:\n%s", look.out)
			}
			wholly(t, p)
		})
	}
}

// In the wizard, enter alone is enough: from the example copied and, in the long form, from
// no env file and from states with three faults.
func TestEnterAloneOnTheGuidesProject(t *testing.T) {
	stepstest.OnlyLong(t)
	type state struct {
		name string
		env  func(p *djangotest.Project) string // "" for no file
	}
	all := []state{
		{"the example copied", func(p *djangotest.Project) string { return read(t, p.EnvPath+".example") }},
		{"no env file", func(*djangotest.Project) string { return "" }},
	}
	if !stepstest.Long() {
		all = all[:1]
	} else {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0)) // #nosec G404 -- choices of a test
		for range 12 {
			faults := threeFaults(r)
			all = append(all, state{namesOf(faults), func(p *djangotest.Project) string { return spoilt(p, faults) }})
		}
	}
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{Flavour: djangotest.Guide, NoEnv: true, Git: true})
			if text := s.env(p); text != "" {
				p.WriteEnv(t, text)
			}
			before := tree(t, p.Dir)
			o := ptytest.Options{Args: []string{"--python", p.Python}, Dir: p.Root, Env: plainEnv(t, "PYTHONDONTWRITEBYTECODE=1")}
			tm := onTerminal(t, o)
			toTheEnd(t, tm)
			end := tm.Frame().Text()
			tm.Press(ptytest.Enter)
			if code := tm.Exit(soon); code != 0 {
				t.Errorf("exit %d\n%s", code, tm.Frame().Text())
			}
			if strings.Contains(end, "not done") || strings.Contains(end, "skipped") || strings.Contains(end, "failed") {
				t.Errorf("not all steps are done:\n%s", end)
			}
			if said, err := p.Manage(t, nil, "check"); err != nil {
				t.Errorf("the backend does not start by itself: %v\n%s", err, said)
			}
			noneOf(t, tm.Raw(), keyIn(read(t, p.EnvPath)), p.SecretKey, p.Key)
			o.Args = []string{"rollback", "--yes", "--python", p.Python}
			back := onTerminal(t, o)
			code := back.Exit(soon)
			if after := tree(t, p.Dir); !slices.Equal(after, before) {
				t.Errorf("the rollback did not give everything back: exit %d\n%s", code, back.Frame().Text())
			}
		})
	}
}

// threeFaults are three of them, in their order.
func threeFaults(r *rand.Rand) (out []faultOfEnv) {
	chosen := r.Perm(len(faultsOfEnv))[:3]
	slices.Sort(chosen)
	for _, i := range chosen {
		out = append(out, faultsOfEnv[i])
	}
	return out
}

func namesOf(faults []faultOfEnv) string {
	var names []string
	for _, f := range faults {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ")
}

// spoilt is a good .env of the project with faults.
func spoilt(p *djangotest.Project, faults []faultOfEnv) string {
	env := strings.ReplaceAll(goodEnv, "{SECRET_KEY}", p.SecretKey)
	for _, f := range faults {
		env = f.do(env, djangotest.NewKey())
	}
	return env
}

// Three faults at once.
func TestCombinedFaultsOfTheEnvFile(t *testing.T) {
	stepstest.OnlyLong(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0)) // #nosec G404 -- choices of a test
	for range 12 {
		faults := threeFaults(r)
		t.Run(namesOf(faults), func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{Flavour: djangotest.Guide, NoEnv: true})
			p.WriteEnv(t, spoilt(p, faults))
			wholly(t, p)
		})
	}
}

// What committed files lack is said once in an upgrade, however many steps come across it.
func TestWhatCommittedFilesLackIsSaidOnce(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Flavour: djangotest.Guide, NoEnv: true, Git: true})
	p.WriteEnv(t, goodEnv)
	for name, text := range map[string]string{
		"compose.yml": "services:\n  web:\n    environment:\n      SECRET_KEY: ${SECRET_KEY}\n",
		"tox.ini":     "[testenv]\nsetenv =\n    SECRET_KEY = x\n",
		".gitignore":  "*.sqlite3\n",
	} {
		if err := os.WriteFile(filepath.Join(p.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := invocation{args: []string{"upgrade", "--yes", "--python", p.Python, "--skip", "restart,login"}, dir: p.Root}.run(t, filepath.Join(t.TempDir(), "state"))
	for _, code := range []string{"compose-missing-key", "ci-missing-key", "env-file-not-ignored"} {
		if n := strings.Count(r.out, code); n != 1 {
			t.Errorf("%s is said %d times:\n%s", code, n, r.out)
		}
	}
}
