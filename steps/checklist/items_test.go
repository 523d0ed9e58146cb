package checklist

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/sys/file"
)

func TestNothingIsTickedByDefault(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.remove(".github/workflows/test.yml")
	h.remove("README.md")
	if err := os.WriteFile(h.run.Project.EnvFile.Path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h.run.Journal = nil
	r := h.look()
	if got := open(r); len(got) != 9 || r.Complete {
		t.Errorf("open are %v", got)
	}
	for _, it := range r.Items {
		next, todo := it.Next.Rendered(), it.Todo.Rendered()
		if more := strings.TrimPrefix(next, todo); todo == "" || strings.Contains(more, "--attest") != (it.Number >= FirstAttestable) || strings.Contains(todo, "--attest") {
			t.Errorf("item %d: to do %q, next %q", it.Number, todo, next)
		}
		if it.Reason == "" || next == "" || len(it.Evidence) != 0 {
			t.Errorf("item %d: reason %q, next %q, evidence %v", it.Number, it.Reason, next, it.Evidence)
		}
	}
}

func TestEveryItemHasItsEvidence(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.prove(good(), true)
	h.attest(9)
	r := h.look()
	if !r.Complete {
		t.Fatalf("open are %v\n%s", open(r), r.Text())
	}
	want := map[int]string{
		1: "sets JWT_SECRET_KEY", 2: "differ", 3: "86 characters", 4: "checks", 5: "login-token",
		6: "previous-key", 7: ".github/workflows/test.yml:3", 8: "README.md:1", 9: "signed off by Ada: note on 9",
	}
	for _, it := range r.Items {
		state := Done
		if it.Number == 9 {
			state = Attested
		}
		found := false
		for _, ev := range it.Evidence {
			found = found || strings.Contains(ev.inWords()+ev.source(), want[it.Number])
			if ev.Time.IsZero() || ev.By == "" && ev.Check == "" {
				t.Errorf("item %d: evidence without time or check: %+v", it.Number, ev)
			}
		}
		if it.State != state || !found {
			t.Errorf("item %d is %s with %+v, want %q", it.Number, it.State, it.Evidence, want[it.Number])
		}
	}
	if len(r.Findings) != 0 {
		t.Errorf("findings %v", r.Findings)
	}
}

// set changes one mark of a good run; "" takes the line out.
func set(step steps.Name, id string, mark steps.Mark) func(marks) {
	return func(m marks) {
		if m[step][id] = mark; mark == "" {
			delete(m[step], id)
		}
	}
}

func without(names ...steps.Name) func(marks) {
	return func(m marks) {
		for _, n := range names {
			delete(m, n)
		}
	}
}

func both(fs ...func(marks)) func(marks) {
	return func(m marks) {
		for _, f := range fs {
			f(m)
		}
	}
}

func TestEachItemIsOpenWithoutItsProof(t *testing.T) {
	t.Parallel()
	const warn = steps.MarkWarn
	smoke, distinct := steps.SmokeTest, steps.Distinct
	for name, c := range map[string]struct {
		spoil  func(marks)
		open   []int
		reason string // of the first
	}{
		"no login, no account":         {set(smoke, "login", steps.MarkSkipped), []int{5}, "no account"},
		"login, token unseen":          {set(smoke, "login-token", ""), []int{5}, "token"},
		"previous key not told apart":  {set(smoke, "previous-key", warn), []int{6}, "previous key"},
		"a grace period":               {set(smoke, "second-key", steps.MarkOK), []int{6}, "end of the grace period"},
		"no control":                   {set(smoke, "random-key", warn), []int{6}, "previous key"},
		"SECRET_KEY unknown":           {set(smoke, "secret-key", steps.MarkSkipped), []int{6}, "SECRET_KEY"},
		"no checks":                    {set(distinct, "checks", ""), []int{4}, "Django was not asked"},
		"no smoke test":                {without(smoke), []int{5, 6}, "has not passed"},
		"no distinct":                  {without(distinct), []int{4}, "Verify has not passed"},
		"no distinct, no smoke test":   {without(distinct, smoke), []int{2, 4, 5, 6}, "Verify has not passed"},
		"key of the server not told":   {both(set(smoke, "new-key", warn), set(smoke, "login-token", "")), []int{5, 6}, "token"},
		"new key shown by login alone": {set(smoke, "new-key", warn), nil, ""},
		"token of another HMAC":        {set(smoke, "login-token", warn), nil, ""},
		"no previous key":              {set(smoke, "previous-key", ""), nil, ""},
		"differ by the server alone":   {set(distinct, "differ", ""), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			m := good()
			c.spoil(m)
			h.prove(m, true)
			h.attest(9)
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

func TestNoServerSeenWithTheNewKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	m := good()
	without(steps.SmokeTest)(m)
	h.prove(m, false) // --restart none: whatever answers may be the old process
	if r := h.look(); r.Items[3].State != Open || !strings.Contains(r.Items[3].Reason, "no server") {
		t.Errorf("item 4: %+v", r.Items[3])
	}
}

// A server that keysplit started shows the code and the file, and not the service: what
// people use is still to be seen.
func TestOnlyAServerOfKeysplitsOwnWasAsked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.run.OwnServer = true
	h.prove(good(), true)
	h.attest(9)
	r := h.look()
	if got := open(r); !slices.Equal(got, []int{4, 5, 6}) {
		t.Fatalf("open are %v, want 4, 5 and 6\n%s", got, r.Text())
	}
	for _, i := range []int{3, 4, 5} {
		if it := r.Items[i]; !strings.Contains(it.Reason, "only a server that keysplit started itself") || !strings.Contains(it.Next.Rendered(), "Start your server") || !it.Awaits {
			t.Errorf("%+v", it)
		}
	}
	h.run.OwnServer = false
	h.prove(good(), true)
	if got := open(h.look()); len(got) > 0 {
		t.Errorf("with the real server %v are open", got)
	}
	// A later run that finds none takes nothing back of the login that was seen.
	h.run.OwnServer = true
	h.prove(good(), false)
	if it := h.look().Items[4]; it.State != Done {
		t.Errorf("the login: %+v", it)
	}
}

func TestTheFileAloneProvesADifferenceOnlyWithBothKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  string
		want State
	}{{"SECRET_KEY=%s\nJWT_SECRET_KEY=%k\n", Done}, {"JWT_SECRET_KEY=%k\n", Open}} {
		h := newHouse(t)
		h.write(".env", strings.NewReplacer("%s", h.secretKey, "%k", h.key).Replace(c.env))
		h.prove(marks{steps.Distinct: {"file decouple": steps.MarkOK, "django": steps.MarkWarn}}, false)
		if it := h.look().Items[1]; it.State != c.want {
			t.Errorf("item 2 is %s: %s", it.State, it.Reason)
		}
	}
}

func TestEachItemIsOpenForWhatTheFilesSay(t *testing.T) {
	t.Parallel()
	secretKey, key := stepstest.Key(), stepstest.Key()
	for name, c := range map[string]struct {
		file, content string
		item          int
		reason        string
		code          finding.Code // of the finding, where there is one
	}{
		"another .env lacks it":     {".env.staging", "SECRET_KEY=" + secretKey + "\n", 1, ".env.staging sets no JWT_SECRET_KEY", ""},
		"deeper down":               {"a/b/.env", "SECRET_KEY=" + secretKey + "\n", 1, "a/b/.env", ""},
		"named prod.env":            {"deploy/prod.env", "SECRET_KEY=" + secretKey + "\n", 1, "deploy/prod.env", ""},
		"own without":               {".env", "SECRET_KEY=" + secretKey + "\n", 1, ".env sets no", ""},
		"own with export":           {".env", "SECRET_KEY=" + secretKey + "\nexport JWT_SECRET_KEY=" + key + "\n", 1, "sets no JWT_SECRET_KEY, as decouple reads it, though a line names it", ""},
		"link to nothing":           {".env.gone", "", 1, ".env.gone cannot be read: it does not exist", ""},
		"empty":                     {".env.local", "SECRET_KEY=" + secretKey + "\nJWT_SECRET_KEY=\n", 1, "empty", ""},
		"placeholder":               {".env.local", "SECRET_KEY=" + secretKey + "\nJWT_SECRET_KEY=" + strings.Repeat("change-me-", 6) + "\n", 1, "placeholder", ""},
		"too large":                 {".env.local", strings.Repeat("#\n", file.MaxRead), 1, "larger than 1 MiB", ""},
		"not decodable":             {".env.local", "SECRET_KEY=\xff\n", 1, "cannot be read as decouple", ""},
		"equal":                     {".env.docker", "SECRET_KEY=" + key + "\nJWT_SECRET_KEY=" + key + "\n", 2, "equal in .env.docker", ""},
		"short":                     {".env.docker", "JWT_SECRET_KEY=" + key[:32] + "\n", 3, "32 characters", ""},
		"weak":                      {".env.docker", "JWT_SECRET_KEY=" + strings.Repeat("ab", 40) + "\n", 3, "guessed", ""},
		"workflow lacks it":         {".github/workflows/b.yml", "env:\n  SECRET_KEY: x\n", 7, ".github/workflows/b.yml:2", "ci-missing-key"},
		"only in a comment":         {".gitlab-ci.yml", "SECRET_KEY: x\n# JWT_SECRET_KEY: y\n", 7, ".gitlab-ci.yml:1", "ci-missing-key"},
		"only behind a comment":     {".gitlab-ci.yml", "SECRET_KEY: x # not JWT_SECRET_KEY\n", 7, ".gitlab-ci.yml:1", "ci-missing-key"},
		"compose list":              {"docker-compose.yml", "environment:\n  - SECRET_KEY=${SECRET_KEY}\n", 7, "docker-compose.yml:2", "compose-missing-key"},
		"manifest":                  {"k8s/deployment.yaml", "apiVersion: v1\nkind: Pod\nenv:\n- name: SECRET_KEY\n", 7, "k8s/deployment.yaml:4", "kubernetes-missing-key"},
		"flow mapping":              {"ci.yml", "env: {SECRET_KEY: x}\n", 7, "ci.yml:1", "ci-missing-key"},
		"image":                     {"Dockerfile", "FROM x\nENV SECRET_KEY=x\n", 7, "Dockerfile:2", "ci-missing-key"},
		"pipeline too large":        {"big.yml", strings.Repeat("#\n", file.MaxRead), 7, "not every file was looked at", ""},
		"document lacks it":         {"docs/deploy.md", "\nexport SECRET_KEY=...\n", 8, "docs/deploy.md:2", "docs-missing-key"},
		"table":                     {"docs/deploy.rst", "| `SECRET_KEY` | any |\n", 8, "docs/deploy.rst:1", "docs-missing-key"},
		"example file":              {".env.example", "SECRET_KEY=\n", 8, ".env.example:1", "example-missing-key"},
		"example with another name": {"example.env", "SECRET_KEY=\n", 8, "example.env:1", "example-missing-key"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.write(c.file, c.content)
			if c.content == "" {
				h.remove(c.file)
				if err := os.Symlink("nowhere", h.path(c.file)); err != nil {
					t.Skip("this system has no links")
				}
			}
			h.prove(good(), true)
			h.attest(9)
			r := h.look()
			it := r.Items[c.item-1]
			if it.State != Open || !strings.Contains(it.Reason, c.reason) {
				t.Errorf("item %d is %s: %q", c.item, it.State, it.Reason)
			}
			if c.code != "" && (len(r.Findings) != 1 || r.Findings[0].Code != c.code || r.Findings[0].Line == 0) {
				t.Errorf("findings %+v", r.Findings)
			}
		})
	}
}

func TestWhatIsHealthyStaysTicked(t *testing.T) {
	t.Parallel()
	secretKey, key := stepstest.Key(), stepstest.Key()
	for name, c := range map[string][2]string{
		"front end":           {"frontend/.env", "VITE_URL=x\n"},
		"complete":            {".env.staging", "SECRET_KEY=" + secretKey + "\nJWT_SECRET_KEY=" + key + "\n"},
		"template":            {".env.docker", "SECRET_KEY=your-secret-key-here\nJWT_SECRET_KEY=your-jwt-secret-key-here\n"},
		"package":             {"node_modules/x/.env", "SECRET_KEY=x\n"},
		"git's own":           {".git/x.yml", "SECRET_KEY: x\n"},
		"virtual environment": {"env/lib/x/README.md", "SECRET_KEY=x\n"},
		"reference":           {"ci.yml", "DJANGO: ${SECRET_KEY}\nOTHER: ${{ secrets.SECRET_KEY }}\n"},
		"another name":        {"ci.yml", "DJANGO_SECRET_KEY: x\n"},
		"prose":               {"docs/a.md", "Django's SECRET_KEY signs sessions. See settings.SECRET_KEY[:20].\n"},
		"comparison":          {"docs/a.md", "if SECRET_KEY == JWT: raise\n"},
		"lock file":           {"pnpm-lock.yaml", "SECRET_KEY: x\n"},
		"source":              {"settings_ci.py", "SECRET_KEY = 'x'\n"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.write("env/pyvenv.cfg", "")
			h.write(c[0], c[1])
			h.prove(good(), true)
			h.attest(9)
			if r := h.look(); !r.Complete || len(r.Findings) != 0 {
				t.Errorf("open are %v, findings %v\n%s", open(r), r.Findings, r.Text())
			}
		})
	}
}

func TestALongListIsCutShort(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range maxNamed + 4 { // and the README
		h.write(fmt.Sprintf("docs/%d.md", i), "SECRET_KEY= JWT_SECRET_KEY=\n")
	}
	it := h.look().Items[7]
	if it.State != Done || len(it.Evidence) != maxNamed+1 || it.Evidence[maxNamed].Text != "so do 5 more files" {
		t.Errorf("item 8 is %s with %+v", it.State, it.Evidence)
	}
}

func TestTooManyFilesAreSaid(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.prove(good(), true)
	for i := range 2_001 {
		h.write(fmt.Sprintf("docs/%d.md", i), "")
	}
	h.attest(9)
	r := h.look()
	if it := r.Items[7]; !slices.Equal(open(r), []int{8}) || !strings.Contains(it.Reason, "more than 2000") {
		t.Errorf("open are %v, item 8: %q", open(r), it.Reason)
	}
}

func TestLookNeedsAProjectAndStops(t *testing.T) {
	t.Parallel()
	if _, err := Look(context.Background(), &steps.Run{}, time.Now()); !errors.Is(err, steps.ErrCannotLook) {
		t.Errorf("without a project: %v", err)
	}
	h := newHouse(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Look(ctx, h.run, time.Now()); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	h.run.Project.TopLevel = h.path("nowhere")
	if _, err := Look(context.Background(), h.run, time.Now()); !errors.Is(err, steps.ErrCannotLook) {
		t.Errorf("without a folder: %v", err)
	}
}

// The source of evidence says which check it was, also where the text has that word.
func TestTheSourceOfEvidence(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	for want, ev := range map[string]Evidence{
		" (files, 2026-01-02 03:04 UTC)":                        {Text: "so do 3 more files", Check: "files", Time: at},
		" (restart answers, 2026-01-02 03:04 UTC)":              {Text: "http://a answers", Check: "restart answers", Server: "http://a", Time: at},
		" (smoke-test answers, http://a, 2026-01-02 03:04 UTC)": {Text: "it answers", Check: "smoke-test answers", Server: "http://a", Time: at},
	} {
		if got := ev.source(); got != want {
			t.Errorf("%q: %q, want %q", ev.Text, got, want)
		}
	}
}

// A key that the environment alone sets is as good as one in a file; a bad one there
// is told as such.
func TestAKeyOfTheEnvironment(t *testing.T) {
	t.Parallel()
	key, secretKey := stepstest.Key(), stepstest.Key()
	for name, c := range map[string]struct {
		file           string
		environ        map[string]string
		one, two, tree string // a part of items 1, 2 and 3
	}{
		"good, and no file":        {"-", map[string]string{"JWT_SECRET_KEY": key, "SECRET_KEY": secretKey}, "the environment sets JWT_SECRET_KEY", "", "86 characters, in the environment"},
		"good, beside SECRET_KEY":  {"SECRET_KEY=" + secretKey + "\n", map[string]string{"JWT_SECRET_KEY": key}, "the environment sets JWT_SECRET_KEY", "", "86 characters, in the environment"},
		"short":                    {"SECRET_KEY=" + secretKey + "\n", map[string]string{"JWT_SECRET_KEY": key[:20]}, "the environment sets JWT_SECRET_KEY", "", "open: the key in the environment has 20 characters"},
		"equal to that of a file":  {"SECRET_KEY=" + key + "\n", map[string]string{"JWT_SECRET_KEY": key}, "the environment sets JWT_SECRET_KEY", "open: the two keys are equal in the environment", "86 characters"},
		"empty":                    {"SECRET_KEY=" + secretKey + "\n", map[string]string{"JWT_SECRET_KEY": ""}, "open: the environment sets JWT_SECRET_KEY to no key", "", "open: "},
		"a file that has one too":  {"JWT_SECRET_KEY=" + key + "\n", map[string]string{"JWT_SECRET_KEY": key}, "sets JWT_SECRET_KEY, as decouple reads it", "", "86 characters"},
		"no file, and nothing set": {"-", nil, "open: .env cannot be read", "", "open: no file holds a key"},
		"a file of its value":      {"SECRET_KEY=" + secretKey + "\n", nil, "holds JWT_SECRET_KEY, and the settings read it there", "", "86 characters, in jwt.txt"},
		"fetched by the settings":  {"SECRET_KEY=" + secretKey + "\n", nil, "the settings fetch JWT_SECRET_KEY themselves", "", "64 characters, as Django has it"},
		"one that will not do":     {"SECRET_KEY=" + secretKey + "\n", nil, "open: the settings fetch no good key", "", "open: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := stepstest.NewRun(t, c.file, c.environ)
			if fetched := map[string]int{"fetched by the settings": 64, "one that will not do": 12}[name]; fetched > 0 {
				run.Project.Source, run.Project.Facts = steps.Source{Kind: steps.FromCode}, &steps.Facts{State: "ok", Key: steps.KeyFacts{Set: true, Length: fetched}}
			}
			if name == "a file of its value" {
				run.Project.Source = steps.Source{Kind: steps.ValueFile, File: filepath.Join(run.Project.Root, "jwt.txt")}
				if err := os.WriteFile(run.Project.Source.File, []byte(key+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if c.file == "-" {
				if err := os.Remove(run.Project.EnvFile.Path); err != nil {
					t.Fatal(err)
				}
			}
			r, err := Look(t.Context(), run, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []string{c.one, c.two, c.tree} {
				if got := r.Items[i].inShort(); !strings.Contains(got, want) {
					t.Errorf("item %d: %s, want %s", i+1, got, want)
				}
			}
			text := r.Text()
			if strings.Contains(text, key) || strings.Contains(text, secretKey) {
				t.Error("a key is in the report")
			}
		})
	}
}
