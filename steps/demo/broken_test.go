package demo

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What the demo's own parts cannot read, make or start is an error of theirs.
func TestPartsOfADemoThatFail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := filepath.Join(dir, "file")
	check(t, os.WriteFile(in, nil, 0o600))
	gone := filepath.Join(dir, "gone")
	for name, try := range map[string]func() error{
		"a folder in one that is gone": func() error { _, _, err := newFolder(gone); return err },
		"a folder in a file":           func() error { _, _, err := newFolder(in); return err },
		"the marker of no folder":      func() error { _, err := lockMarker(gone, 0); return err },
		"the project":                  func() error { return layProject(filepath.Join(in, "x")) },
		"the age of nothing":           (&guardian{root: gone}).age,
		"a program that is gone":       func() error { _, err := startWorker(gone, workerStart{}); return err },
	} {
		if err := try(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if at := (&guardian{root: gone}).settingsTime(); !at.Equal(time.Time{}) {
		t.Errorf("settings that are gone are of %v", at)
	}
	check(t, os.WriteFile(filepath.Join(dir, ".env"), []byte("A=\xff\n"), 0o600))
	if _, refused := read(dir); refused == nil || !strings.Contains(refused.text, "UnicodeDecodeError") {
		t.Errorf("a file that is no text: %+v", refused)
	}
	var errOut bytes.Buffer
	if code := RunBackend([]string{"x"}, strings.NewReader(""), &errOut, &errOut); code != 2 || !strings.Contains(errOut.String(), "a part of keysplit demo") {
		t.Errorf("exit %d, %s", code, errOut.String())
	}
}

// A demo that has ended makes no account and removes none.
func TestADemoThatHasEndedHasNoAccounts(t *testing.T) {
	ownTemp(t)
	s := newSandbox(t, Stale)
	req, err := http.NewRequest("POST", s.server(t).URL+routes.Refresh, strings.NewReader(`{"refresh":"x"}`))
	check(t, err)
	req.AddCookie(&http.Cookie{Name: csrfCookie, Value: "x"})
	req.Header.Set(csrfHeader, "x")
	if status, text, _ := do(t, req); status != 401 {
		t.Errorf("a wrong refresh token: %d %s", status, text)
	}
	one, err := s.OpenDjango(t.Context(), newRun(), nil)
	check(t, err)
	_, err = one.CreateUser(t.Context())
	check(t, err)
	other, err := s.OpenDjango(t.Context(), newRun(), nil)
	check(t, err)
	check(t, s.Close())
	if err := one.DeleteUser(t.Context()); err == nil {
		t.Error("an account was removed")
	}
	if err := one.DeleteUser(t.Context()); err == nil {
		t.Error("it counts as removed the second time")
	}
	if a, err := other.CreateUser(t.Context()); err == nil {
		t.Errorf("the account %s was made", a.Username)
	}
}
