package write

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
)

// hub answers as the part of GitHub's REST API that is about the secrets of
// Actions (docs.github.com/rest/actions/secrets).
type hub struct {
	mu      sync.Mutex
	token   string
	refused bool // the account may not see the secrets
	secrets map[string]time.Time
	bodies  []string
	wrong   []string // requests that GitHub would not understand
}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	answer := func(code int, v any) { stepstest.AnswerJSON(w, code, v) }
	if a := r.Header.Get("Authorization"); a != "token "+h.token && a != "Bearer "+h.token {
		answer(http.StatusUnauthorized, map[string]any{"message": "Bad credentials"})
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/api/v3/")
	place, name, _ := strings.Cut(path, "/secrets")
	name = strings.TrimPrefix(name, "/")
	switch {
	case path == "user":
		answer(http.StatusOK, map[string]any{"login": "ada"})
	case place != "repos/acme/shop/actions" && place != "repos/acme/shop/environments/staging":
		answer(http.StatusNotFound, map[string]any{"message": "Not Found"})
	case h.refused:
		answer(http.StatusForbidden, map[string]any{"message": "Must have admin rights to Repository."})
	case r.Method == http.MethodGet && name == "":
		all := []any{map[string]any{"name": "OTHER", "created_at": time.Now(), "updated_at": time.Now()}}
		if at, ok := h.secrets[place]; ok {
			all = append(all, map[string]any{"name": "JWT_SECRET_KEY", "created_at": at, "updated_at": at})
		}
		answer(http.StatusOK, map[string]any{"total_count": len(all), "secrets": all})
	case r.Method == http.MethodGet && name == "public-key":
		answer(http.StatusOK, map[string]any{"key_id": "1", "key": base64.StdEncoding.EncodeToString([]byte("a key that anybody may be given."))})
	case r.Method == http.MethodPut && name == "JWT_SECRET_KEY":
		var body struct {
			Value string `json:"encrypted_value"`
			ID    string `json:"key_id"`
		}
		err := json.NewDecoder(r.Body).Decode(&body)
		sealed, bad := base64.StdEncoding.DecodeString(body.Value)
		// A sealed box of libsodium is 48 bytes longer than what is in it.
		if err != nil || bad != nil || body.ID != "1" || len(sealed) != 48+86 {
			h.wrong = append(h.wrong, fmt.Sprintf("a body with %d bytes for key %q", len(sealed), body.ID))
		}
		h.bodies = append(h.bodies, body.Value)
		h.secrets[place] = time.Now().UTC().Truncate(time.Second)
		answer(http.StatusCreated, map[string]any{})
	case r.Method == http.MethodDelete && name == "JWT_SECRET_KEY":
		delete(h.secrets, place)
		w.WriteHeader(http.StatusNoContent)
	default:
		h.wrong = append(h.wrong, r.Method+" "+path)
		answer(http.StatusNotFound, map[string]any{"message": "Not Found"})
	}
}

// has reports whether the secret is there, in a repository's own secrets or in
// those of an environment.
func (h *hub) has(place string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.secrets["repos/acme/shop/"+place]
	return ok
}

// realGH has the gh on PATH talk with a server of ours.
func realGH(t *testing.T) *hub {
	t.Helper()
	if _, err := exec.LookPath("gh"); err != nil {
		if os.Getenv("KEYSPLIT_REQUIRE_GH") != "" {
			t.Fatal("gh is missing, and KEYSPLIT_REQUIRE_GH is set")
		}
		t.Skip("SKIPPED: gh is missing; the real gh was not tested")
	}
	h := &hub{token: stepstest.Key(), secrets: map[string]time.Time{}}
	server := httptest.NewTLSServer(h)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	authority := filepath.Join(dir, "authority.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authority, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"SSL_CERT_FILE": authority, "HOME": dir, "GH_CONFIG_DIR": dir, "GH_HOST": strings.TrimPrefix(server.URL, "https://"),
		"GH_ENTERPRISE_TOKEN": h.token, "GH_TOKEN": "", "GITHUB_TOKEN": "", "GH_NO_UPDATE_NOTIFIER": "1",
	} {
		t.Setenv(name, value)
	}
	return h
}

func TestTheRealGH(t *testing.T) {
	h := realGH(t)
	starts := traced(t, "gh")
	for spec, place := range map[string]string{"github:acme/shop": "actions", "github:acme/shop@staging": "environments/staging"} {
		run, target := realTarget(t, spec)
		said, err := bring(run, target)
		if err != nil {
			t.Fatal(err)
		}
		key := run.Key.Reveal()
		if !h.has(place) || !strings.Contains(said, "as ada") {
			t.Errorf("%s: the secret is not there, or it does not say whose login it is:\n%s", spec, said)
		}
		undone, err := undo(run)
		if err != nil {
			t.Fatal(err)
		}
		if h.has(place) {
			t.Errorf("%s: the undo left the secret", spec)
		}
		noLeak(t, run, key, map[string]string{"what was said": said, "the undo": undone, "how gh was started": starts(), "the requests": strings.Join(h.bodies, "\n")})
	}
	if len(h.wrong) > 0 || len(h.bodies) != 2 {
		t.Errorf("%d bodies; not understood: %v", len(h.bodies), h.wrong)
	}

	refused(t, "github:acme/nothing", "place-not-found")
	refused(t, "github:acme/shop@production", "place-not-found")
	h.refused = true
	refused(t, "github:acme/shop", "access-denied")
	t.Setenv("GH_ENTERPRISE_TOKEN", stepstest.Key())
	refused(t, "github:acme/shop", "tool-not-logged-in")
	t.Setenv("GH_ENTERPRISE_TOKEN", "")
	refused(t, "github:acme/shop", "tool-not-logged-in")
}
