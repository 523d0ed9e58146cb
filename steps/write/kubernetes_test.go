package write

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// apiServer answers kubectl as a Kubernetes API server does, for one Secret.
type apiServer struct {
	t         *testing.T
	mu        sync.Mutex
	token     string
	data      map[string]string // base64
	version   int
	immutable bool
	labels    map[string]string
	forbid    bool
	racing    bool // somebody writes before each patch
	patches   int
	may       string // whether the account may patch: "yes", "no", or "" where the cluster does not say
	stop      func()
}

func (a *apiServer) status(w http.ResponseWriter, code int, reason, message string) {
	stepstest.AnswerJSON(w, code, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code})
}

func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer := func(v any) { stepstest.AnswerJSON(w, http.StatusOK, v) }
	if r.Header.Get("Authorization") != "Bearer "+a.token {
		a.status(w, 401, "Unauthorized", "Unauthorized")
		return
	}
	switch r.URL.Path {
	case "/api":
		answer(map[string]any{"kind": "APIVersions", "versions": []string{"v1"}})
		return
	case "/apis":
		answer(map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": []any{}})
		return
	case "/api/v1":
		answer(map[string]any{"kind": "APIResourceList", "groupVersion": "v1", "resources": []any{
			map[string]any{"name": "secrets", "singularName": "secret", "namespaced": true, "kind": "Secret", "verbs": []string{"get", "patch", "list"}},
		}})
		return
	}
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews") && a.may != "" {
		stepstest.AnswerJSON(w, http.StatusCreated, map[string]any{"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": map[string]any{"allowed": a.may == "yes"}})
		return
	}
	const place = "/api/v1/namespaces/shop/secrets/"
	switch {
	case a.forbid:
		a.status(w, 403, "Forbidden", `secrets "backend" is forbidden: User "ada" cannot get resource "secrets"`)
		return
	case r.URL.Path != place+"backend":
		a.status(w, 404, "NotFound", fmt.Sprintf("secrets %q not found", strings.TrimPrefix(r.URL.Path, place)))
		return
	}
	if r.Method == http.MethodPatch {
		a.patches++
		if r.Header.Get("Content-Type") != "application/merge-patch+json" {
			a.t.Errorf("a patch of type %s", r.Header.Get("Content-Type"))
		}
		if a.racing {
			a.version++
		}
		body, _ := io.ReadAll(r.Body)
		var patch struct {
			Metadata struct{ ResourceVersion string }
			Data     map[string]*string
		}
		if err := json.Unmarshal(body, &patch); err != nil {
			a.t.Errorf("patch: %v", err)
		}
		switch {
		case patch.Metadata.ResourceVersion != strconv.Itoa(a.version):
			a.status(w, 409, "Conflict", `Operation cannot be fulfilled on secrets "backend": the object has been modified`)
			return
		case a.immutable:
			a.status(w, 422, "Invalid", "Secret \"backend\" is invalid: data: Forbidden: field is immutable when `immutable` is set")
			return
		}
		for k, v := range patch.Data {
			if v == nil {
				delete(a.data, k)
			} else {
				a.data[k] = *v
			}
		}
		a.version++
	}
	answer(map[string]any{"kind": "Secret", "apiVersion": "v1", "type": "Opaque", "immutable": a.immutable, "data": a.data, "metadata": map[string]any{
		"name": "backend", "namespace": "shop", "resourceVersion": strconv.Itoa(a.version), "labels": a.labels,
	}})
}

// cluster starts the server and lets the real kubectl find it.
func cluster(t *testing.T) *apiServer {
	t.Helper()
	if _, err := exec.LookPath("kubectl"); err != nil {
		if os.Getenv("KEYSPLIT_REQUIRE_TOOLS") != "" {
			t.Fatal("kubectl is missing, and KEYSPLIT_REQUIRE_TOOLS is set")
		}
		t.Skip("SKIPPED: kubectl is missing; nothing about Kubernetes was tested")
	}
	a := &apiServer{t: t, token: stepstest.Key(), version: 7, data: map[string]string{
		"secret-key": base64.StdEncoding.EncodeToString([]byte(stepstest.Key())), "other": "eA==",
	}}
	server := httptest.NewUnstartedServer(a)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS() // kubectl sends no token over plain http
	t.Cleanup(server.Close)
	home := t.TempDir()
	t.Setenv("HOME", home) // its caches
	t.Setenv("KUBECONFIG", filepath.Join(home, "config"))
	config := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: kind-test
clusters: [{name: c, cluster: {server: %q, certificate-authority-data: %s}}]
users: [{name: u, user: {token: %q}}]
contexts: [{name: kind-test, context: {cluster: c, user: u, namespace: shop}}]
`, server.URL, base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})), a.token)
	a.stop = server.Close
	if err := os.WriteFile(filepath.Join(home, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *apiServer) value(key string) string {
	b, _ := base64.StdEncoding.DecodeString(a.data[key])
	return string(b)
}

func TestKubernetesPatchesOneKeyOfTheSecret(t *testing.T) {
	for _, old := range []string{"", stepstest.Key()} {
		for _, spec := range stepstest.Every(2, []string{"kubernetes:backend", "kubernetes:shop/backend#jwt-secret-key"}) {
			a := cluster(t)
			if old != "" {
				a.data["jwt-secret-key"] = base64.StdEncoding.EncodeToString([]byte(old))
			}
			secretKey := a.value("secret-key")
			run, target := oneTarget(t, spec)
			said, err := bring(run, target)
			if err != nil {
				t.Fatal(err)
			}
			key := run.Key.Reveal()
			if a.value("jwt-secret-key") != key || a.value("secret-key") != secretKey || a.data["other"] != "eA==" {
				t.Error("the key is not there to the byte, or another one changed")
			}
			if !strings.Contains(said, "namespace shop, context kind-test (https://127.0.0.1:") {
				t.Errorf("the plan does not say which cluster: %s", said)
			}
			if h, err := target.Look(t.Context(), run); err != nil || !h.SecretKey.Set() || len(h.Findings) > 0 {
				t.Errorf("look: %+v, %v", h, err)
			}
			undone, err := undo(run)
			if err != nil {
				t.Fatal(err)
			}
			if _, there := a.data["jwt-secret-key"]; a.value("jwt-secret-key") != old || there != (old != "") {
				t.Error("the undo did not bring it back as it was")
			}
			for _, secret := range []string{key, base64.StdEncoding.EncodeToString([]byte(key)), secretKey, a.token} {
				noLeak(t, run, secret, map[string]string{"what was said": said, "the undo": undone})
			}
		}
	}
}

func TestWhatCanGoWrongWithKubernetes(t *testing.T) {
	t.Attr("part", "hostile programs of managers")
	for name, c := range map[string]struct {
		spec  string
		spoil func(*apiServer)
		code  finding.Code
	}{
		"logged out": {"kubernetes:backend", func(a *apiServer) { a.token = "another" }, "tool-not-logged-in"},
		"forbidden":  {"kubernetes:backend", func(a *apiServer) { a.forbid = true }, "access-denied"},
		"not there":  {"kubernetes:nothing", func(*apiServer) {}, "place-not-found"},
		"conflict":   {"kubernetes:backend", func(a *apiServer) { a.racing = true }, "place-conflict"},
		"immutable":  {"kubernetes:backend", func(a *apiServer) { a.immutable = true }, "place-immutable"},
	} {
		t.Run(name, func(t *testing.T) {
			a := cluster(t)
			before := len(a.data)
			c.spoil(a)
			run, target := oneTarget(t, c.spec)
			said, err := bring(run, target)
			if f := wantCode(t, err, c.code); f.Fix.Empty() {
				t.Error("no fix")
			}
			if len(a.data) != before || len(run.Journal.Deliveries()) != 0 {
				t.Error("something was written, or is recorded as written")
			}
			noLeak(t, run, run.Key.Reveal(), map[string]string{"what was said": said})
		})
	}
	t.Run("no server", func(t *testing.T) {
		cluster(t).stop()
		run, target := oneTarget(t, "kubernetes:backend")
		_, err := bring(run, target)
		wantCode(t, err, "place-unreachable")
	})
}

func TestASecretThatBelongsToSomethingElse(t *testing.T) {
	a := cluster(t)
	a.labels = map[string]string{"app.kubernetes.io/managed-by": "Helm"}
	run, target := oneTarget(t, "kubernetes:backend")
	h, err := target.Look(t.Context(), run)
	if err != nil || !finding.Has(h.Findings, "place-managed") {
		t.Errorf("%+v, %v", h.Findings, err)
	}
}

// The kernel's own word on what the real program was given.
func TestTheKeyIsInNoArgumentOfKubectl(t *testing.T) {
	cluster(t)
	starts := traced(t, "kubectl")
	run, target := oneTarget(t, "kubernetes:backend")
	if _, err := bring(run, target); err != nil {
		t.Fatal(err)
	}
	key := run.Key.Reveal()
	if seen := starts(); holdsPart(seen, key) || holdsPart(seen, base64.StdEncoding.EncodeToString([]byte(key))) {
		t.Error("the key is in an argument or the environment")
	}
}

// traced puts strace between keysplit and a real program. starts gives how it and
// its children were started: programs, arguments and environments.
func traced(t *testing.T, name string) (starts func() string) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("KEYSPLIT_REQUIRE_TOOLS") != "" {
			t.Fatal("strace is missing, and KEYSPLIT_REQUIRE_TOOLS is set")
		}
		t.Skip("SKIPPED: strace is missing")
	}
	real, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	program := stepstest.NewTool(t, name, fmt.Sprintf("exec '%s' -f -v -s 100000 -e trace=execve -o \"$DIR/trace.$$\" '%s' \"$@\"", strace, real))
	return func() string {
		t.Helper()
		traces, err := filepath.Glob(filepath.Join(program.Dir, "trace.*"))
		if err != nil || len(traces) == 0 {
			t.Fatalf("no trace: %v", err)
		}
		var all strings.Builder
		for _, path := range traces {
			b, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(b), "execve(") {
				t.Fatalf("an empty trace: %v", err)
			}
			all.Write(b)
		}
		return all.String()
	}
}
