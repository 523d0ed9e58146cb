package preflight

import (
	"testing"

	"dj/keysplit/steps"
)

func TestInsists(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"JWT_SECRET_KEY = config('JWT_SECRET_KEY')\n":                                                     true,
		"JWT_SECRET_KEY: str = env.str(\"JWT_SECRET_KEY\")\n":                                             true,
		"JWT_SECRET_KEY = os.environ['JWT_SECRET_KEY']\n":                                                 true,
		"SIMPLE_JWT = {\n    'SIGNING_KEY': config('JWT_SECRET_KEY', cast=str),\n}\n":                     true,
		"K = config('JWT_SECRET_KEY', default=None)\nif not K:\n    pass\n":                               false,
		"JWT_SECRET_KEY = config('JWT_SECRET_KEY', '')\nif not JWT_SECRET_KEY:\n    raise ValueError()\n": true,
		"JWT_SECRET_KEY = config('JWT_SECRET_KEY', default='x')\n":                                        false,
		"JWT_SECRET_KEY = os.environ.get('JWT_SECRET_KEY')\n":                                             false,
		"if PRODUCTION:\n    JWT_SECRET_KEY = os.environ['JWT_SECRET_KEY']\n":                             false,
		"def key():\n    return config('JWT_SECRET_KEY')\n":                                               false,
		"try:\n    K = os.environ['JWT_SECRET_KEY']\nexcept KeyError:\n    K = 'x'\n":                     false,
		"env = Env(\n    JWT_SECRET_KEY=(str, 'x'),\n)\nK = env('JWT_SECRET_KEY')\n":                      false,
		"os.environ['JWT_SECRET_KEY'] = 'x'\n":                                                            false,
		"# K = config('JWT_SECRET_KEY')\n":                                                                false,
	} {
		p := &steps.Project{ManagePy: "/p/manage.py"}
		s := []source{{path: "/p/settings.py", text: withoutComments(text)}, {path: "/p/manage.py", text: manage}}
		if got := insists(p, s); got != want {
			t.Errorf("%v: %s", got, text)
		}
	}
	several := "import os\nif x:\n    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'a.test')\nelse:\n    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'a.dev')\n"
	if insists(&steps.Project{ManagePy: "/p/manage.py"}, []source{{path: "/p/settings.py", text: "K = config('JWT_SECRET_KEY')\n"}, {path: "/p/manage.py", text: several}}) {
		t.Error("of several modules nothing is known")
	}
}
