package adopt_test

import "maps"

// shapes are all of them.
var shapes = func() map[string]shape {
	all := maps.Clone(common)
	maps.Copy(all, rare)
	return all
}()

const (
	environment = "import os\n" + head + loaded + "SECRET_KEY = os.environ[\"SECRET_KEY\"]\n" + apps
	lifetime    = "SIMPLE_JWT = {\n    \"ACCESS_TOKEN_LIFETIME\": timedelta(minutes=5),\n}\n"
)

// rare are shapes that are seen less often in public projects, and such as are refused.
var rare = map[string]shape{
	"Django's settings within the settings": {
		files: map[string]string{"settings.py": "from django.conf import settings\n" + head + decouple + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": settings.SECRET_KEY,\n}\n"},
		says:  []string{"if JWT_SECRET_KEY == SECRET_KEY:\n", "\"SIGNING_KEY\": JWT_SECRET_KEY,\n"},
	},
	"Django's settings for something else": {
		files:  map[string]string{"settings.py": "from django.conf import settings\n" + head + decouple + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": settings.SECRET_KEY,\n    \"ISSUER\": settings.ROOT_URLCONF,\n}\n"},
		unsure: "it asks Django's settings for ROOT_URLCONF while they are loaded",
	},
	"Django's settings in a module of its own": {
		files: map[string]string{
			"tokens.py":   "from django.conf import settings\n\nSIMPLE_JWT = {\n    \"SIGNING_KEY\": settings.SECRET_KEY,\n}\n",
			"settings.py": head + decouple + apps + "from tokens import *\n",
		},
		unsure: "SECRET_KEY is not known there",
	},
	"a fallback by or": {
		files: map[string]string{"settings.py": environment + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": os.getenv(\"JWT_SECRET_KEY\") or SECRET_KEY,\n}\n"},
		says:  []string{"JWT_SECRET_KEY = os.getenv(\"JWT_SECRET_KEY\")\n", "\"SIGNING_KEY\": JWT_SECRET_KEY,\n"},
	},
	"a fallback by a condition": {
		files: map[string]string{"settings.py": head + decouple + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": SECRET_KEY if DEBUG else config(\"JWT_SECRET_KEY\"),\n}\n"},
		says:  []string{"JWT_SECRET_KEY = config(\"JWT_SECRET_KEY\", default=None)\n", "\"SIGNING_KEY\": JWT_SECRET_KEY,\n"},
	},
	"a helper with a default": {
		files: map[string]string{"settings.py": "import os\n" + head + loaded + "\n\ndef env(name, fallback=None):\n    return os.environ.get(name, fallback)\n\n\nSECRET_KEY = env(\"SECRET_KEY\")\n" + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": env(\"JWT_SECRET_KEY\", SECRET_KEY),\n}\n"},
		says:  []string{"JWT_SECRET_KEY = env(\"JWT_SECRET_KEY\""},
	},
	"a helper that takes no default": {
		files: map[string]string{"settings.py": "import os\n" + head + loaded + "\n\ndef env(name):\n    return os.environ.get(name)\n\n\nSECRET_KEY = env(\"SECRET_KEY\")\n" + apps},
		says:  []string{"JWT_SECRET_KEY = env(\"JWT_SECRET_KEY\")\n"},
	},
	"a helper that asks a store": {
		files: map[string]string{"settings.py": "import os\n" + head + loaded + "\n\nclass Store:\n    def get_parameter(self, Name):\n        return os.environ[Name]\n\n\n" +
			"def parameter(name):\n    return Store().get_parameter(Name=name)\n\n\nSECRET_KEY = parameter(\"SECRET_KEY\")\n" + apps},
		unsure: "parameter fetches SECRET_KEY from a store", says: []string{"JWT_SECRET_KEY = parameter(\"JWT_SECRET_KEY\")\n"},
	},
	"a dictionary that is made from another": {
		files: map[string]string{
			"conf/__init__.py": "", "conf/base.py": times + head + decouple + apps + lifetime,
			"conf/dev.py": "from .base import *  # noqa: F403\nfrom .base import config\n\nSECRET_KEY = config(\"SECRET_KEY\")\nSIMPLE_JWT = {**SIMPLE_JWT, \"SIGNING_KEY\": SECRET_KEY}  # noqa: F405\n",
		},
		settings: "conf.dev", file: "conf/dev.py", says: []string{"JWT_SECRET_KEY = config(\"JWT_SECRET_KEY\", default=None)\n", "SIMPLE_JWT = {**SIMPLE_JWT, \"SIGNING_KEY\": JWT_SECRET_KEY}  # noqa: F405\n"},
	},
	"under another name in another module": {
		files: map[string]string{
			"conf/__init__.py": "", "conf/base.py": times + head + decouple + apps + lifetime,
			"conf/dev.py": "from .base import *\nfrom .base import SIMPLE_JWT as BASE_JWT\n\nSIMPLE_JWT = {**BASE_JWT, \"SIGNING_KEY\": SECRET_KEY}\n",
		},
		settings: "conf.dev", file: "conf/dev.py", says: []string{"SIMPLE_JWT = {**BASE_JWT, \"SIGNING_KEY\": JWT_SECRET_KEY}\n"},
	},
	"updated": {
		files: map[string]string{
			"conf/prod.py": "from .base import *\n\nSECRET_KEY = \"another\"\n", "conf/test.py": "from .dev import *\n", "conf/own.py": "A = 1\n",
			"conf/__init__.py": "", "conf/base.py": times + head + apps + lifetime,
			"conf/dev.py": "import os\n\nfrom dotenv import load_dotenv\n\nfrom .base import *\n\nload_dotenv()\nSECRET_KEY = os.environ.get(\"SECRET_KEY\")\n\nSIMPLE_JWT.update(\n    {\n        \"SIGNING_KEY\": SECRET_KEY,\n        \"VERIFYING_KEY\": \"\",\n    }\n)\n",
		},
		settings: "conf.dev", file: "conf/dev.py", says: []string{"        \"SIGNING_KEY\": JWT_SECRET_KEY,\n"}, leftOut: "conf/prod.py",
	},
	"letters of other languages": {
		files: map[string]string{"settings.py": head + decouple + apps + "SIMPLE_JWT = {\"ISSUER\": \"Bücher für 世界\", \"SIGNING_KEY\": SECRET_KEY}\n"},
		says:  []string{"\"Bücher für 世界\", \"SIGNING_KEY\": JWT_SECRET_KEY}\n"},
	},
	"in brackets": {
		files: map[string]string{"settings.py": environment + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": (\n        os.environ.get(\"JWT_SECRET_KEY\") or os.environ.get(\"ANOTHER_SECRET_KEY\") or SECRET_KEY\n    ),\n}\n"},
		says:  []string{"    \"SIGNING_KEY\": JWT_SECRET_KEY,\n"},
	},
	"an empty key": {
		files: map[string]string{"settings.py": head + decouple + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": \"\",\n}\n"},
		says:  []string{"\"SIGNING_KEY\": JWT_SECRET_KEY,\n"},
	},
	"merged": {
		files: map[string]string{"settings.py": times + head + decouple + apps + lifetime + "SIMPLE_JWT |= {\"SIGNING_KEY\": SECRET_KEY}\n"},
		says:  []string{"SIMPLE_JWT |= {\"SIGNING_KEY\": JWT_SECRET_KEY}\n"},
	},
	"made twice": {
		files: map[string]string{"settings.py": times + head + decouple + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": SECRET_KEY,\n}\n\n" + lifetime},
		says:  []string{"    \"SIGNING_KEY\": SECRET_KEY,\n", "SIMPLE_JWT[\"SIGNING_KEY\"] = JWT_SECRET_KEY\n"},
	},
	"with a type": {
		files: map[string]string{"settings.py": "from typing import Any\n\n" + head + decouple + apps + "SIMPLE_JWT: dict[str, Any] = {\n    \"SIGNING_KEY\": SECRET_KEY,\n}\n"},
		says:  []string{"SIMPLE_JWT: dict[str, Any] = {\n    \"SIGNING_KEY\": JWT_SECRET_KEY,\n"},
	},
	"a helper of another module with an underscore": {
		files: map[string]string{
			"basic.py":    head + "from decouple import config as _config\n\nSECRET_KEY = _config(\"SECRET_KEY\")\n" + apps,
			"settings.py": "from basic import *\n\nSIMPLE_JWT = {\n    \"SIGNING_KEY\": SECRET_KEY,\n}\n",
		},
		says: []string{"from decouple import config as _config\n", "JWT_SECRET_KEY = _config(\"JWT_SECRET_KEY\", default=None)\n"},
	},
	"a function makes the dictionary": {
		files: map[string]string{"settings.py": times + head + decouple + apps + "\n\ndef tokens(key):\n    return {\"SIGNING_KEY\": key, \"ACCESS_TOKEN_LIFETIME\": timedelta(minutes=5)}\n\n\nSIMPLE_JWT = tokens(SECRET_KEY)\n"},
		says:  []string{"SIMPLE_JWT = tokens(SECRET_KEY)\n\n# Tokens", "SIMPLE_JWT[\"SIGNING_KEY\"] = JWT_SECRET_KEY\n"},
	},
	"a function makes the key": {
		files:  map[string]string{"settings.py": head + decouple + apps + "\n\ndef key():\n    return SECRET_KEY\n\n\nSIMPLE_JWT = {\n    \"SIGNING_KEY\": key(),\n}\n"},
		unsure: "what signs is computed",
	},
	"a setting of an object": {
		files:  map[string]string{"settings.py": head + decouple + apps + "\n\nclass Boot:\n    key = \"\"\n\n\nSIMPLE_JWT = {\n    \"SIGNING_KEY\": Boot.key or SECRET_KEY,\n}\n"},
		unsure: "what signs is computed",
	},
	"a loop": {
		files:  map[string]string{"settings.py": times + head + decouple + apps + "for name in [\"SIMPLE_JWT\"]:\n    globals()[name] = {\"ACCESS_TOKEN_LIFETIME\": timedelta(hours=3)}\n"},
		unsure: "SIMPLE_JWT is made in another way than by a statement",
	},
	"names that are set at once": {
		files:  map[string]string{"settings.py": times + head + decouple + apps + "globals().update(SIMPLE_JWT={\"ACCESS_TOKEN_LIFETIME\": timedelta(hours=3)})\n"},
		unsure: "SIMPLE_JWT is made in another way than by a statement",
	},
	"text that is run": {
		short:  true,
		files:  map[string]string{"settings.py": times + head + decouple + apps + "exec(\"SIMPLE_\" + \"JWT = {'ACCESS_TOKEN_LIFETIME': timedelta(hours=3)}\")\n"},
		unsure: "other settings of the tokens would change", tried: true,
	},
	"another module that has the last word": {
		files: map[string]string{
			"last.py":     "from decouple import config\n\nSIMPLE_JWT = {\"SIGNING_KEY\": config(\"SECRET_KEY\")}\n",
			"settings.py": head + decouple + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": SECRET_KEY,\n}\nfrom last import *\n",
		},
		unsure: "do not sign with the new key", tried: true,
	},
	"SECRET_KEY that another module has the last word on": {
		files: map[string]string{
			"conf/__init__.py": "", "conf/base.py": head + decouple + apps + "SIMPLE_JWT = {\n    \"SIGNING_KEY\": SECRET_KEY,\n}\n",
			"conf/dev.py": "from .base import *\n\nSECRET_KEY = \"of-development-alone-\" + SECRET_KEY\n",
		},
		settings: "conf.dev", unsure: "load with SECRET_KEY as the key", tried: true,
	},
	"pydantic": {
		files: map[string]string{"settings.py": "from pydantic_settings import BaseSettings, SettingsConfigDict\n" + head + apps + `

class Env(BaseSettings):
    model_config = SettingsConfigDict(env_file=BASE_DIR / ".env", extra="ignore")
    secret_key: str


env = Env()
SECRET_KEY = env.secret_key
SIMPLE_JWT = {
    "SIGNING_KEY": env.secret_key,
}
`},
		unsure: "pydantic-settings reads the variables", field: true,
		says: []string{"and the field jwt_secret_key to the class", "JWT_SECRET_KEY = env.jwt_secret_key\n", "if JWT_SECRET_KEY == SECRET_KEY:", "SIMPLE_JWT[\"SIGNING_KEY\"] = JWT_SECRET_KEY"},
	},
	"dynaconf": {
		files: map[string]string{
			"settings.py":   "import dynaconf\n" + head + apps + "settings = dynaconf.DjangoDynaconf(__name__, settings_files=[\"settings.toml\"], load_dotenv=True)\n",
			"settings.toml": "[default]\nSECRET_KEY = \"a-secret-key-of-a-file-0123456789-0123456789-abcdef\"\n",
		},
		unsure: "dynaconf reads the variables", field: true,
		says: []string{"Give SIMPLE_JWT the first", "\"SIGNING_KEY\": \"@format {this.JWT_SECRET_KEY}\",\nvalidators=[dynaconf.Validator(\"JWT_SECRET_KEY\", must_exist=True, len_min=50)]"},
	},
	"an object of dynaconf, where another reader is installed": {
		files:  map[string]string{"settings.py": "from dynaconf import Dynaconf\n" + head + apps + "given = Dynaconf(envvar_prefix=False, load_dotenv=True)\nSECRET_KEY = given.SECRET_KEY\nSIMPLE_JWT = {\"SIGNING_KEY\": SECRET_KEY}\n"},
		unsure: "dynaconf reads the variables", field: true,
		says: []string{"JWT_SECRET_KEY = given.JWT_SECRET_KEY\n", "SIMPLE_JWT[\"SIGNING_KEY\"] = JWT_SECRET_KEY"},
	},
}
