package preflight

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/sys/child"
)

// judgedBy is a diagnosis of a .env with both keys.
func judgedBy(t *testing.T) (*diagnosis, string) {
	t.Helper()
	key := stepstest.Key()
	run, dir := newRun(t), t.TempDir()
	p := &steps.Project{Root: dir, TopLevel: dir, EnvFile: steps.EnvFile{Path: filepath.Join(dir, ".env"), Exists: true, Readers: []envfile.Dialect{envfile.Decouple}}}
	run.Project = p
	run.Environ = stepstest.LookupEnv(t, nil)
	keys, err := steps.ReadKeys(run, envfile.Decouple, []byte("SECRET_KEY="+stepstest.Key()+"\nJWT_SECRET_KEY="+key+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return &diagnosis{run: run, project: p, keys: keys}, run.Prints.Of(keys.Key.Secret)
}

// What only running the settings tells is a finding each, where the files did not say it.
func TestWhatTheSettingsSayThatLoad(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(d *diagnosis, f *steps.Facts)
		want  []finding.Code
	}{
		"all is well":             {func(*diagnosis, *steps.Facts) {}, nil},
		"another file was opened": {func(_ *diagnosis, f *steps.Facts) { f.ReaderFiles = nil }, []finding.Code{finding.EnvFileWrongPlace}},
		"no SECRET_KEY":           {func(_ *diagnosis, f *steps.Facts) { f.SecretKey.Set = false }, []finding.Code{finding.SecretKeyMissing}},
		"another key":             {func(_ *diagnosis, f *steps.Facts) { f.Key.Sum = "00" }, []finding.Code{finding.KeyUnread}},
		"both keys are one":       {func(_ *diagnosis, f *steps.Facts) { f.SigningEqualsSecretKey = true }, []finding.Code{finding.JWTKeyEqualsSecretKey}},
		"SECRET_KEY signs":        {func(_ *diagnosis, f *steps.Facts) { f.SigningEqualsSecretKey, f.SigningEqualsKey = true, false }, []finding.Code{finding.SettingsNotUpgraded}},
		"no key is found":         {func(_ *diagnosis, f *steps.Facts) { f.State = "key-missing" }, []finding.Code{finding.KeyUnread}},
		"a key that stays outside of the container": {func(d *diagnosis, f *steps.Facts) {
			f.State, d.project.PythonArgs = "key-missing", []string{"compose"}
			d.run.Environ = stepstest.LookupEnv(t, map[string]string{"JWT_SECRET_KEY": stepstest.Key()})
		}, []finding.Code{finding.JWTKeyMissing}},
		"the key is refused":               {func(_ *diagnosis, f *steps.Facts) { f.State = "key-refused" }, []finding.Code{finding.JWTKeyWeak}},
		"the key is refused as too short":  {func(_ *diagnosis, f *steps.Facts) { f.State = "key-short" }, []finding.Code{finding.JWTKeyTooShort}},
		"the key is refused as SECRET_KEY": {func(_ *diagnosis, f *steps.Facts) { f.State = "key-equal" }, []finding.Code{finding.JWTKeyEqualsSecretKey}},
		"they would sign with SECRET_KEY":  {func(d *diagnosis, _ *steps.Facts) { d.ignores = true }, []finding.Code{finding.SettingsNotUpgraded}},
		"a failing check": {func(_ *diagnosis, f *steps.Facts) {
			f.Checks = []steps.SystemCheck{{Level: 30, ID: "x.W001"}, {Level: 40, ID: "x.E001"}}
		}, []finding.Code{finding.DjangoCheckFailed}},
		"a key pair": {func(_ *diagnosis, f *steps.Facts) {
			f.Tokens.Algorithm, f.SigningEqualsSecretKey, f.SigningEqualsKey, f.Key.Sum, f.Enforced = "RS256", true, false, "00", false
		}, []finding.Code{finding.TokenAlgorithm}},
		"the files said it": {func(d *diagnosis, f *steps.Facts) {
			f.State, d.found = "key-missing", []finding.Finding{finding.New(finding.JWTKeyMissing, "")}
		}, nil},
	} {
		d, sum := judgedBy(t)
		f := &steps.Facts{
			State: "ok", SigningEqualsKey: true, Enforced: true, ReaderFiles: []string{d.project.EnvFile.Path}, SettingsFile: filepath.Join(d.project.Root, "settings.py"),
			Key: steps.KeyFacts{Set: true, Length: 86, Sum: sum}, SecretKey: steps.KeyFacts{Set: true}, Tokens: steps.TokenFacts{Algorithm: "HS256"},
		}
		c.spoil(d, f)
		var got []finding.Code
		for _, f := range d.judgeFacts(f, false) {
			got = append(got, f.Code)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// What only the files seemed to say goes where the settings load and say otherwise; a
// value that is in the code stays a finding, and says so.
func TestWhatTheSettingsOverrule(t *testing.T) {
	t.Parallel()
	missing := finding.New(finding.JWTKeyMissing, "")
	for name, c := range map[string]struct {
		facts  steps.Facts
		source string
		found  finding.Finding
		stays  bool
		says   string
	}{
		"a key from elsewhere":      {steps.Facts{State: "ok", Key: steps.KeyFacts{Set: true}}, "", missing, false, ""},
		"a key in the code":         {steps.Facts{State: "ok", Key: steps.KeyFacts{Set: true}}, "JWT_SECRET_KEY = 'x'\n", missing, true, "in the code"},
		"so, and there is no .env":  {steps.Facts{State: "ok", Key: steps.KeyFacts{Set: true}}, "JWT_SECRET_KEY = 'x'\n", finding.New(finding.EnvFileMissing, "No file."), true, "No file."},
		"SECRET_KEY as the key":     {steps.Facts{State: "ok", Key: steps.KeyFacts{Set: true}, SigningEqualsSecretKey: true}, "", missing, true, ""},
		"no SECRET_KEY in the file": {steps.Facts{State: "ok", SecretKey: steps.KeyFacts{Set: true}}, "", finding.New(finding.SecretKeyMissing, ""), false, ""},
		"nor anywhere":              {steps.Facts{State: "ok"}, "", finding.New(finding.SecretKeyMissing, ""), true, ""},
		"a key pair signs":          {steps.Facts{State: "ok", Tokens: steps.TokenFacts{Algorithm: "RS256"}}, "", missing, false, ""},
		"so, and it does not load":  {steps.Facts{State: "key-missing", Tokens: steps.TokenFacts{Algorithm: "RS256"}}, "", missing, true, ""},
	} {
		d, _ := judgedBy(t)
		if c.facts.Tokens.Algorithm == "" {
			c.facts.Tokens.Algorithm = "HS256"
		}
		d.sources, d.project.Findings = []source{{path: "settings.py", text: c.source}}, []finding.Finding{c.found}
		d.overrule(&c.facts)
		left := d.project.Findings
		if (len(left) == 1) != c.stays || c.stays && !strings.Contains(left[0].Message.Rendered(), c.says) {
			t.Errorf("%s: %+v", name, left)
		}
		if name == "so, and it does not load" && (left[0].Fixable || !strings.Contains(left[0].Fix.Rendered(), "take that out of the settings")) {
			t.Errorf("%s: fixable %t, %q", name, left[0].Fixable, left[0].Fix.Rendered())
		}
	}
}

// What surrounds the two keys is judged by the line alone.
func TestLinesThatAreJudged(t *testing.T) {
	t.Parallel()
	d, _ := judgedBy(t)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(d.project.Root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".env.example", "HOURS=eight # of work\nDAYS=five\n")
	for text, want := range map[string]bool{"HOURS=7 # a number": true, "HOURS=true # a word": true, "HOURS=nine # as the example": true, "DAYS=six # not there": false, "A=b # nor there": false} {
		if got := d.expected(envfile.Parse([]byte(text + "\n")).Line(0)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
	d.project.EnvFile.Path = filepath.Join(d.project.Root, "none", ".env")
	if d.expected(envfile.Parse([]byte("HOURS=nine # as the example\n")).Line(0)) {
		t.Error("an example that is not there has it")
	}
	for fixable, text := range map[bool]string{true: stepstest.Key(), false: "Zm9vYmFyYmF6cXV4MTIzNA=="} {
		d.found = nil
		if d.bare(envfile.Parse([]byte("A=1\n")).Line(0), text, fixable); len(d.found) != 1 || d.found[0].Fixable != fixable || strings.Contains(d.found[0].Fix.Rendered(), "Remove that line") == fixable {
			t.Errorf("fixable %t: %+v", fixable, d.found)
		}
	}
	if d.launched().Kind != steps.Launched {
		t.Error("a launcher's variables have another source")
	}
	d.project.EnvFile.Readers = []envfile.Dialect{envfile.Shell}
	if d.launched().Kind != steps.NothingReads {
		t.Error("a file that a shell reads is a launcher's")
	}
}

// What a project requires is in all of its files, and in those that they name, each once.
func TestWhatAProjectRequires(t *testing.T) {
	t.Parallel()
	dir := lay(t, map[string]string{"requirements.txt": "-r base/all.pip\nA\n", "base/all.pip": "--requirement ../more.pip\nB\n", "more.pip": "-r base/all.pip\nC\n"})
	if got := requirements(&steps.Project{Root: dir, TopLevel: dir}); strings.Count(got, "A\n") != 1 || strings.Count(got, "B\n") != 1 || strings.Count(got, "C\n") != 1 {
		t.Errorf("%q", got)
	}
}

// A settings.ini is what decouple reads, so that the .env is where it would be without it.
func TestWhatASettingsIniHides(t *testing.T) {
	t.Parallel()
	for files, want := range map[string]string{"app/settings.ini": ".env", "app/settings.ini app/.env": "app/.env", ".env": ".env"} {
		laid := map[string]string{"app/x": ""}
		for _, name := range strings.Fields(files) {
			laid[name] = "x"
		}
		dir := lay(t, laid)
		at := decoupleSearch(&steps.Project{Root: dir, TopLevel: dir}, filepath.Join(dir, "app"))
		if at.path != filepath.Join(dir, filepath.FromSlash(want)) || (at.hidden != "") != strings.Contains(files, "ini") {
			t.Errorf("%s: %+v", files, at)
		}
	}
}

// What lies elsewhere is restarted here only where a way of this machine is named.
func TestWhatIsRestartedHere(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]bool{"": false, "systemd:web": true, "command:x": true, "runserver": true, "fly:shop": false, "none": false} {
		run := newRun(t)
		if spec != "" {
			run.Options.Restart = namedWay(spec)
		}
		if restartsHere(run) != want {
			t.Errorf("%q: %t", spec, !want)
		}
	}
}

// namedWay is a way to restart by its name alone.
type namedWay string

func (w namedWay) String() string { return string(w) }

func (w namedWay) Kept(*steps.Run) string { return string(w) }

// What Django's reader did is taken over from it, whatever the files seemed to say.
func TestTheReaderThatDjangoUsedIsTakenOver(t *testing.T) {
	t.Parallel()
	d, _ := judgedBy(t)
	for reader, want := range map[string]envfile.Dialect{"python-dotenv": envfile.PythonDotenv, "django-environ": envfile.DjangoEnviron, "none": envfile.Shell} {
		f := &steps.Facts{State: "key-missing", Reader: reader, ReaderFiles: []string{d.project.EnvFile.Path}}
		if !d.correct(t.Context(), f) || d.reader() != want || d.correct(t.Context(), f) {
			t.Errorf("%s: the reader is %s, or that changes nothing, or something every time", reader, d.reader())
		}
	}
}

// Where Django is not asked, the files tell that SECRET_KEY signs tokens.
func TestWhatSignsIsToldByTheFilesAlone(t *testing.T) {
	t.Parallel()
	const reads = "INSTALLED_APPS = ['rest_framework_simplejwt']\nSECRET_KEY = config('SECRET_KEY')\n"
	for text, want := range map[string]string{
		"SIMPLE_JWT = {}\n": "settings-not-upgraded:3",
		"SIMPLE_JWT = {'SIGNING_KEY': '" + stepstest.Key() + "'}\n": "signing-key-in-code:3",
		"SIMPLE_JWT = {'SIGNING_KEY': config('JWT_SECRET_KEY')}\n":  "",
	} {
		d, _ := judgedBy(t)
		d.project.Names, d.project.SettingsFile, d.project.Findings = steps.GuideNames, "settings.py", nil
		d.run.Options.Static, d.sources = true, []source{{path: "settings.py", text: reads + text}}
		if nothing, got := d.signsNothing(), codes(d.project.Findings); nothing || got != want {
			t.Errorf("%t, %s, want %s", nothing, got, want)
		}
	}
}

// A line that could not be tried is no line without which the settings load.
func TestAnEditThatCannotBeMadeIsNotTried(t *testing.T) {
	t.Parallel()
	d, _ := judgedBy(t)
	d.project.EnvFile.At = &envfile.Snapshot{Data: []byte("\xff\xfeA\x00")}
	d.project.EnvFile.Readers = []envfile.Dialect{envfile.Decouple, envfile.PythonDotenv, envfile.Shell}
	if refused, err := d.stillRefused(t.Context(), tried{facts: &steps.Facts{}}); refused || err == nil {
		t.Errorf("refused %t, %v", refused, err)
	}
}

// An interpreter that does not start is named, and the user that it would have run as.
func TestAnInterpreterThatDoesNotStart(t *testing.T) {
	t.Parallel()
	for want, user := range map[string]*child.Account{"--python": nil, "--as": {Name: "shop"}} {
		var failure *steps.Failure
		if err := cannotStart(&steps.Project{Python: "/opt/py", User: user, UserFrom: "the unit"}); !errors.As(err, &failure) || !strings.Contains(failure.Findings[0].Fix.Rendered(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	var failure *steps.Failure
	if _, err := openSession(t.Context(), newRun(t), &steps.Project{Root: t.TempDir(), Python: filepath.Join(t.TempDir(), "gone")}, nil); !errors.As(err, &failure) {
		t.Errorf("one that is gone: %v", err)
	}
}

// Where settings stop that read the environment alone, the key is said to come from their
// code only if that is where they had it from.
func TestWhereSettingsThatStopHadTheKeyFrom(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]bool{"code": true, "environment": false} {
		d, _ := judgedBy(t)
		d.project.Source.Kind = steps.NothingReads
		d.project.Stopped.Key = steps.KeyFacts{Set: true, Source: from, File: "config/keys.py"}
		lost := errors.New("it stopped")
		if err := d.unstarted(lost); !errors.Is(err, lost) || (d.project.Source.Kind == steps.FromCode) != want {
			t.Errorf("%s: %v, %+v", from, err, d.project.Source)
		}
	}
}

// Two readers look for the .env upward from the settings; another folder's is found by no other.
func TestAFileFurtherUpIsGuessed(t *testing.T) {
	t.Parallel()
	top := lay(t, map[string]string{".env": "A=b\n", "shop/config/settings.py": ""})
	p := &steps.Project{Root: filepath.Join(top, "shop"), TopLevel: top}
	settings := source{path: filepath.Join(top, "shop", "config", "settings.py")}
	if got := guess(p, envfile.PythonDotenv, settings, func(string) (string, bool) { return "", false }); got.path != filepath.Join(top, ".env") {
		t.Errorf("%+v", got)
	}
}

// The second key of a grace period is the new one only in the first stage of a rotation.
func TestWhichKeyTheSecondOneIs(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	var err error
	if run.Journal, err = stepstest.State(t).Open(run.Project.Root, steps.DefaultEnvironment); err != nil {
		t.Fatal(err)
	}
	run.Prints = run.Journal.Prints()
	next, old := run.Secret(stepstest.Key()), run.Secret(stepstest.Key())
	if got := whichKey(run, next); got != "previous" {
		t.Errorf("without a rotation: %s", got)
	}
	if err := run.Journal.BeginRotation(next, old); err != nil {
		t.Fatal(err)
	}
	if got := whichKey(run, next) + ", " + whichKey(run, old); got != "new, previous" {
		t.Error(got)
	}
}

// What is behind a # is no setting, unless it stands in a text; nor are the lines inside three quotes.
func TestWhatIsLeftOfAText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a = 1 # b\nc\n":                        "a = 1 \nc\n",
		`a = 'it\'s # 1'` + "\n":                `a = 'it\'s # 1'` + "\n",
		"a\n\"\"\"b = '\n# c\n\"\"\" + d # e\n": "a\n\"\"\"     \n   \n\"\"\" + d \n",
		"a = 'open # b\nc # d\n":                "a = 'open # b\nc \n",
	} {
		if got := withoutComments(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
