package stepstest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fly answers as the part of Fly.io's APIs that flyctl asks about secrets and
// machines (fly.io/docs/machines/api). It has the app shop, with two machines, and
// the app theirs, which the account may not touch.
type Fly struct {
	mu      sync.Mutex
	home    string
	token   string
	version uint64
	Secrets map[string]string
	Changes []string // the body of each request that changed secrets
	Wrong   []string // requests that Fly would not understand
	Updates int      // of machines
	Crashes bool     // a machine ends over and over once it was updated
	Machine []map[string]any
}

// RealFly has the fly on PATH talk with a server of ours, logged in; the test is
// skipped where there is none.
func RealFly(t testing.TB) *Fly {
	t.Helper()
	path, err := exec.LookPath("fly")
	if err != nil || os.Getenv("KEYSPLIT_FLY") == "" {
		if os.Getenv("KEYSPLIT_FLY") != "" {
			t.Fatal("fly is missing, and KEYSPLIT_FLY is set")
		}
		t.Skip("only where KEYSPLIT_FLY is set, with fly on PATH: bash .ci/real fly")
	}
	f := &Fly{token: Key(), Secrets: map[string]string{"OTHER": Key()}}
	for _, id := range []string{"148ed1", "148ed2"} {
		f.Machine = append(f.Machine, map[string]any{
			"id": id, "name": "m" + id, "state": "started", "region": "ams", "instance_id": "01A" + id, "host_status": "ok", "cordoned": false,
			"created_at": "2025-01-01T00:00:00Z", "updated_at": "2025-01-01T00:00:00Z", "events": []any{}, "checks": []any{},
			"config": map[string]any{"image": "registry.example/shop:1", "metadata": map[string]string{"fly_platform_version": "v2", "fly_process_group": "app", "fly_release_version": "1"},
				"guest": map[string]any{"cpu_kind": "shared", "cpus": 1, "memory_mb": 256}},
		})
	}
	server := Serve(t, f)
	f.home = realProgram(t, filepath.Dir(path), map[string]string{
		"FLY_API_BASE_URL": server, "FLY_FLAPS_BASE_URL": server, "FLY_UIEX_BASE_URL": server,
		"FLY_API_TOKEN": "", "FLY_ACCESS_TOKEN": "", "FLY_APP": "", "FLY_SEND_METRICS": "0", "FLY_NO_UPDATE_CHECK": "1", "CI": "1",
		"HTTPS_PROXY": "http://127.0.0.1:1", // nothing else is asked
	})
	f.LogIn(t, true)
	return f
}

// LogIn leaves a login where fly auth login leaves it: a good one or one that has
// been revoked.
func (f *Fly) LogIn(t testing.TB, good bool) {
	t.Helper()
	token := f.token
	if !good {
		token = Key()
	}
	text := "access_token: " + token + "\nlast_login: " + time.Now().UTC().Format(time.RFC3339) + "\n"
	err := os.MkdirAll(filepath.Join(f.home, ".fly"), 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(f.home, ".fly", "config.yml"), []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// LogOut takes the login away.
func (f *Fly) LogOut(t testing.TB) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(f.home, ".fly")); err != nil {
		t.Fatal(err)
	}
}

// ServeHTTP has a case for each request of the API that is made.
func (f *Fly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	answer := func(code int, v any) { AnswerJSON(w, code, v) }
	good := r.Header.Get("Authorization") == "Bearer "+f.token
	if r.URL.Path == "/graphql" {
		answer(http.StatusOK, f.graphql(body, good))
		return
	}
	path, isMachines := strings.CutPrefix(r.URL.Path, "/v1/apps/")
	app, rest, _ := strings.Cut(path, "/")
	switch what := r.Method + " " + rest; {
	case !good:
		answer(http.StatusUnauthorized, map[string]string{"error": "unauthorized"})
	case isMachines && app == "theirs":
		answer(http.StatusForbidden, map[string]string{"error": "forbidden"})
	case isMachines && app != "shop":
		answer(http.StatusNotFound, map[string]string{"error": "app not found"})
	case what == "GET ":
		answer(http.StatusOK, map[string]any{"id": "shop", "name": "shop", "status": "deployed", "organization": map[string]any{"slug": "acme", "name": "acme"}})
	case what == "GET secrets":
		answer(http.StatusOK, map[string]any{"secrets": f.list()})
	case what == "POST secrets":
		var change struct{ Values map[string]*string }
		if err := json.Unmarshal(body, &change); err != nil {
			f.Wrong = append(f.Wrong, "a body that is not JSON")
		}
		f.Changes = append(f.Changes, string(body))
		for name, value := range change.Values {
			if value == nil {
				delete(f.Secrets, name)
			} else {
				f.Secrets[name] = *value
			}
		}
		f.version++
		answer(http.StatusOK, map[string]any{"secrets": f.list(), "version": f.version})
	case what == "GET machines":
		answer(http.StatusOK, f.Machine)
	case strings.HasPrefix(rest, "machines/"):
		f.one(r.Method, strings.TrimPrefix(rest, "machines/"), answer)
	case what == "GET ip_assignments":
		answer(http.StatusOK, map[string]any{"ips": []any{}})
	case what == "GET volumes":
		answer(http.StatusOK, []any{})
	case r.URL.Path == "/api/v1/releases" || strings.HasPrefix(r.URL.Path, "/api/v1/releases/"):
		answer(http.StatusOK, map[string]any{"id": "r2", "version": 2, "status": "complete", "created_at": time.Now().UTC()})
	case r.URL.Path == "/api/v1/apps/shop/logs":
		answer(http.StatusOK, map[string]any{"data": []any{map[string]any{"id": "1", "type": "log", "attributes": map[string]any{"timestamp": time.Now().UTC().Format(time.RFC3339Nano), "message": "the app says why", "level": "info",
			"instance": "m1", "region": "ams", "meta": map[string]any{"instance": "m1", "region": "ams", "event": map[string]any{"provider": "app"}}}}}, "meta": map[string]any{"next_token": ""}})
	case r.URL.Path == "/api/v1/apps/shop/releases":
		answer(http.StatusOK, map[string]any{"releases": []any{map[string]any{"id": "r1", "version": 1, "status": "complete", "created_at": "2025-01-01T00:00:00Z"}}})
	default:
		f.Wrong = append(f.Wrong, r.Method+" "+r.URL.String())
		answer(http.StatusNotFound, map[string]string{"error": "not found"})
	}
}

// one serves what is asked of one machine.
func (f *Fly) one(method, rest string, answer func(int, any)) {
	id, verb, _ := strings.Cut(rest, "/")
	at := slices.IndexFunc(f.Machine, func(m map[string]any) bool { return m["id"] == id })
	switch {
	case at < 0:
		answer(http.StatusNotFound, map[string]string{"error": "machine not found"})
	case verb == "lease" && method == http.MethodDelete:
		answer(http.StatusOK, map[string]any{})
	case verb == "lease":
		answer(http.StatusOK, map[string]any{"status": "success", "data": map[string]any{"nonce": "n", "owner": "ada", "expires_at": time.Now().Add(time.Minute).Unix()}})
	case verb == "wait":
		answer(http.StatusOK, map[string]any{"ok": true})
	case verb == "" && method == http.MethodPost:
		f.Updates++
		f.Machine[at]["updated_at"] = time.Now().UTC().Format(time.RFC3339)
		f.Machine[at]["instance_id"] = fmt.Sprint("01B", f.Updates)
		if f.Crashes {
			f.Machine[at]["events"] = []any{map[string]any{"id": "e", "type": "exit", "status": "stopped", "source": "flyd", "timestamp": time.Now().UnixMilli(), "request": map[string]any{
				"restart_count": 3, "exit_event": map[string]any{"exit_code": 1, "restarting": true, "exited_at": time.Now().UTC()}}}}
		}
		answer(http.StatusOK, f.Machine[at])
	case verb == "" && method == http.MethodGet:
		answer(http.StatusOK, f.Machine[at])
	case verb == "metadata":
		answer(http.StatusOK, map[string]any{})
	default:
		f.Wrong = append(f.Wrong, method+" machines/"+rest)
		answer(http.StatusNotFound, map[string]string{"error": "not found"})
	}
}

func (f *Fly) list() []any {
	all := []any{}
	for name, value := range f.Secrets {
		sum := sha256.Sum256([]byte(value))
		all = append(all, map[string]any{"name": name, "digest": hex.EncodeToString(sum[:8]), "created_at": "2025-01-01T00:00:00Z", "updated_at": "2025-01-01T00:00:00Z"})
	}
	return all
}

func (f *Fly) graphql(body []byte, good bool) any {
	refuse := func(message, code string) any {
		return map[string]any{"data": nil, "errors": []any{map[string]any{"message": message, "extensions": map[string]any{"code": code}}}}
	}
	var asked struct {
		Query     string
		Variables struct{ AppName string }
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		f.Wrong = append(f.Wrong, "a body that is not GraphQL")
	}
	query, app := asked.Query, asked.Variables.AppName
	switch {
	case !good:
		return refuse("You must be authenticated to view this.", "UNAUTHORIZED")
	case strings.Contains(query, "viewer"):
		return map[string]any{"data": map[string]any{"viewer": map[string]any{"id": "u", "email": "ada@example.com"}}}
	case app == "theirs":
		return refuse("Not authorized to access this app.", "FORBIDDEN")
	case app != "shop":
		return refuse(`Could not find App "`+app+`"`, "NOT_FOUND")
	case strings.Contains(query, "appcompact:"):
		return map[string]any{"data": map[string]any{"appcompact": map[string]any{"id": "shop", "name": "shop", "deployed": true, "status": "deployed", "platformVersion": "machines",
			"hostname": "shop.example", "organization": map[string]any{"id": "o", "slug": "acme"}}}}
	case strings.Contains(query, "currentReleaseUnprocessed"):
		return map[string]any{"data": map[string]any{"app": map[string]any{"currentReleaseUnprocessed": map[string]any{"id": "r1", "version": 1, "imageRef": "registry.example/shop:1",
			"configDefinition": map[string]any{"app": "shop"}}}}}
	}
	f.Wrong = append(f.Wrong, query)
	return refuse("not understood", "BAD_REQUEST")
}
