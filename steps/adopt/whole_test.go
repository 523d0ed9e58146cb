package adopt_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// urls has the routes that the proofs need.
const urls = `from django.urls import path
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView


class Whoami(APIView):
    authentication_classes = [JWTAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response({"who": request.user.get_username()})


urlpatterns = [
    path("auth/in/", TokenObtainPairView.as_view()),
    path("auth/again/", TokenRefreshView.as_view()),
    path("whoami/", Whoami.as_view()),
]
`

// ninjaURLs are the same for django-ninja-jwt.
const ninjaURLs = `from django.urls import path
from ninja_extra import NinjaExtraAPI
from ninja_jwt.authentication import JWTAuth
from ninja_jwt.controller import NinjaJWTDefaultController

api = NinjaExtraAPI()
api.register_controllers(NinjaJWTDefaultController)


@api.get("/whoami", auth=JWTAuth())
def whoami(request):
    return {"who": request.user.get_username()}


urlpatterns = [path("api/", api.urls)]
`

var refuses = regexp.MustCompile(`✓ refuses \w*SECRET_KEY +401`)

// Each shape goes through the whole upgrade and all its proofs, on a server and with one
// login; it does not start without the key then; and a rollback gives every byte back.
func TestTheWholeUpgrade(t *testing.T) {
	t.Parallel()
	stepstest.OnlyLong(t)
	program := filepath.Join(t.TempDir(), "keysplit")
	if out, err := exec.Command("go", "build", "-o", program, "dj/keysplit").CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	for name, s := range shapes {
		generations := []djangotest.Generation{djangotest.Modern, djangotest.Legacy, djangotest.Newest}
		if s.field {
			generations = []djangotest.Generation{djangotest.Field}
		}
		for _, g := range generations {
			if s.unsure == "" {
				t.Run(string(g)+" "+name, func(t *testing.T) {
					t.Parallel()
					upgraded(t, program, djangotest.Python(t, g), s)
				})
			}
		}
	}
}

func upgraded(t *testing.T, program, python string, s shape) {
	root, state := project(t, s), t.TempDir()
	routes := urls
	if strings.Contains(s.files["settings.py"], "ninja_jwt") {
		routes = ninjaURLs
	}
	if err := os.WriteFile(filepath.Join(root, "urls.py"), []byte(routes), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(name string, arguments ...string) (string, error) {
		c := exec.Command(name, arguments...)
		c.Dir, c.Env = root, djangotest.CleanEnviron("KEYSPLIT_STATE_DIR="+state)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := run(python, "manage.py", "migrate", "-v", "0"); err != nil {
		t.Fatal(out)
	}
	before := contents(t, root)
	if out, err := run(program, "upgrade", "--adopt", "--yes", "--temp-user", "--python", python); err != nil || !refuses.MatchString(out) || !strings.Contains(out, "refresh works") {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := run(python, "manage.py", "check"); err != nil {
		t.Errorf("it does not start with the key:\n%s", out)
	}
	if out, err := run(program, "check", "--python", python); err != nil {
		t.Errorf("it is not ready:\n%s", out)
	}
	env := filepath.Join(root, ".env")
	with, err := os.ReadFile(env)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{before[".env"], before[".env"] + "JWT_SECRET_KEY=short\nJWT_SIGNING_KEY=short\n"} {
		if err := os.WriteFile(env, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := run(python, "manage.py", "check"); err == nil {
			t.Errorf("it starts without a good key:\n%s", out)
		}
	}
	if err := os.WriteFile(env, with, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := run(program, "rollback", "--yes", "--no-verify", "--python", python); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for file, text := range contents(t, root) {
		if before[file] != text {
			t.Errorf("%s is not as it was before", file)
		}
	}
}

// contents are the files of a project, but for what Django writes.
func contents(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".sqlite3" || filepath.Ext(path) == ".pyc" {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		all[rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
