package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/canary"
)

const whole = `# for everyone
key = "JWT_SECRET_KEY"
secret_key = "DJANGO_SECRET_KEY"
distinct_from = ["SECRET_KEY", "FIELD_KEY"]
min_length = 64
settings = "config.settings"
python = ".venv/bin/python"

[environments.development]
url = "http://127.0.0.1:8000"

[environments.staging]
targets = ["kubernetes:shop/backend#jwt", "github:acme/shop"]
restart = "kubernetes:shop/backend"
url = ["https://a.example.com", "https://b.example.com"]
login = "/api/login/"
protected = "/api/me/"
refresh = "/api/refresh/"
username = "probe"
`

func TestEverythingIsRead(t *testing.T) {
	want := Config{
		Path: "/p/keysplit.toml", Variables: steps.Names{Key: "JWT_SECRET_KEY", SecretKey: "DJANGO_SECRET_KEY"}, DistinctFrom: []string{"SECRET_KEY", "FIELD_KEY"}, MinLength: 64,
		Settings: "config.settings", Python: filepath.Join("/p", ".venv/bin/python"),
		Environments: map[string]Environment{
			"development": {URLs: []string{"http://127.0.0.1:8000"}},
			"staging": {
				Targets: []string{"kubernetes:shop/backend#jwt", "github:acme/shop"}, Restart: "kubernetes:shop/backend",
				URLs: []string{"https://a.example.com", "https://b.example.com"}, Login: "/api/login/", Protected: "/api/me/",
				Refresh: "/api/refresh/", Username: "probe",
			},
		},
	}
	got, err := Parse("/p/keysplit.toml", []byte(whole), false)
	got.lines = nil
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	text := "[project]\nname = \"shop\"\n[tool.ruff]\nline-length = 100\n" + strings.NewReplacer("# for everyone", "[tool.keysplit]", "[env", "[tool.keysplit.env").Replace(whole)
	want.Path = "/p/pyproject.toml"
	got, err = Parse("/p/pyproject.toml", []byte(text), true)
	got.lines, got.prefix = nil, nil
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("in pyproject.toml: %+v, %v", got, err)
	}
	if got, err := Parse("/p/pyproject.toml", []byte("[tool.ruff]\nkeysplit = 1\n"), true); err != nil || got.Path != "" {
		t.Errorf("a pyproject.toml of others: %+v, %v", got, err)
	}
}

func TestWhatIsWrongIsSaidWithItsLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"misspelt":              {"min_lenght = 60\n", `f.toml:1: unknown name "min_lenght"; did you mean "min_length"?`},
		"misspelt below":        {"\n[environments.staging]\ntargtes = []\n", `f.toml:3: unknown name "targtes"; did you mean "targets"?`},
		"far off":               {"colour = 1\n", `f.toml:1: unknown name "colour"; valid are key, secret_key, distinct_from, min_length, settings, python, tracked_env, environments`},
		"wrong type":            {"settings = 3\n", `f.toml:1: `},
		"wrong type below":      {"[environments.x]\ntargets = \"dotenv\"\n", `f.toml:2: `},
		"no TOML":               {"settings = \n", `f.toml:1: this is not valid TOML`},
		"a short length":        {"# x\nmin_length = 20\n", `f.toml:2: min_length is 20; the backend's own rule is 50`},
		"a key with a space":    {"key = \"TOKEN KEY\"\n", `f.toml:1: key is the name of an environment variable, such as JWT_SECRET_KEY`},
		"no secret_key":         {"secret_key = \"\"\n", `f.toml:1: secret_key is the name of an environment variable, such as JWT_SECRET_KEY`},
		"one name for both":     {"secret_key = \"A\"\nkey = \"A\"\n", `f.toml:2: key and secret_key name the same variable, and the two keys must differ`},
		"not a variable":        {"distinct_from = [\"A B\"]\n", `f.toml:1: distinct_from lists the names of other variables, and one of these is none`},
		"the key itself":        {"distinct_from = [\"JWT_SECRET_KEY\"]\n", `f.toml:1: distinct_from lists the names of other variables, and one of these is none`},
		"not a URL":             {"[environments.a]\nlogin = \"/x\"\nurl = \"api.example.com\"\n", `f.toml:3: url is a base URL such as`},
		"a password in the URL": {"[environments.a]\nurl = \"https://a:b@api.example.com\"\n", `f.toml:2: `},
		"a URL of a wrong type": {"[environments.a]\nurl = [1]\n", `f.toml:2: url must be a text, or a list of texts`},
		"not a path":            {"[environments.a]\nlogin = \"login\"\n", `f.toml:2: login is a path on the server and begins with /`},
		"not an environment":    {"[environments.\"a b\"]\nlogin = \"/x\"\n", `this is no name for an environment`},
		"no environment table":  {"environments = 1\n", `f.toml:1: `},
		"a secret has no place": {"[environments.a]\npassword = \"x\"\n", `f.toml:2: unknown name "password"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse("f.toml", []byte(c.text), false)
			if !errors.Is(err, steps.ErrUsage) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%+v, error %v, want %s", got, err, c.want)
			}
		})
	}
	if _, err := Parse("p.toml", []byte("[tool.x]\ny = 1\n\n[tool.keysplit]\ntarget = 1\n"), true); err == nil || !strings.Contains(err.Error(), "p.toml:5: unknown name") {
		t.Errorf("in pyproject.toml: %v", err)
	}
}

// A secret that was written into the configuration is not said again.
func TestAMistakeDoesNotQuoteASecret(t *testing.T) {
	value := canary.New()
	for _, text := range []string{
		"key = \"%-\"", "secret_key = \"%-\"", "distinct_from = [\"% \"]", "distinct_from = [\"JWT_SECRET_KEY=%\"]", "min_length = \"%\"", "settings = \"%", "% = 1", "%",
		"[environments.a]\nurl = \"%\"", "[environments.a]\nurl = \"https://bob:%@api.example.com\"", "[environments.a]\nurl = \"https://bob:%\"",
		"[environments.a]\nlogin = \"%\"", "[environments.a]\n% = 1", "[environments.\"%!\"]", "[environments.\"%\"]\nurl = 1", "[environments.\"%\"]\ntargets = 1",
	} {
		_, err := Parse("f.toml", []byte(strings.ReplaceAll(text, "%", value)+"\n"), false)
		if err == nil || canary.Leaks(err.Error(), value) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestProductionIsKnownByNameOrWord(t *testing.T) {
	c, err := Parse("f", []byte("[environments.live]\n[environments.eu]\nproduction = true\n[environments.staging]\n[environments.products]\n"), false)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"live": true, "eu": true, "staging": false, "products": false} {
		if c.Environments[name].Production != want {
			t.Errorf("%s: production is %t", name, !want)
		}
	}
}

func TestTheNearestFileCounts(t *testing.T) {
	top := t.TempDir()
	backend := filepath.Join(top, "backend")
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(backend, 0o700); err != nil {
		t.Fatal(err)
	}
	if c, err := Find(backend, top); err != nil || c.Path != "" {
		t.Errorf("without a file: %+v, %v", c, err)
	}
	write(filepath.Join(filepath.Dir(top), "keysplit.toml"), "x = 1")
	if c, err := Find(backend, top); err != nil || c.Path != "" {
		t.Errorf("above the work tree: %+v, %v", c, err)
	}
	write(filepath.Join(top, "pyproject.toml"), "[tool.keysplit]\nsettings = \"top\"\n")
	if c, err := Find(backend, top); err != nil || c.Settings != "top" {
		t.Errorf("at the top: %+v, %v", c, err)
	}
	write(filepath.Join(backend, "keysplit.toml"), "settings = \"near\"\n")
	if c, err := Find(backend, top); err != nil || c.Settings != "near" {
		t.Errorf("nearer: %+v, %v", c, err)
	}
	write(filepath.Join(backend, "pyproject.toml"), "[tool.keysplit]\n")
	if _, err := Find(backend, top); !errors.Is(err, steps.ErrUsage) || !strings.Contains(err.Error(), "both") {
		t.Errorf("two in one folder: %v", err)
	}
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{"targtes": "targets", "ur": "url", "restrat": "restart", "user": "", "x": "", "logn": "login"} {
		if got := Nearest(name, environmentNames); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("[tool.keysplit]\nurl = [1"))
	f.Add([]byte("a.b.c = {x = [[]]}\n[[environments]]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, shared := range []bool{false, true} {
			if _, err := Parse("f", data, shared); err != nil && !errors.Is(err, steps.ErrUsage) {
				t.Errorf("error %v", err)
			}
		}
	})
}
