package demo

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
)

func TestLogin(t *testing.T) {
	ownTemp(t)
	s := newSandbox(t, Stale)
	run := newRun()
	url := s.server(t).URL
	account := s.Account(run)
	for path, want := range map[string]int{"/": 200, "/nothing": 404} {
		req, err := http.NewRequest("GET", url+path, nil)
		check(t, err)
		if status, page, _ := do(t, req); status != want || strings.Contains(page, "POST "+routes.Login) != (want == 200) || strings.Contains(page, "%!") {
			t.Errorf("GET %s: %d %q", path, status, page)
		}
	}
	csrf := "x-" + newKey()[:8]
	login := func(account steps.Account, header string) (int, *http.Response) {
		data, err := json.Marshal(map[string]string{"username": account.Username, "password": account.Password.Reveal()})
		check(t, err)
		req, err := http.NewRequest("POST", url+routes.Login, bytes.NewReader(data))
		check(t, err)
		if header != "" {
			req.Header.Set(csrfHeader, header)
			req.AddCookie(&http.Cookie{Name: csrfCookie, Value: csrf})
		}
		status, _, res := do(t, req)
		return status, res
	}
	if status, _ := login(account, ""); status != 403 {
		t.Errorf("without CSRF: %d", status)
	}
	if status, _ := login(account, "another"); status != 403 {
		t.Errorf("with another CSRF token: %d", status)
	}
	wrong := account
	wrong.Password = run.Secret(newKey())
	if status, _ := login(wrong, csrf); status != 401 {
		t.Errorf("with a wrong password: %d", status)
	}
	status, res := login(account, csrf)
	if status != 200 || len(res.Cookies()) != 2 {
		t.Fatalf("login: %d, %d cookies", status, len(res.Cookies()))
	}
	for _, c := range res.Cookies() {
		if !c.HttpOnly || strings.Count(c.Value, ".") != 2 {
			t.Errorf("cookie %s is not an httpOnly token", c.Name)
		}
	}
	send := func(method, path, body string) (int, string) {
		req, err := http.NewRequest(method, url+path, strings.NewReader(body))
		check(t, err)
		for _, c := range res.Cookies() {
			req.AddCookie(c)
		}
		status, text, _ := do(t, req)
		return status, text
	}
	if status, text := send("GET", routes.Protected, ""); status != 200 || !strings.Contains(text, account.Username) {
		t.Errorf("user: %d %s", status, text)
	}
	if status, _ := send("POST", routes.Refresh, "{}"); status != 200 {
		t.Errorf("refresh: %d", status)
	}
	for _, c := range res.Cookies() {
		if status, _ := send("POST", routes.Verify, `{"token":"`+c.Value+`"}`); status != 200 {
			t.Errorf("verify %s: %d", c.Name, status)
		}
		if status, text := send("POST", routes.Verify, `{"token":"`+c.Value+`x"}`); status != 401 || !strings.Contains(text, "token_not_valid") {
			t.Errorf("verify a broken %s: %d", c.Name, status)
		}
	}

	d, err := s.OpenDjango(t.Context(), run, nil)
	check(t, err)
	temp, err := d.CreateUser(t.Context())
	check(t, err)
	if status, _ := login(temp, csrf); status != 200 {
		t.Errorf("login of the throwaway account: %d", status)
	}
	s.touch(t)
	first := s.server(t).PID
	until(func() bool { return s.server(t).PID != first })
	if status, _ := login(temp, csrf); status != 200 {
		t.Errorf("login of the throwaway account after a reload: %d", status)
	}
	check(t, d.Close())
	if status, _ := login(temp, csrf); status != 401 {
		t.Errorf("login of the removed account: %d", status)
	}
	if status, _ := login(account, csrf); status != 200 {
		t.Errorf("login of the demo's account: %d", status)
	}
}

func TestDjango(t *testing.T) {
	ownTemp(t)
	s := newSandbox(t, Missing)
	run := newRun()
	d, err := s.OpenDjango(t.Context(), run, nil)
	check(t, err)
	if f := d.Facts(); !f.Candidate || f.Key.Set || !f.Enforced {
		t.Errorf("facts: %+v", f)
	}
	key := newKey()
	s.setKey(t, key)
	f, err := d.Recheck(t.Context())
	check(t, err)
	if f.State != "ok" || f.Candidate || f.Key.Sum != run.Prints.Sum([]byte(key)) || !f.SigningEqualsKey || f.SigningEqualsSecretKey {
		t.Errorf("facts: %+v", f)
	}
	secretKey, _ := s.keys(t)
	for which, key := range map[string]string{"SECRET_KEY": secretKey, "SIGNING_KEY": key} {
		token := tokens{[]byte(key)}.issue(access, 1)
		input, _, _ := cutLast(token)
		sum, err := d.Sign(t.Context(), which, "HS256", []byte(input))
		check(t, err)
		if _, err := (tokens{[]byte(key)}).check(input+"."+encode(sum), access); err != nil {
			t.Errorf("%s: %v", which, err)
		}
		if _, err := (tokens{[]byte(newKey())}).check(input+"."+encode(sum), access); err == nil {
			t.Errorf("%s: any key verifies", which)
		}
	}
	if _, err := d.Sign(t.Context(), "SECRET_KEY", "none", nil); err == nil {
		t.Error("signs with algorithm none")
	}
	check(t, os.Remove(filepath.Join(s.Root, ".env")))
	if _, err := s.OpenDjango(t.Context(), run, nil); err == nil {
		t.Error("settings without a SECRET_KEY load")
	}
}

func cutLast(token string) (head, tail string, found bool) {
	i := strings.LastIndex(token, ".")
	return token[:i], token[i+1:], i >= 0
}

func encode(sum []byte) string { return base64.RawURLEncoding.EncodeToString(sum) }
