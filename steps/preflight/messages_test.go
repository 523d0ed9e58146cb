package preflight

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/steps/sys/file"
)

// messages are errors as libraries raise them. CANARY is a secret that no file and
// no name of a variable gives away; want is what has to stay readable.
var messages = []struct{ name, code, want string }{
	{"environ, not set", "environ.Env()('MAIL_HOST')", "Set the MAIL_HOST environment variable"},
	{"environ, a $ in front", "os.environ['SHOP_SECRET'] = '$' + CANARY\nenviron.Env()('SHOP_SECRET')", "ImproperlyConfigured Set the **** environment variable SHOP_SECRET"},
	{"environ, a number", "os.environ['MAIL_PORT'] = CANARY\nenviron.Env().int('MAIL_PORT')", "ValueError invalid literal for int() with base 10: '****' MAIL_PORT"},
	{"environ, a database", "os.environ['DATABASE_URL'] = 'postgres://shop@db:' + CANARY + '/shop'\nenviron.Env().db()", "ValueError Port could not be cast to integer value as '****' DATABASE_URL"},
	{"environ, JSON", "os.environ['FLAGS'] = '{' + CANARY\nenviron.Env().json('FLAGS')", "JSONDecodeError Expecting property name enclosed in double quotes: line 1 column 2 (char 1) FLAGS"},
	{"decouple, not set", "decouple.config('MAIL_HOST')", "UndefinedValueError MAIL_HOST not found. Declare it as envvar or define a default value. MAIL_HOST"},
	{"decouple, a truth value", "os.environ['MAIL_TLS'] = CANARY\ndecouple.config('MAIL_TLS', cast=bool)", "Invalid truth value: **** MAIL_TLS"},
	{"decouple, a comment", "os.environ['MAIL_PORT'] = '25  # ' + CANARY\ndecouple.config('MAIL_PORT', cast=int)", "invalid literal for int() with base 10: '25 # ****' MAIL_PORT"},
	{"decouple, a choice", "os.environ['MAIL_KIND'] = CANARY\ndecouple.config('MAIL_KIND', cast=decouple.Choices(['smtp', 'console']))", "Value not in list: '****'; valid values are ['smtp', 'console'] MAIL_KIND"},
	{"urllib, a port", "from urllib.parse import urlparse\nurlparse('postgres://shop:' + CANARY[:7] + '/' + CANARY[7:] + '@db/shop').port", "ValueError Port could not be cast to integer value as '****'"},
	{"urllib, NFKC", "from urllib.parse import urlparse\nurlparse('http://shop:' + CANARY + '\\u2100@db/')", "contains invalid characters under NFKC normalization"},
	{"pydantic, missing", "import pydantic_core\npydantic_core.missing(CANARY)", "ValidationError 1 validation error for Env SMTP_PORT Field required [type=missing, input_value={'SECRET_KEY': '****'}, input_type=dict]"},
	{"pydantic, a number", "import pydantic_core\npydantic_core.number(CANARY)", "SMTP_PORT Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='****', input_type=str]"},
	{"psycopg, a password", "import psycopg\npsycopg.connect(CANARY)", `OperationalError connection failed: connection to server at "db.internal.example" (10.20.30.40), port 5432 failed: FATAL: password authentication failed for user "****"`},
	{"psycopg, a DSN", "import psycopg\npsycopg.dsn(CANARY)", `missing "=" after "****" in connection info string`},
	{"dj-database-url, a scheme", "import dj_database_url\ndj_database_url.parse(CANARY)", "No support for '****'. We support: cockroach, mssql, postgres"},
	{"environs, a number", "import environs\nenvirons.read('MAIL_PORT', CANARY)", `EnvValidationError Environment variable "MAIL_PORT" invalid: ["Not a valid integer."]`},
	{"Django, no SECRET_KEY", "from django.core.exceptions import ImproperlyConfigured\nraise ImproperlyConfigured('The SECRET_KEY setting must not be empty.')", "ImproperlyConfigured The SECRET_KEY setting must not be empty."},
	{"Django, a host", "from django.core.exceptions import DisallowedHost\nraise DisallowedHost('Invalid HTTP_HOST header: %r. You may need to add %r to ALLOWED_HOSTS.' % (CANARY, CANARY))", "Invalid HTTP_HOST header: '****'. You may need to add '****' to ALLOWED_HOSTS."},
	{"Django, a backend", "from django.db.utils import load_backend\nload_backend('shop.' + CANARY)", "'****' isn't an available database backend or couldn't be imported"},
	{"a class of a setting that sounds secret", "AUTHENTICATION_CLASSES = ['xmlrpc.server.SimpleXMLRPCServer']\nraise ImportError(\"Could not import 'xmlrpc.server.SimpleXMLRPCServer'. \" + CANARY)", "ImportError Could not import 'xmlrpc.server.SimpleXMLRPCServer'. ****"},
	{"os.environ", "os.environ['JWT_SIGNING_SECRET']", "KeyError 'JWT_SIGNING_SECRET'"},
	{"a key", "{}[CANARY]", "KeyError '****'"},
	{"JSON", "import json\njson.loads('\"' + CANARY)", "Unterminated string starting at: line 1 column 1 (char 0)"},
	{"bytes", "raise ValueError(CANARY.encode())", "ValueError b'****'"},
	{"hexadecimal", "bytes.fromhex(CANARY)", "non-hexadecimal number found in fromhex() arg at position"},
	{"base64", "import base64, binascii\nbase64.b64decode('a' + CANARY[:4], validate=True)", "Error"},
	{"a file", "open('/run/secrets/jwt_key_of_shop')", "No such file or directory: '/run/secrets/jwt_key_of_shop'"},
	{"a module", "import flowershop_extras", "ModuleNotFoundError No module named 'flowershop_extras'"},
	{"a sentence of the project", "raise RuntimeError(f'the key {CANARY} of SHOP_JWT_KEY must have 64 characters')", "RuntimeError the key **** of SHOP_JWT_KEY must have 64 characters"},
	{"a chain", "try:\n    int(CANARY)\nexcept ValueError as e:\n    raise RuntimeError('cannot read MAIL_PORT: ' + str(e)) from e", "cannot read MAIL_PORT: invalid literal for int() with base 10: '****'"},
	{"a note", "e = ValueError('wrong value for SHOP_JWT_KEY ' + CANARY)\ne.__notes__ = [CANARY]\nraise e", "wrong value for SHOP_JWT_KEY ****"},
	{"a syntax error", "compile('SECRET_KEY = \"' + CANARY, 'settings.py', 'exec')", "SyntaxError unterminated string literal (detected at line 1)"},
	{"a code of digits", "raise ValueError('the code is 4821-9912-4410 for CANARY')", "the code is **** for CANARY"},
	{"a key without its quotes", "STRIPE_KEY = kq7Lm2Xw9TzP4vB8nR3yJ6sD", "NameError name '****' is not defined"},
	{"a key without its quotes, behind a point", "STRIPE_KEY = os.kq7Lm2Xw9TzP4vB8nR3yJ6sD", "AttributeError module 'os' has no attribute '****'"},
	{"a name that is not there", "STRIPE_KEY = read_stripe_key()", "NameError name 'read_stripe_key' is not defined"},
	{"an address in the source", "host = 'host'\nraise ValueError(f'cannot parse mysql://bob:swordfish-hunter@{host}/host')", "cannot parse ****"},
	{"a default in the source", "raise ValueError('bad: %s' % dict(API_KEY='q7Lm2Xw9Tz')['API_KEY'])", "bad: ****"},
}

// packages stand in for libraries that are not installed for the tests: what they
// say is what these say. pydantic and psycopg have it in no Python source.
var packages = map[string]string{
	"pydantic_core.py": `
class ValidationError(ValueError): pass
_say = eval("lambda text: (_ for _ in ()).throw(ValidationError(text))")
def missing(value):
    exec(compile("raise ValidationError(text)", "pydantic", "exec"), dict(globals(), text=
        "1 validation error for Env\nSMTP_PORT\n  Field required [type=missing, input_value={'SECRET_KEY': '%s...%s'}, input_type=dict]\n"
        "    For further information visit https://errors.pydantic.dev/2.11/v/missing" % (value[:12], value[-11:])))
def number(value):
    exec(compile("raise ValidationError(text)", "pydantic", "exec"), dict(globals(), text=
        "1 validation error for Env\nSMTP_PORT\n  Input should be a valid integer, unable to parse string as an integer "
        "[type=int_parsing, input_value='%s', input_type=str]" % value))
`,
	"psycopg.py": `
class OperationalError(Exception): pass
class ProgrammingError(Exception): pass
def connect(user):
    exec(compile("raise OperationalError(text)", "libpq", "exec"), dict(globals(), text=
        'connection failed: connection to server at "db.internal.example" (10.20.30.40), port 5432 failed: '
        'FATAL:  password authentication failed for user "%s"' % user))
def dsn(text):
    exec(compile("raise ProgrammingError(text)", "libpq", "exec"), dict(globals(), text=
        'missing "=" after "%s" in connection info string' % text))
`,
	"dj_database_url.py": `
class UnknownSchemeError(ValueError): pass
def parse(scheme):
    raise UnknownSchemeError("Scheme '%s://' is unknown. No support for '%s'. We support: %s" % (scheme, scheme, ", ".join(["cockroach", "mssql", "postgres"])))
`,
	"environs.py": `
class EnvValidationError(ValueError): pass
def read(name, value):
    raise EnvValidationError('Environment variable "{}" invalid: {}'.format(name, ["Not a valid integer."]).replace("'", '"'))
`,
}

// rows raises each message where settings would, and answers with what the probe
// makes of it.
const rows = `
start()
learn_file(ASKED["env_file"])
for row in sorted(os.listdir(os.path.join(ASKED["root"], "rows"))):
    try:
        runpy.run_path(os.path.join(ASKED["root"], "rows", row))
        told = {}
    except (Exception, SystemExit) as error:
        told = explain(error)
    CHANNEL.answer(dict(told, row=row))
`

// TestMessagesStayReadable has what counts of each message shown, and no 8
// characters of a secret that nobody knew.
func TestMessagesStayReadable(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: "SECRET_KEY={SECRET_KEY}\nDATABASE_URL=postgres://shop:x@db.internal.example:5432/shop\nMAIL_PORT=25\nMAIL_TLS=1\nSMTP_PORT=25\n" +
		"# Set the DATABASE_URL environment variable of the database settings\n"})
	canary := djangotest.NewKey()
	put := func(name, text string) {
		path := filepath.Join(p.Root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range packages {
		put("site-packages/"+name, text)
	}
	for i, m := range messages {
		put(fmt.Sprintf("rows/row%02d.py", i), "import os, decouple, environ\nCANARY = os.environ['CANARY']\nclass Env:\n    SMTP_PORT: int\n    SECRET_KEY: str\n"+m.code+"\n")
	}
	program := file.Joined(probeFiles, "probe")
	program = bytes.Replace(program, []byte("\nsupervise()\n"), []byte(rows), 1)
	first, err := json.Marshal(opening{Token: "answer", Root: p.Root, Manage: filepath.Join(p.Root, "manage.py"), EnvFile: p.EnvPath, Words: secret.Words(), Least: 50})
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), p.Python, "-c", bootstrap, fmt.Sprint(len(program)))
	c.Dir, c.Stdin = p.Root, bytes.NewReader(append(append(program, first...), '\n'))
	c.Env = append(os.Environ(), "CANARY="+canary, "PYTHONPATH="+filepath.Join(p.Root, "site-packages"))
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	if len(answers) != len(messages) {
		t.Fatalf("%d answers to %d messages", len(answers), len(messages))
	}
	for i, m := range messages {
		answer := bytes.TrimPrefix(answers[i], []byte("answer "))
		for at := 0; at+8 <= len(canary); at++ {
			if strings.Contains(strings.ToLower(string(answer)), strings.ToLower(canary[at:at+8])) {
				t.Errorf("%s: a part of the secret crosses the pipe", m.name)
				break
			}
		}
		var told trouble
		var show secret.Redactor
		if err := json.Unmarshal(answer, &told); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(told.Type + " " + show.Show(told.Text) + " " + told.Setting); !strings.Contains(got, m.want) {
			t.Errorf("%s: %q, want %q", m.name, got, m.want)
		}
		if !strings.HasSuffix(told.File, fmt.Sprintf("rows/row%02d.py", i)) || told.Line < 6 {
			t.Errorf("%s: at %s:%d", m.name, told.File, told.Line)
		}
	}
}
