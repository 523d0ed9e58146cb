package finding

import (
	"strings"
	"testing"
)

// pasted are texts as people have them on their screens, and the page that each
// must lead to first.
var pasted = []struct {
	name, text string
	want       Code
}{
	{"the guide: required", "JWT_SECRET_KEY environment variable is required", "jwt-key-missing"},
	{"the guide: different", "JWT_SECRET_KEY must be different from SECRET_KEY", "jwt-key-equals-secret-key"},
	{"the guide: short", "JWT_SECRET_KEY must be at least 50 characters", "jwt-key-too-short"},
	{"a traceback", `Traceback (most recent call last):
  File "/srv/backend/manage.py", line 22, in <module>
    main()
  File "/srv/backend/plant/settings.py", line 390, in <module>
    raise ImproperlyConfigured(
django.core.exceptions.ImproperlyConfigured: JWT_SECRET_KEY environment variable is required. Generate one with: python -c 'import secrets; print(secrets.token_urlsafe(64))'
`, "jwt-key-missing"},
	{"a longer text of a project", "django.core.exceptions.ImproperlyConfigured: JWT_SECRET_KEY environment variable is required in all environments.\nThis must be different from SECRET_KEY for security.\n", "jwt-key-missing"},
	{"the project's text for a short key", "django.core.exceptions.ImproperlyConfigured: JWT_SECRET_KEY must be at least 50 characters long for security. Current length: 32\n", "jwt-key-too-short"},
	{"decouple", "decouple.UndefinedValueError: JWT_SECRET_KEY not found. Declare it as envvar or define a default value.", "jwt-key-missing"},
	{"os.environ", "    JWT_SECRET_KEY = os.environ['JWT_SECRET_KEY']\n  File \"<frozen os>\", line 679, in __getitem__\nKeyError: 'JWT_SECRET_KEY'", "jwt-key-missing"},
	{"django-environ", "django.core.exceptions.ImproperlyConfigured: Set the JWT_SECRET_KEY environment variable", "jwt-key-missing"},
	{"pydantic", "1 validation error for Settings\njwt_secret_key\n  Field required [type=missing, input_value={}, input_type=dict]", "jwt-key-missing"},
	{"with colours", "\x1b[31mImproperlyConfigured\x1b[0m: JWT_SECRET_\x1b[1mKEY must be set", "jwt-key-missing"},
	{"compose v1", `WARNING: The JWT_SECRET_KEY variable is not set. Defaulting to a blank string.`, "compose-missing-key"},
	{"compose v2", `time="2025-11-04T10:00:00Z" level=warning msg="The \"JWT_SECRET_KEY\" variable is not set. Defaulting to a blank string."`, "compose-missing-key"},
	{"compose required", `error while interpolating services.web.environment.JWT_SECRET_KEY: required variable JWT_SECRET_KEY is missing a value`, "compose-missing-key"},
	{"kubernetes", `  Warning  Failed  2s  kubelet  Error: couldn't find key jwt-secret-key in Secret default/backend-secrets`, "kubernetes-missing-key"},
	{"SECRET_KEY", "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be empty.", "secret-key-missing"},
	{"a comment in a value", "ValueError: invalid literal for int() with base 10: '15  # minutes'", "value-inline-comment"},
	{"glued", "ValueError: Not a boolean: TrueJWT_SECRET_KEY=****", "line-glued"},
	{"latin-1", "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9 in position 12: invalid continuation byte", "encoding-invalid"},
	{"unbalanced", "WARNING python-dotenv could not parse statement starting at line 3", "quote-unbalanced"},
	{"no .env", "ERROR: Couldn't find env file: /srv/.env: No such file or directory: '/srv/.env'", "env-file-missing"},
	{"csrf", `{"detail":"CSRF Failed: CSRF token missing."}`, "login-csrf"},
	{"throttled", `{"detail":"Request was throttled. Expected available in 800 seconds."}`, "login-throttled"},
	{"locked", `{"error":"Account locked: too many login attempts."}`, "login-locked"},
	{"old token", `{"detail":"Given token not valid for any token type","code":"token_not_valid"}`, "token-refused"},
	{"wrong password", `{"detail":"No active account found with the given credentials"}`, "login-rejected"},
	{"tls", "curl: (60) SSL certificate problem: self-signed certificate", "tls-untrusted"},
	{"nobody there", "curl: (7) Failed to connect to localhost port 8000 after 0 ms: Connection refused", "server-unreachable"},
	{"no Django", "ModuleNotFoundError: No module named 'django'", "django-not-runnable"},
	{"wrong folder", "python: can't open file '/home/ada/manage.py': [Errno 2] No such file or directory", "project-not-found"},
	{"checks", "SystemCheckError: System check identified some issues:", "django-check-failed"},
}

func TestPastedTextsLeadToTheirPage(t *testing.T) {
	for _, p := range pasted {
		got := Recognise([]byte(p.text))
		if len(got) == 0 || got[0] != p.want {
			t.Errorf("%s: %v, want %s first", p.name, got, p.want)
		}
	}
}

func TestOtherTextsLeadNowhere(t *testing.T) {
	for _, text := range []string{
		"", "all is well", "Starting development server at http://127.0.0.1:8000/", "System check identified no issues (0 silenced).",
		"We renamed SECRET_KEY last year.", strings.Repeat("\xff\x00", 1000), "JWT_SECRET_KEY=" + strings.Repeat("x", 50),
	} {
		if got := Recognise([]byte(text)); len(got) > 0 {
			t.Errorf("%.40q leads to %v", text, got)
		}
	}
}

func TestEverySignHasAPageAndIsNeeded(t *testing.T) {
	found := map[Code]bool{}
	for _, p := range pasted {
		found[p.want] = true
	}
	for _, s := range signs {
		if _, ok := LookUp(s.code); !ok {
			t.Errorf("%s has no page", s.code)
		}
	}
	if len(found) < 20 {
		t.Errorf("only %d kinds of trouble are tried", len(found))
	}
}
