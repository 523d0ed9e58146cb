package restart

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// These tests run a real Django and its real autoreloader.

func djangoRun(t *testing.T, p *djangotest.Project) *steps.Run {
	run := &steps.Run{
		Prints:  secret.NewFingerprinter(nil),
		Environ: func(string) (string, bool) { return "", false },
		Found: steps.Found{Project: &steps.Project{
			Root: p.Root, ManagePy: p.Root + "/manage.py", SettingsFile: p.Settings, Python: p.Python,
			EnvFile: steps.EnvFile{Path: p.EnvPath, Exists: true, Readers: []envfile.Dialect{envfile.Decouple}},
		}},
	}
	run.Options.Unattended = true
	run.Options.Timeout = 30 * time.Second
	run.Key = run.Secret(p.Key)
	t.Cleanup(run.Close)
	return run
}

// newKeyInEnv gives the project another key, as the write step would.
func newKeyInEnv(t *testing.T, p *djangotest.Project, run *steps.Run) {
	t.Helper()
	key := djangotest.NewKey()
	p.WriteEnv(t, "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nPROBE=yes\nJWT_SECRET_KEY="+key+"\n")
	run.Previous, run.Key, run.Wrote = run.Key, run.Secret(key), true
}

// verifies asks the token-verify route whether the server uses the key.
func verifies(t *testing.T, base string, key secret.Secret) bool {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"token_type": "access", "user_id": "2147483647", "jti": "a", "exp": time.Now().Add(time.Minute).Unix(),
	}).SignedString([]byte(key.Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(base+"/api/v1/auth/token/verify/", "application/json", strings.NewReader(fmt.Sprintf(`{"token":%q}`, token)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func TestDjangoReloads(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	run := djangoRun(t, p)
	server := p.Start(t, djangotest.ServerOptions{Reload: true})
	step := &Step{}
	newKeyInEnv(t, p, run)
	if verifies(t, server.URL, run.Key) {
		t.Fatal("the server knows the new key before it was restarted")
	}
	texts, _, err := do(step.Apply, run)
	if err != nil {
		t.Fatalf("%v; it said %q; the server said %s", err, texts, server.Output())
	}
	if run.URL != server.URL || !run.Restarted || !run.Serves() || !verifies(t, run.URL, run.Key) || verifies(t, run.URL, run.Previous) {
		t.Errorf("URL %s, restarted %v", run.URL, run.Restarted)
	}
	if plan, err := step.Plan(context.Background(), run); err != nil || !plan.Nothing {
		t.Errorf("the plan afterwards is %+v, %v", plan, err)
	}
	if server.Ended() {
		t.Error("the parent ended")
	}
	// The rollback: the old value back, and read.
	old := run.Previous
	p.WriteEnv(t, "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n")
	if _, findings, err := do(step.Undo, run); err != nil || len(findings) > 0 || !verifies(t, server.URL, old) {
		t.Errorf("undo: %v, %+v", err, findings)
	}
}

func TestDjangoThatCrashedIsRevived(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	run := djangoRun(t, p)
	urls := p.Root + "/config/urls.py"
	appendTo(t, urls, "\nfrom decouple import config as probe\nassert probe('PROBE', default='') == 'yes', 'the probe is missing'\n")
	server := p.Start(t, djangotest.ServerOptions{Reload: true, NoWait: true})
	if !server.Says("the probe is missing", 30*time.Second) {
		t.Fatalf("no crash; it said %s", server.Output())
	}
	time.Sleep(1200 * time.Millisecond) // until the reloader has seen each file
	step := &Step{}
	found, err := step.find(context.Background(), run)
	if err != nil || len(found) != 1 || found[0].URL != "" || found[0].Reloader != server.PID || found[0].PID == server.PID {
		t.Fatalf("found %+v, %v; want a child of %d that listens nowhere", found, err, server.PID)
	}
	newKeyInEnv(t, p, run)
	if _, _, err := do(step.Apply, run); err != nil {
		t.Fatalf("%v; the server said %s", err, server.Output())
	}
	if run.URL != server.URL || !verifies(t, run.URL, run.Key) {
		t.Errorf("URL %s", run.URL)
	}
}

func TestDjangoThatEndsOnReload(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	run := djangoRun(t, p)
	p.Start(t, djangotest.ServerOptions{Reload: true})
	p.WriteEnv(t, "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n")
	_, findings, err := do((&Step{}).Apply, run)
	if err == nil || !finding.Has(findings, "server-unreachable") || !strings.Contains(findings[0].Message.Rendered(), "ended") {
		t.Errorf("error %v, findings %+v", err, findings)
	}
}

// Neither of these can be helped by a reload: the person at the terminal is
// asked, and when nobody acts the finding says what to do.
func TestDjangoIsAskedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options djangotest.Options
		server  djangotest.ServerOptions
		words   string
	}{
		"no autoreload":         {djangotest.Options{}, djangotest.ServerOptions{}, "without the autoreloader"},
		"python-dotenv":         {djangotest.Options{Reader: "dotenv"}, djangotest.ServerOptions{Reload: true}, "would inherit"},
		"a variable of a shell": {djangotest.Options{}, djangotest.ServerOptions{Reload: true, Env: []string{"JWT_SECRET_KEY=" + djangotest.NewKey()}}, "would inherit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, c.options)
			run := djangoRun(t, p)
			server := p.Start(t, c.server)
			newKeyInEnv(t, p, run)
			run.Options.Timeout = 500 * time.Millisecond
			texts, findings, err := do((&Step{}).Apply, run)
			if err == nil || !finding.Has(findings, "server-stale-key") || !strings.Contains(findings[0].Message.Rendered(), c.words) {
				t.Fatalf("error %v, findings %+v", err, findings)
			}
			if !strings.Contains(findings[0].Fix.Rendered(), fmt.Sprint(server.PID)) || !strings.Contains(findings[0].Fix.Rendered(), p.Root) || !hasText(texts, "ctrl+c") {
				t.Errorf("fix %q, said %q", findings[0].Fix.Rendered(), texts)
			}
		})
	}
}

func TestDjangoStartedByUs(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Flavour: djangotest.Tokens})
	run := djangoRun(t, p)
	step := &Step{}
	// The start of a process is known to a hundredth of a second only; a server
	// that starts within one of the change counts as older.
	before := time.Now().Add(-time.Second)
	if err := os.Chtimes(p.EnvPath, before, before); err != nil {
		t.Fatal(err)
	}
	texts, _, err := do(step.Apply, run)
	if err != nil || !hasText(texts, "keysplit started a server of its own on 127.0.0.1:") || !verifies(t, run.URL, run.Key) {
		t.Fatalf("%v, said %q", err, texts)
	}
	first := run.URL
	// A second time it is found fresh, and after another change started again.
	if _, _, err := do(step.Apply, run); err != nil || run.URL != first {
		t.Errorf("second time: %v at %s, first at %s", err, run.URL, first)
	}
	newKeyInEnv(t, p, run)
	if _, _, err := do(step.Apply, run); err != nil || !verifies(t, run.URL, run.Key) {
		t.Errorf("after a change: %v", err)
	}
	run.Close()
	if found, err := step.find(context.Background(), run); err != nil || len(found) != 0 {
		t.Errorf("left behind: %+v, %v", found, err)
	}
	// One that refuses to start says why, and not with which key.
	p.WriteEnv(t, "DEBUG=True\nSECRET_KEY={KEY}\nJWT_SECRET_KEY={KEY}\n")
	_, findings, err := do(step.Apply, run)
	if err == nil || !finding.Has(findings, "server-unreachable") || !strings.Contains(findings[0].Message.Rendered(), "must be different from SECRET_KEY") {
		t.Errorf("error %v, findings %+v", err, findings)
	}
	if said, err := json.Marshal(findings); err != nil || strings.Contains(string(said), p.Key) {
		t.Error("the key is in a finding")
	}
}

// The server that keysplit started ends with keysplit, also when keysplit is
// killed: then the pipe on its standard input ends.
func TestOwnServerEndsWithItsPipe(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	addr := djangotest.FreeAddr(t)
	cmd := exec.Command(p.Python, "-u", "-c", guarded, p.Root+"/manage.py", "runserver", addr, "--noreload")
	cmd.Dir = p.Root
	cmd.Env = djangotest.CleanEnviron()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	pipe, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	if _, err := pipe.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	ok, _ := (&Step{}).Until(context.Background(), 30*time.Second, func() (bool, error) {
		return answers(context.Background(), "http://"+addr, time.Second) == nil, nil
	})
	if !ok {
		t.Fatal("it does not answer")
	}
	_ = pipe.Close()
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("it outlives its pipe")
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}
