package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest/djangotest"
	"dj/keysplit/steps/sys/child"
)

// realPlace is a backend that gets its keys from a real manager of services or secrets.
type realPlace struct {
	p        *djangotest.Project
	url      string
	flags    []string // --env, --target, --restart and the like
	also     []string // further flags of the rotation
	env      []string // of keysplit, beside that of the test
	user     string
	password string
	state    string
	values   func() (key, second, until string) // as the place has them
	asNobody bool                               // the backend's user
}

// newRealPlace is a project that loads the module of a grace period, with an account.
func newRealPlace(t *testing.T) *realPlace {
	t.Helper()
	p := djangotest.New(t, djangotest.Options{})
	r := &realPlace{p: p, url: "http://" + djangotest.FreeAddr(t), state: filepath.Join(t.TempDir(), "state")}
	r.user, r.password = p.CreateUser(t)
	prepared := (invocation{args: []string{"grace", "--prepare"}, dir: p.Root}).run(t, r.state)
	lines := ""
	for line := range strings.Lines(prepared.out) {
		if strings.HasPrefix(line, "    ") {
			lines += strings.TrimSpace(line) + "\n"
		}
	}
	if prepared.code != 0 || lines == "" {
		t.Fatalf("prepare: exit %d\n%s%s", prepared.code, prepared.out, prepared.errOut)
	}
	r.write(t, p.Settings, read(t, p.Settings)+"\n"+lines)
	r.env = []string{"KEYSPLIT_PASSWORD=" + r.password}
	return r
}

func (r *realPlace) write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serves is the command of a server that reads its environment once.
func (r *realPlace) serves() []string {
	return []string{r.p.Python, "manage.py", "runserver", "--noreload", strings.TrimPrefix(r.url, "http://")}
}

// ofFile are the values of a file of variables.
func ofFile(t *testing.T, path string) func() (key, second, until string) {
	return func() (key, second, until string) {
		for line := range strings.Lines(read(t, path)) {
			switch name, value, _ := strings.Cut(strings.TrimSpace(line), "="); name {
			case "JWT_SECRET_KEY":
				key = value
			case "JWT_PREVIOUS_SECRET_KEY":
				second = value
			case "JWT_PREVIOUS_SECRET_KEY_UNTIL":
				until = value
			}
		}
		return key, second, until
	}
}

// keysplit runs the program, with all the time that a busy machine needs.
func (r *realPlace) keysplit(t *testing.T, args ...string) ran {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	i := invocation{args: append(append(args, "--yes", "--json", "--python", r.p.Python, "--url", r.url), r.flags...), dir: r.p.Root, env: r.env}
	c := i.command(ctx, t, r.state)
	var out, errOut bytes.Buffer
	c.Stdout, c.Stderr = &out, &errOut
	_ = c.Run()
	return ran{c.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// asks sends a request and returns the status and the access token of the answer.
func (r *realPlace) asks(t *testing.T, method, path, token, body string) (status int, access string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := (&http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var got struct{ Access string }
	_ = json.NewDecoder(res.Body).Decode(&got)
	return res.StatusCode, got.Access
}

func (r *realPlace) login(t *testing.T) string {
	t.Helper()
	status, access := r.asks(t, http.MethodPost, "/api/v1/auth/login/", "", fmt.Sprintf(`{"username":%q,"password":%q}`, r.user, r.password))
	if status != http.StatusOK || access == "" {
		t.Fatalf("the login answers %d", status)
	}
	return access
}

func (r *realPlace) takes(t *testing.T, token string) bool {
	t.Helper()
	status, _ := r.asks(t, http.MethodGet, "/api/v1/auth/user/", token, "")
	return status == http.StatusOK
}

// TestTheRealRotation takes one real thing through a rotation with a grace period, to its
// deadline and its end. Who had logged in before it stays so until the deadline.
func TestTheRealRotation(t *testing.T) {
	of, known := map[string]func(*testing.T) *realPlace{"docker": ofDocker, "systemd": ofSystemd, "kubernetes": ofKubernetes, "vault": ofVault}[os.Getenv("KEYSPLIT_REAL_ROTATION")]
	if !known {
		t.Skip("only where KEYSPLIT_REAL_ROTATION names the place: bash .ci/real")
	}
	r := of(t)
	answers(t, r.url)
	old, _, _ := r.values()
	before := r.login(t)
	plan := r.keysplit(t, append([]string{"upgrade", "--rotate", "--grace", "1m", "--username", r.user}, r.also...)...)
	key, second, until := r.values()
	if plan.code != 0 || key == old || second != old {
		t.Fatalf("exit %d, the key is new: %t, the old one is accepted: %t\n%s%s", plan.code, key != old, second == old, plan.out, plan.errOut)
	}
	if runsAs := "runs as nobody"; r.asNobody != strings.Contains(plan.out, runsAs) {
		t.Errorf("%s: %t\n%s", runsAs, !r.asNobody, plan.out)
	}
	if leaks(plan.out+plan.errOut, old) || leaks(plan.out+plan.errOut, key) {
		t.Error("a part of a key was shown")
	}
	end, err := time.Parse("20060102T150405Z", until)
	if err != nil {
		t.Fatal(err)
	}
	after := r.login(t)
	if left := time.Until(end); left < time.Second {
		t.Fatalf("this machine is too busy: the deadline was %v ago", -left)
	}
	if !r.takes(t, before) || !r.takes(t, after) {
		t.Error("somebody was logged out before the deadline")
	}
	time.Sleep(time.Until(end) + 2*time.Second)
	if r.takes(t, before) || !r.takes(t, after) {
		t.Error("after the deadline the previous key is still accepted, or the new one is not")
	}
	done := r.keysplit(t, append([]string{"grace", "--end"}, r.also...)...)
	if now, second, until := r.values(); done.code != 0 || now != key || second != "" || until != "" || !r.takes(t, after) {
		t.Errorf("the end: exit %d, the key stays: %t, a second one is left: %t\n%s%s", done.code, now == key, second+until != "", done.out, done.errOut)
	}
}

// ofDocker is a service of compose whose container has the programs and the project of
// this machine, and its environment from a file.
func ofDocker(t *testing.T) *realPlace {
	r := newRealPlace(t)
	file := filepath.Join(r.p.Root, "app.env")
	r.write(t, file, "SECRET_KEY="+djangotest.NewKey()+"\nJWT_SECRET_KEY="+djangotest.NewKey()+"\n")
	home, _ := os.UserHomeDir()
	volumes := ""
	for _, dir := range []string{"/usr", "/lib", "/lib64", "/etc", home, filepath.Dir(filepath.Dir(r.p.Dir))} {
		volumes += "      - " + dir + ":" + dir + "\n"
	}
	command, _ := json.Marshal(r.serves())
	r.write(t, filepath.Join(r.p.Root, "docker-compose.yml"), "version: '3'\nservices:\n  web:\n    image: keysplit-rotation\n    network_mode: host\n    env_file: app.env\n    environment:\n      PYTHONDONTWRITEBYTECODE: '1'\n"+
		"    working_dir: "+r.p.Root+"\n    command: "+string(command)+"\n    volumes:\n"+volumes)
	compose := []string{"docker", "compose"}
	if exec.Command("docker", "compose", "version").Run() != nil {
		compose = []string{"docker-compose"}
	}
	t.Logf("with %s", strings.Join(compose, " "))
	run := func(words ...string) {
		c := exec.Command(words[0], words[1:]...)
		c.Dir = r.p.Root
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", words, err, out)
		}
	}
	run("sh", "-c", "tar -c --files-from /dev/null | docker import - keysplit-rotation")
	run(append(compose, "up", "-d", "web")...)
	t.Cleanup(func() {
		run(append(compose, "down", "-t", "1")...)
		run("docker", "image", "rm", "-f", "keysplit-rotation")
	})
	r.flags = []string{"--env", "staging", "--target", "compose:docker-compose.yml#web", "--restart", "compose:web"}
	r.values = ofFile(t, file)
	return r
}

// ofSystemd are two units of the backend, and one of a worker, with one EnvironmentFile,
// which only root can read: the units run as nobody.
func ofSystemd(t *testing.T) *realPlace {
	r := newRealPlace(t)
	nobody, err := child.FindAccount("nobody")
	if err != nil {
		t.Fatal(err)
	}
	r.p.GiveTo(t, nobody.UID)
	r.asNobody = true
	file := filepath.Join(r.p.Root, "app.env")
	r.write(t, file, "SECRET_KEY="+djangotest.NewKey()+"\nJWT_SECRET_KEY="+djangotest.NewKey()+"\n")
	other := append(r.serves()[:4:4], djangotest.FreeAddr(t))
	for name, command := range map[string][]string{"keysplit-web": r.serves(), "keysplit-api": other, "keysplit-worker": {"/bin/sleep", "3600"}} {
		r.write(t, "/etc/systemd/system/"+name+".service", "[Service]\nUser=nobody\nEnvironmentFile="+file+"\nEnvironment=PYTHONDONTWRITEBYTECODE=1\nWorkingDirectory="+r.p.Root+"\nExecStart="+strings.Join(command, " ")+"\n")
		if out, err := exec.Command("systemctl", "start", name).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
		t.Cleanup(func() { _ = exec.Command("systemctl", "stop", name).Run() })
	}
	answers(t, "http://"+other[4])
	r.flags = []string{"--env", "staging", "--target", "dotenv:app.env", "--restart", "systemd:keysplit-web,keysplit-api"}
	r.also = []string{"--also", "systemd:keysplit-worker"}
	r.values = ofFile(t, file)
	t.Cleanup(func() {
		if roots := r.p.Of(t, 0); len(roots) != 1 || roots[0] != file {
			t.Errorf("files of root's are in the way of the unit's user: %q", roots)
		}
	})
	return r
}
