package faults

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/ui/internal/ptytest"
)

// leaky is a project whose settings show pieces of its secrets.
type leaky struct {
	project *djangotest.Project
	state   string
	secrets map[string]string // by name
}

// kept is how the .env keeps the secrets. NAME stands for the secret of that name.
const kept = `DEBUG=True
SECRET_KEY=SECRET-KEY
JWT_SECRET_KEY=JWT-KEY
# The old one was: WORD-OF-A-COMMENT, until May
MAIL_HOST=localhost  # with BEHIND-A-VALUE
API_KEYS=FIRST-MEMBER,SECOND-MEMBER
DATABASE_URL=postgres://shop:URL-PASSWORD@db.internal.example:5432/shop
CREDENTIALS={"user": "shop", "token": "IN-JSON"}
CERTIFICATE=IN-BASE64
TITLE=ANY-VALUE
`

func newLeaky(t *testing.T) *leaky {
	t.Helper()
	p := djangotest.New(t, djangotest.Options{Git: true, Reader: "dotenv"})
	l := &leaky{project: p, state: t.TempDir(), secrets: map[string]string{"SECRET-KEY": p.SecretKey, "JWT-KEY": p.Key}}
	text := kept
	for _, name := range []string{"WORD-OF-A-COMMENT", "BEHIND-A-VALUE", "FIRST-MEMBER", "SECOND-MEMBER", "URL-PASSWORD", "IN-JSON", "IN-BASE64", "ANY-VALUE", "OF-A-VAULT", "LITERAL"} {
		l.secrets[name] = djangotest.NewKey()
	}
	for name, secret := range l.secrets {
		written := secret
		switch name {
		case "URL-PASSWORD":
			written = strings.ReplaceAll(url.PathEscape("#"+secret), "-", "%2D")
		case "IN-BASE64":
			written = base64.StdEncoding.EncodeToString([]byte(secret))
		}
		text = strings.ReplaceAll(text, name+"\n", written+"\n")
		text = strings.NewReplacer("="+name, "="+written, ": "+name, ": "+written, " "+name, " "+written, ","+name, ","+written,
			":"+name+"@", ":"+written+"@", `"`+name+`"`, `"`+written+`"`).Replace(text)
	}
	for name := range l.secrets {
		if strings.Contains(text, name) {
			t.Fatalf("%s is not in the file", name)
		}
	}
	p.WriteEnv(t, text)
	return l
}

// pieces are ways in which a library quotes a value, in Python; s is the value.
var pieces = map[string]string{
	"whole":       `s`,
	"cut":         `s[:len(s) * 2 // 3]`,
	"beheaded":    `s[1:]`,
	"shortened":   `s[:12] + "..." + s[-11:]`,
	"ellipsis":    `s[:20] + chr(0x2026)`,
	"sliced":      `s[5:14]`,
	"the first":   `s[:20]`,
	"lower case":  `s.lower()`,
	"bytes":       `repr(s.encode())`,
	"a list":      `repr(["a", s])`,
	"JSON":        `json.dumps({"a": [s]})`,
	"base64":      `base64.b64encode(s.encode()).decode()`,
	"hexadecimal": `s.encode().hex()`,
	"quoted":      `urllib.parse.quote("#" + s)`,
	"broken up":   `s[:9] + "\x1b[0m" + s[9:]`,
}

// shows are ways in which settings show a text x.
var shows = map[string]string{
	"print":           `print("the value is", x)`,
	"standard error":  `print(x, file=sys.stderr)`,
	"a log":           `logging.getLogger("shop").warning("key %s", x)`,
	"a warning":       `warnings.warn("weak: " + x)`,
	"an error":        `raise ValueError("bad value " + x)`,
	"a configuration": `raise ImproperlyConfigured(f"SECRET_KEY is {x}")`,
	"about the key":   `raise ImproperlyConfigured(f"JWT_SECRET_KEY is refused: {x}")`,
	"a key":           `{}[x]`,
	"a chain":         "try:\n    int(x)\nexcept ValueError as e:\n    raise RuntimeError(x) from e",
	"a note":          "e = ValueError('see notes')\ne.__notes__ = [x]\nraise e",
	"a number":        `int(x)`,
	"a port":          `urllib.parse.urlparse("postgres://shop@db:" + x + "/shop").port`,
	"a module":        `__import__("shop." + x)`,
	"an exit":         `sys.exit("stopped: " + x)`,
	"a syntax error":  `compile("KEY = '" + x, "settings.py", "exec")`,
	"a file":          `open("/nowhere/" + x)`,
	"a check":         "from django.core.checks import Error, register\n@register()\ndef weak(app_configs, **kwargs):\n    return [Error(f'SECRET_KEY is weak: {x}', id='shop.E001')]",
	"a setting":       `ALLOWED_HOSTS = x`,
	"a template":      `TEMPLATES = [{"BACKEND": x}]`,
	"an app":          `INSTALLED_APPS = INSTALLED_APPS + [x]`,
	"a database":      `DATABASES = {"default": {"ENGINE": "shop." + x, "NAME": x}}`,
	"a middleware":    `ROOT_URLCONF = "shop." + x`,
	"an algorithm":    `SIMPLE_JWT = dict(SIMPLE_JWT, ALGORITHM=x)`,
}

// show has the settings show one piece of one secret in one way.
func (l *leaky) show(t *testing.T, settings []byte, secret, piece, show string) {
	t.Helper()
	vault := filepath.Join(t.TempDir(), "vault")
	if err := os.WriteFile(vault, []byte(l.secrets[secret]), 0o600); err != nil {
		t.Fatal(err)
	}
	add := "\nimport base64, json, logging, sys, urllib.parse, warnings\nfrom django.core.exceptions import ImproperlyConfigured\n" +
		"DATABASE_PASSWORD = '" + l.secrets["LITERAL"] + "'\n" +
		"s = open(" + fmt.Sprintf("%q", vault) + ").read()\nx = " + pieces[piece] + "\n" + shows[show] + "\n"
	if err := os.WriteFile(l.project.Settings, append(slices.Clone(settings), add...), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (l *leaky) env() []string {
	return djangotest.CleanEnviron("KEYSPLIT_STATE_DIR="+l.state, "LANG=C.UTF-8", "TERM=xterm-256color", "PYTHONDONTWRITEBYTECODE=1")
}

// run gives all that a command prints.
func (l *leaky) run(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, keysplit.Path(t), args...)
	c.Dir, c.Env, c.Stdin = l.project.Root, l.env(), strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	if c.ProcessState == nil || ctx.Err() != nil || c.ProcessState.ExitCode() == 2 {
		t.Errorf("keysplit %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// wizard gives all that the wizard sends to its terminal while it looks and shows
// its log and its findings.
func (l *leaky) wizard(t *testing.T) string {
	t.Helper()
	tm := ptytest.Start(t, ptytest.Options{Program: keysplit.Path(t), Args: []string{"--python", l.project.Python, "--restart", "none"},
		Dir: l.project.Root, Env: l.env(), Cols: 160, Rows: 50})
	tm.WaitFor(`enter `, 2*soon)
	page := tm.Settled(time.Second, 2*soon).Text()
	shows := func(it bool) func(ptytest.Frame) bool {
		return func(f ptytest.Frame) bool { return (f.Text() == page) == it }
	}
	// Two keys that arrive as one are another key, so each is waited for.
	for _, key := range []string{"l", "t"} {
		tm.Type(key)
		tm.WaitUntil("overlay of "+key, soon, shows(false))
		tm.Press(ptytest.Esc)
		tm.WaitUntil("page without it", soon, shows(true))
	}
	tm.Press(ptytest.CtrlC)
	tm.WaitUntil("question or end", soon, func(f ptytest.Frame) bool { return !tm.Running() || shows(false)(f) })
	if tm.Running() {
		tm.Type("y")
	}
	tm.Exit(soon)
	return tm.Raw()
}

// leakyCommands are those that show what the project's code or a child says.
func (l *leaky) commands() map[string][]string {
	py := []string{"--python", l.project.Python}
	all := map[string][]string{
		"plan":         append([]string{"upgrade", "--dry-run", "--json"}, py...),
		"upgrade":      append([]string{"upgrade", "--yes", "--rotate", "--skip", "restart,smoke-test"}, py...),
		"as JSON":      append([]string{"upgrade", "--yes", "--json", "--rotate", "--skip", "smoke-test"}, py...),
		"accessible":   append([]string{"upgrade", "--yes", "--accessible", "--rotate", "--skip", "restart,smoke-test"}, py...),
		"own server":   append([]string{"upgrade", "--yes", "--rotate"}, py...),
		"static":       {"check", "--static"},
		"report":       {"report", "--format", "json"},
		"rollback":     {"rollback", "--yes", "--restart", "none"},
		"explain text": {"explain"},
	}
	for _, format := range []string{"text", "json", "junit", "sarif", "github"} {
		all["check as "+format] = append([]string{"check", "--format", format}, py...)
	}
	return all
}

// TestPiecesOfSecretsAreHidden drives pieces of secrets through the commands, the
// log, the journal and the wizard: no 8 characters in a row of any come out. The
// short form tries a third of the ways of showing, from one that chance chooses, the long
// form all.
func TestPiecesOfSecretsAreHidden(t *testing.T) {
	t.Parallel()
	l := newLeaky(t)
	settings, err := os.ReadFile(l.project.Settings)
	if err != nil {
		t.Fatal(err)
	}
	commands := l.commands()
	names, cuts, ways, of := slices.Sorted(maps.Keys(commands)), slices.Sorted(maps.Keys(pieces)), slices.Sorted(maps.Keys(shows)), slices.Sorted(maps.Keys(l.secrets))
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	from, rounds := rng.IntN(len(ways)), len(ways)/3
	if long {
		from, rounds = 0, len(ways)*len(cuts) // each piece in each way
	}
	runs, texts, searched, leaks := 0, 0, 0, 0
	for n := from; n < from+rounds; n++ {
		secret, piece, show := of[rng.IntN(len(of))], cuts[n%len(cuts)], ways[n%len(ways)]
		l.show(t, settings, secret, piece, show)
		what := names[(n+rng.IntN(2))%len(names)]
		var out string
		if n%12 == 11 {
			what, out = "wizard", l.wizard(t)
		} else {
			out = l.run(t, "ImproperlyConfigured: bad "+l.secrets[secret]+"\n", commands[what]...)
		}
		h := newHunt(l.secrets)
		h.text(what, out)
		h.folder(t, what+": the state folder", l.state, func(name string) bool { return strings.HasPrefix(name, "backup-") })
		if strings.TrimSpace(out) == "" && what != "check as github" {
			t.Errorf("%s: nothing was shown", what)
		}
		for _, leak := range h.found {
			t.Errorf("seed %d, %s of %s through %s: %s\n", seed, piece, secret, show, leak)
		}
		runs, texts, searched, leaks = runs+1, texts+h.texts, searched+h.searched, leaks+len(h.found)
	}
	figures(t, figure{runs, "runs with settings that leak"}, figure{texts, "texts searched"}, figure{searched, "bytes searched"}, figure{leaks, "violations"})
}
