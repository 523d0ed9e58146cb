package preflight

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// plain is a project without REST framework, with a settings package, a user
// model of its own, and a .env that manage.py loads.
var plain = map[string]string{
	"manage.py": `import os, sys
from pathlib import Path
from dotenv import load_dotenv
load_dotenv(Path(__file__).resolve().parent / ".env")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if __name__ == "__main__":
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
`,
	"config/__init__.py":          "",
	"config/settings/__init__.py": "from .dev import *\n",
	"config/settings/dev.py":      "from .base import *\nDEBUG = True\n",
	"config/settings/base.py": `import os
from pathlib import Path
from config.words import WORD
BASE_DIR = Path(__file__).resolve().parent.parent.parent
SECRET_KEY = os.environ["SECRET_KEY"]
JWT_SECRET_KEY = os.environ["JWT_SECRET_KEY"]
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "people"]
AUTH_USER_MODEL = "people.Person"
ROOT_URLCONF = "config.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
`,
	"config/words.py": "WORD = 1\n",
	"config/urls.py": `from django.http import HttpResponse
from django.urls import path, re_path
def view(request, *args, **kwargs):
    return HttpResponse("")
urlpatterns = [
    path("accounts/logout/", view, name="logout"),
    path("users/<int:pk>/me/", view),
    re_path(r"^api/session/login/?$", view),
    re_path(r"^api/(?P<n>[a-z]+)/refresh/$", view),
    path("healthz", view),
]
`,
	"people/__init__.py": "",
	"people/models.py": `import uuid
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
class Manager(BaseUserManager):
    def create_user(self, name=None, email=None, password=None, **extra):
        user = self.model(name=name, email=email, **extra)
        user.set_password(password)
        user.save()
        return user
class Person(AbstractBaseUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=50, blank=True, default="")
    phone = models.CharField(max_length=12, unique=True)
    born = models.DateField()
    kind = models.CharField(max_length=1, choices=[("a", "A"), ("b", "B")])
    is_active = models.BooleanField(default=False)
    objects = Manager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["phone", "born", "kind"]
`,
}

func TestPlainProject(t *testing.T) {
	t.Parallel()
	python := djangotest.Python(t, djangotest.Modern)
	dir := lay(t, plain)
	key, secret := stepstest.Key(), stepstest.Key()
	p := &djangotest.Project{Dir: dir, Root: dir, EnvPath: filepath.Join(dir, ".env"), Python: python, SecretKey: secret, Key: key}
	p.WriteEnv(t, "SECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n")
	migrate := exec.Command(python, "manage.py", "migrate", "--run-syncdb", "-v0")
	migrate.Dir, migrate.Env = dir, djangotest.CleanEnviron()
	if out, err := migrate.CombinedOutput(); err != nil {
		t.Fatalf("migrate: %v: %s", err, out)
	}
	run, _, err := apply(t, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := run.Project.Facts
	if f.SettingsModule != "config.settings" || f.SettingsFile != filepath.Join(dir, "config", "settings", "__init__.py") ||
		f.Reader != "python-dotenv" || f.Key.Source != "file" || !f.Enforced || f.UserModel != "people.Person" || f.LoginField != "email" {
		t.Errorf("facts: %+v", f)
	}
	if f.Tokens.Algorithm != "" || !slices.Contains(f.Apps, "people") {
		t.Errorf("tokens %+v, apps %v", f.Tokens, f.Apps)
	}
	if want := (steps.Routes{Login: "/api/session/login/", Health: "/healthz"}); f.Routes != want {
		t.Errorf("routes %+v", f.Routes)
	}
	if len(f.OwnRoutes) != 0 { // an OPTIONS request would run these views
		t.Errorf("own routes %q", f.OwnRoutes)
	}
	if got := codes(run.Project.Findings); got != "" {
		t.Errorf("findings %s", got)
	}
	a, err := run.Django.CreateUser(t.Context())
	if err != nil || a.Field != "email" || !a.Password.Set() {
		t.Errorf("account: %+v, %v", a, err)
	}
	if err := run.Django.DeleteUser(t.Context()); err != nil {
		t.Error(err)
	}
	// manage.py's own load_dotenv reads the file again as well.
	p.Key = stepstest.Key()
	p.WriteEnv(t, "SECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n")
	f, err = run.Django.Recheck(t.Context())
	if err != nil || f.State != "ok" || f.Key.Sum != run.Prints.Sum([]byte(p.Key)) {
		t.Errorf("after a change: %+v, %v", f, err)
	}
	p.WriteEnv(t, "SECRET_KEY={SECRET_KEY}\n")
	f, err = run.Django.Recheck(t.Context())
	if err != nil || f.State != "key-missing" {
		t.Errorf("without: %+v, %v", f, err)
	}
}

// Windows offers Python in its store by an empty file of that name.
func TestAStoreStubIsNoPython(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"stub": "", "python": "#!/bin/sh\n"} {
		if err := stepstest.WriteProgram(filepath.Join(dir, name), text); err != nil {
			t.Fatal(err)
		}
	}
	if !isStoreStub(filepath.Join(dir, "stub")) || isStoreStub(filepath.Join(dir, "python")) || isStoreStub(filepath.Join(dir, "none")) {
		t.Error("an empty file counts as Python, or Python as an empty file")
	}
}
