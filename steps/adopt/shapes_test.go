package adopt_test

import "strings"

func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

// shape is one way in which the settings of a project sign with SECRET_KEY, or with a
// key in their text. HEAD stands for what every settings module needs, and APPS and
// JWT for more of it.
type shape struct {
	files    map[string]string // beside the settings package; settings.py as a rule
	settings string            // the settings module, "" for "settings"
	env      string            // lines of the environment file; SECRET_KEY stands for its value
	says     []string          // what is in the edited file, or in what is to be pasted
	file     string            // that is edited, "" for settings.py
	leftOut  string            // settings of another environment that do not load it
	unsure   string            // why it is not edited
	tried    bool              // which only Django shows
	field    bool              // needs the packages of the field
	literal  bool
	short    bool // tried in the project's Django in the short form, too
}

const (
	head = `from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
`
	apps = `INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "rest_framework_simplejwt",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
`
	decouple = "from decouple import config\n\nSECRET_KEY = config(\"SECRET_KEY\")\n"
	loaded   = "from dotenv import load_dotenv\n\nload_dotenv(BASE_DIR / \".env\")\n"
	times    = "from datetime import timedelta\n"
)

// common are what is seen most in public projects.
var common = map[string]shape{
	"no dictionary": {
		files: map[string]string{"settings.py": head + "\n" + decouple + apps},
		says:  []string{"from django.core.exceptions import ImproperlyConfigured\n", "SIMPLE_JWT = {\"SIGNING_KEY\": JWT_SECRET_KEY}\n"},
	},
	"no dictionary, behind the framework's": {
		files: map[string]string{"settings.py": head + "\n" + decouple + apps + "REST_FRAMEWORK = {\n    \"PAGE_SIZE\": 10,\n}\n\nUSE_TZ = True\n"},
		says:  []string{"    \"PAGE_SIZE\": 10,\n}\n\n# Tokens", "SIMPLE_JWT = {\"SIGNING_KEY\": JWT_SECRET_KEY}\n\nUSE_TZ = True\n"},
	},
	"a dictionary without a key": {
		files: map[string]string{"settings.py": times + head + decouple + apps + "SIMPLE_JWT = {\n    \"ACCESS_TOKEN_LIFETIME\": timedelta(minutes=5),  # short\n}\n# the end\n"},
		says:  []string{"# short\n}\n\n# Tokens", "SIMPLE_JWT[\"SIGNING_KEY\"] = JWT_SECRET_KEY\n\n# the end\n"},
	},
	"a dictionary with SECRET_KEY": {
		short: true,
		files: map[string]string{"settings.py": times + head + decouple + apps + "\n# Tokens\nSIMPLE_JWT = {\n    \"ACCESS_TOKEN_LIFETIME\": timedelta(minutes=5),\n    \"SIGNING_KEY\": SECRET_KEY,  # as Django's\n    \"ALGORITHM\": \"HS256\",\n}\n"},
		says:  []string{"JWT_SECRET_KEY = config(\"JWT_SECRET_KEY\", default=None)\n", "\n\n# Tokens\nSIMPLE_JWT = {\n", "\"SIGNING_KEY\": JWT_SECRET_KEY,  # as Django's\n"},
	},
	"on one line, single quotes": {
		files: map[string]string{"settings.py": "from decouple import config as cfg\n" + head + "SECRET_KEY = cfg('SECRET_KEY')\n" + apps + "A = 'a'\nB = 'b'\nC = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's']\nSIMPLE_JWT = {'ALGORITHM': 'HS256', 'SIGNING_KEY': SECRET_KEY}\n"},
		says:  []string{"JWT_SECRET_KEY = cfg('JWT_SECRET_KEY', default=None)\n", "SIMPLE_JWT = {'ALGORITHM': 'HS256', 'SIGNING_KEY': JWT_SECRET_KEY}\n"},
	},
	"on one line that is full": {
		files: map[string]string{"settings.py": times + head + decouple + apps + "SIMPLE_JWT = {\"ALGORITHM\": \"HS256\", \"LEEWAY\": 0, \"ISS\": \"\", \"SIGNING_KEY\": SECRET_KEY}\n"},
		says:  []string{"\"SIGNING_KEY\": None}\n\n# Tokens", "SIMPLE_JWT[\"SIGNING_KEY\"] = JWT_SECRET_KEY\n"},
	},
	"no comma at the end": {
		files: map[string]string{"settings.py": head + decouple + apps + "SIMPLE_JWT = {\n    \"ALGORITHM\": \"HS256\",\n    \"SIGNING_KEY\": SECRET_KEY\n}\n"},
		says:  []string{"    \"SIGNING_KEY\": JWT_SECRET_KEY\n}\n"},
	},
	"dict()": {
		files: map[string]string{"settings.py": "import os\n" + head + loaded + "SECRET_KEY = os.environ[\"SECRET_KEY\"]\n" + apps + "SIMPLE_JWT = dict(\n    ALGORITHM=\"HS256\",\n    SIGNING_KEY=SECRET_KEY,\n)\n"},
		says:  []string{"JWT_SECRET_KEY = os.environ.get(\"JWT_SECRET_KEY\")\n", "    SIGNING_KEY=JWT_SECRET_KEY,\n"},
	},
	"an assignment to the entry": {
		files: map[string]string{"settings.py": "import os\n" + head + loaded + "SECRET_KEY = os.getenv(\"SECRET_KEY\", \"\")\n" + apps + "SIMPLE_JWT = {}\nSIMPLE_JWT[\"SIGNING_KEY\"] = SECRET_KEY\n"},
		says:  []string{"JWT_SECRET_KEY = os.getenv(\"JWT_SECRET_KEY\")\n", "SIMPLE_JWT[\"SIGNING_KEY\"] = JWT_SECRET_KEY\n"},
	},
	"the guide's old block": {
		short: true,
		files: map[string]string{"settings.py": "import logging\n\nfrom django.core.exceptions import ImproperlyConfigured\n" + head + decouple + apps + `logger = logging.getLogger(__name__)
SIMPLE_JWT = {"ALGORITHM": "HS256"}

JWT_SECRET_KEY = config("JWT_SECRET_KEY", default=None)
if JWT_SECRET_KEY:
    SIMPLE_JWT["SIGNING_KEY"] = JWT_SECRET_KEY
elif DEBUG:
    SIMPLE_JWT["SIGNING_KEY"] = SECRET_KEY  # the fallback
    logger.warning("SECRET_KEY signs tokens")
else:
    raise ImproperlyConfigured("JWT_SECRET_KEY is required in production.")

USE_TZ = True
`},
		says: []string{"SIMPLE_JWT = {\"ALGORITHM\": \"HS256\"}\n\n# Tokens", "SIMPLE_JWT[\"SIGNING_KEY\"] = JWT_SECRET_KEY\n\nUSE_TZ"},
	},
	"the guide's older block": {
		files: map[string]string{"settings.py": head + "from django.core import exceptions\n" + decouple + apps + `SIMPLE_JWT = {}
if DEBUG:
    JWT_SECRET_KEY = config("JWT_SECRET_KEY", default=None)
    if JWT_SECRET_KEY:
        SIMPLE_JWT["SIGNING_KEY"] = JWT_SECRET_KEY
    else:
        SIMPLE_JWT["SIGNING_KEY"] = SECRET_KEY
`},
		says: []string{"raise exceptions.ImproperlyConfigured(\"JWT_SECRET_KEY is required.\")\n"},
	},
	"environ with a fallback": {
		files: map[string]string{"settings.py": "import environ\n" + head + "env = environ.Env()\nenv.read_env(BASE_DIR / \".env\")\nSECRET_KEY = env(\"DJANGO_SECRET_KEY\")\n" + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": env(\"JWT_SIGNING_KEY\", default=SECRET_KEY),\n}\n"},
		env:   "DJANGO_SECRET_KEY=SECRET_KEY\n",
		says:  []string{"JWT_SIGNING_KEY = env(\"JWT_SIGNING_KEY\", default=None)\n", "\"SIGNING_KEY\": JWT_SIGNING_KEY,\n", "== SECRET_KEY:"},
	},
	"a name that falls back": {
		files: map[string]string{"settings.py": head + decouple + "JWT_KEY = config(\"JWT_SECRET_KEY\", default=SECRET_KEY)\n" + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": JWT_KEY,\n}\n"},
		says:  []string{"JWT_KEY = config(\"JWT_SECRET_KEY\", default=None)\nif not JWT_KEY:\n", "\"SIGNING_KEY\": JWT_KEY,\n"},
	},
	"a name for SECRET_KEY": {
		files: map[string]string{"settings.py": "import os\n" + head + loaded + "SECRET_KEY = os.environ.get(\"SECRET_KEY\") or \"dev\"\nTHE_KEY = SECRET_KEY\n" + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": THE_KEY,\n}\n"},
		says:  []string{"THE_KEY = SECRET_KEY\n", "\"SIGNING_KEY\": JWT_SECRET_KEY,\n"},
	},
	"a package with the dictionary in base": {
		files: map[string]string{
			"conf/__init__.py": "", "conf/base.py": head + decouple + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": SECRET_KEY,\n}\n",
			"conf/dev.py": "from .base import *\n\nDEBUG = True\n",
		},
		settings: "conf.dev", file: "conf/base.py", says: []string{"\"SIGNING_KEY\": JWT_SECRET_KEY,\n"},
	},
	"a dictionary in a module of its own": {
		files: map[string]string{
			"parts.py":    times + "SIMPLE_JWT = {\n    \"ACCESS_TOKEN_LIFETIME\": timedelta(minutes=5),\n}\n",
			"settings.py": head + decouple + apps + "from parts import *  # noqa\n",
		},
		says: []string{"from parts import *  # noqa\n\n# Tokens", "SIMPLE_JWT[\"SIGNING_KEY\"] = JWT_SECRET_KEY\n"},
	},
	"a module of its own with the key": {
		files: map[string]string{
			"basic.py":    head + decouple + apps,
			"tokens.py":   "from basic import SECRET_KEY\n\nSIMPLE_JWT = {\n    \"SIGNING_KEY\": SECRET_KEY,\n}\n",
			"settings.py": "from basic import *\nfrom tokens import *\n",
		},
		file: "tokens.py", says: []string{"from decouple import config\n", "\"SIGNING_KEY\": JWT_SECRET_KEY,\n"},
	},
	"a literal": {
		files:   map[string]string{"settings.py": head + decouple + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": \"a-key-that-everybody-can-read-in-the-repository\",\n}\n"},
		literal: true, says: []string{"\"SIGNING_KEY\": JWT_SECRET_KEY,\n"},
	},
	"a tutorial": {
		short: true,
		files: map[string]string{"settings.py": "\"\"\"Django settings.\"\"\"\n\n" + head + "SECRET_KEY = \"django-insecure-a-tutorial-key-0123456789-abcdefghijkl\"\n" + apps},
		says:  []string{"JWT_SECRET_KEY = config(\"JWT_SECRET_KEY\", default=None)\n", "from decouple import config\n"},
	},
	"tabs": {
		files: map[string]string{"settings.py": head + decouple + apps + "SIMPLE_JWT = {\n\t\"SIGNING_KEY\": SECRET_KEY,\n}\nif DEBUG:\n\tUSE_TZ = True\n"},
		says:  []string{"if not JWT_SECRET_KEY:\n\traise ImproperlyConfigured("},
	},
	"windows": {
		files: map[string]string{"settings.py": "\ufeff" + crlf(decouple+head+apps+"SIMPLE_JWT = {\n    \"SIGNING_KEY\": SECRET_KEY,\n}\n")},
		says:  []string{"\ufefffrom decouple import config\r\nfrom django.core", "if not JWT_SECRET_KEY:\r\n    raise"},
	},
	"no line end at the end": {
		files: map[string]string{"settings.py": head + decouple + apps + "SIMPLE_JWT = {}"},
		says:  []string{"SIMPLE_JWT = {}\n\n# Tokens", "SIMPLE_JWT[\"SIGNING_KEY\"] = JWT_SECRET_KEY"},
	},
	"django-ninja-jwt": {
		files: map[string]string{"settings.py": head + decouple + strings.NewReplacer("rest_framework_simplejwt", "ninja_jwt", "rest_framework", "ninja_extra").Replace(apps) + "NINJA_JWT = {\n    \"SIGNING_KEY\": SECRET_KEY,\n}\n"},
		says:  []string{"NINJA_JWT = {\n    \"SIGNING_KEY\": JWT_SECRET_KEY,\n"}, field: true,
	},
	"environs": {
		files: map[string]string{"settings.py": "from environs import Env\n" + head + "env = Env()\nenv.read_env(str(BASE_DIR / \".env\"))\nSECRET_KEY = env.str(\"SECRET_KEY\")\n" + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": env.str(\"SECRET_KEY\"),\n}\n"},
		says:  []string{"JWT_SECRET_KEY = env.str(\"JWT_SECRET_KEY\", default=None)\n"}, field: true,
	},
	"a class": {
		files: map[string]string{"settings.py": `from pathlib import Path

from configurations import Configuration, values


class Dev(Configuration):
    BASE_DIR = Path(__file__).resolve().parent
    DOTENV = str(BASE_DIR / ".env")
    SECRET_KEY = values.SecretValue(environ_prefix=None)
    DEBUG = True
    ROOT_URLCONF = "urls"
    INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "rest_framework_simplejwt"]
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
    SIMPLE_JWT = {
        "ALGORITHM": "HS256",
    }
`},
		says: []string{"    JWT_SECRET_KEY = values.Value(\"\", environ_prefix=None)\n", "        cls.SIMPLE_JWT[\"SIGNING_KEY\"] = cls.JWT_SECRET_KEY\n"}, field: true,
	},
	"under a condition": {
		files:  map[string]string{"settings.py": head + decouple + apps + "if DEBUG:\n    SIMPLE_JWT = {\n        \"SIGNING_KEY\": SECRET_KEY,\n    }\n"},
		unsure: "it depends on a condition",
	},
	"computed": {
		files:  map[string]string{"settings.py": head + decouple + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": SECRET_KEY + \"\",\n}\n"},
		unsure: "what signs is computed",
	},
	"read by a helper that refuses": {
		tried: true,
		files: map[string]string{"settings.py": "import os\n" + head + loaded + `

def get_env(name):
    if name not in os.environ:
        raise RuntimeError("set " + name)
    return os.environ[name]


SECRET_KEY = get_env("SECRET_KEY")
` + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": SECRET_KEY,\n}\n"},
		says: []string{"JWT_SECRET_KEY = get_env(\"JWT_SECRET_KEY\")\n"},
	},
	"edited a second time": {
		files: map[string]string{"settings.py": head + decouple + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": SECRET_KEY,\n}\nSIMPLE_JWT.update(SIGNING_KEY=SECRET_KEY)\n"},
		says:  []string{"    \"SIGNING_KEY\": SECRET_KEY,\n", "SIMPLE_JWT.update(SIGNING_KEY=JWT_SECRET_KEY)\n"},
	},
}
