package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// server is a process of the backend that is started again and again.
type server struct {
	t       *testing.T
	r       *realPlace
	current *exec.Cmd
}

// start starts it with further variables, in place of the one that runs.
func (s *server) start(env ...string) {
	s.stop()
	words := s.r.serves()
	c := exec.Command(words[0], words[1:]...)
	c.Dir, c.Env = s.r.p.Root, djangotest.CleanEnviron(env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		s.t.Error(err)
		return
	}
	s.current = c
}

func (s *server) stop() {
	if s.current != nil {
		_ = syscall.Kill(-s.current.Process.Pid, syscall.SIGKILL)
		_ = s.current.Wait()
		s.current = nil
	}
}

// ofKubernetes is a deployment of one pod. The node that runs it is a stand-in, which gives
// its server the values of the Secret as they are when the pod starts.
func ofKubernetes(t *testing.T) *realPlace {
	r := newRealPlace(t) // before the cluster has another home
	cluster := stepstest.NewCluster(t)
	secretKey := djangotest.NewKey()
	cluster.Kubectl(fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"backend","namespace":"shop"},"stringData":{"secret-key":%q,"jwt-secret-key":%q}}`, secretKey, djangotest.NewKey()), "create", "-f", "-")
	entries := func() map[string]string {
		var data map[string][]byte
		out := cluster.Kubectl("", "get", "secret", "backend", "-o", "jsonpath={.data}")
		if err := json.Unmarshal([]byte(out), &data); err != nil {
			t.Error(err)
		}
		all := map[string]string{}
		for name, value := range data {
			all[name] = string(value)
		}
		return all
	}
	web := &server{t: t, r: r}
	t.Cleanup(web.stop)
	started := ""
	cluster.RunPods(func(p stepstest.Pod) map[string]any {
		switch {
		case p.Metadata.DeletionTimestamp != "" && p.Metadata.UID == started:
			web.stop()
		case p.Metadata.DeletionTimestamp == "" && p.Metadata.UID != started:
			started = p.Metadata.UID
			e := entries()
			web.start("SECRET_KEY="+e["secret-key"], "JWT_SECRET_KEY="+e["jwt-secret-key"], "JWT_PREVIOUS_SECRET_KEY="+e["jwt-previous-secret-key"], "JWT_PREVIOUS_SECRET_KEY_UNTIL="+e["jwt-previous-secret-key-until"])
			answers(t, r.url)
		}
		return nil
	})
	variable := func(name, key string) string {
		return fmt.Sprintf(`{"name":%q,"valueFrom":{"secretKeyRef":{"name":"backend","key":%q,"optional":true}}}`, name, key)
	}
	env := strings.Join([]string{variable("SECRET_KEY", "secret-key"), variable("JWT_SECRET_KEY", "jwt-secret-key"), variable("JWT_PREVIOUS_SECRET_KEY", "jwt-previous-secret-key"), variable("JWT_PREVIOUS_SECRET_KEY_UNTIL", "jwt-previous-secret-key-until")}, ",")
	cluster.Kubectl(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":1,"strategy":{"type":"Recreate"},"selector":{"matchLabels":{"app":"web"}},
"template":{"metadata":{"labels":{"app":"web"}},"spec":{"automountServiceAccountToken":false,"containers":[{"name":"main","image":"none","env":[`+env+`]}]}}}}`, "create", "-f", "-")
	r.flags = []string{"--env", "staging", "--target", "kubernetes:backend", "--restart", "kubernetes:web"}
	r.values = func() (key, second, until string) {
		e := entries()
		return e["jwt-secret-key"], e["jwt-previous-secret-key"], e["jwt-previous-secret-key-until"]
	}
	return r
}

// ofVault is a server that is started with what a Vault has then.
func ofVault(t *testing.T) *realPlace {
	r := newRealPlace(t)
	program := os.Getenv("KEYSPLIT_VAULT")
	address, root := stepstest.FreeAddress(t), djangotest.NewKey()
	dir := t.TempDir()
	if err := os.Symlink(program, filepath.Join(dir, "vault")); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"PATH": dir + ":" + os.Getenv("PATH"), "HOME": dir, "VAULT_ADDR": "http://" + address, "VAULT_TOKEN": root} {
		t.Setenv(name, value)
	}
	vault := exec.Command(program, "server", "-dev", "-dev-no-store-token", "-dev-listen-address="+address)
	vault.Env = append(os.Environ(), "VAULT_DEV_ROOT_TOKEN_ID="+root)
	if err := vault.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = vault.Process.Kill(); _ = vault.Wait() })
	for end := time.Now().Add(time.Minute); exec.Command("vault", "status").Run() != nil; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the server does not start")
		}
	}
	put := exec.Command("vault", "kv", "put", "-mount=secret", "app/jwt", "-")
	put.Stdin = strings.NewReader(fmt.Sprintf(`{"secret_key":%q,"jwt_secret_key":%q}`, djangotest.NewKey(), djangotest.NewKey()))
	if out, err := put.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// Each start takes the fields of then, as an agent would.
	pid := filepath.Join(dir, "pid")
	script := filepath.Join(dir, "restart")
	r.write(t, script, `[ ! -e `+pid+` ] || kill -9 $(cat `+pid+`)
field() { vault kv get -mount=secret -field=$1 app/jwt 2>/dev/null; }
export SECRET_KEY="$(field secret_key)" JWT_SECRET_KEY="$(field jwt_secret_key)" JWT_PREVIOUS_SECRET_KEY="$(field jwt_previous_secret_key)" JWT_PREVIOUS_SECRET_KEY_UNTIL="$(field jwt_previous_secret_key_until)"
cd `+r.p.Root+` && PYTHONDONTWRITEBYTECODE=1 setsid `+strings.Join(r.serves(), " ")+` >/dev/null 2>&1 </dev/null &
echo $! >`+pid+`
`)
	t.Cleanup(func() { _ = exec.Command("sh", "-c", "kill -9 $(cat "+pid+")").Run() })
	if out, err := exec.Command("sh", script).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r.flags = []string{"--env", "staging", "--target", "vault:secret/app/jwt#jwt_secret_key", "--restart", "command:sh " + script}
	r.values = func() (key, second, until string) {
		var answer struct {
			Data struct{ Data map[string]string }
		}
		out, err := exec.Command("vault", "kv", "get", "-format=json", "-mount=secret", "app/jwt").Output()
		if err == nil {
			err = json.Unmarshal(out, &answer)
		}
		if err != nil {
			t.Fatal(err)
		}
		fields := answer.Data.Data
		return fields["jwt_secret_key"], fields["jwt_previous_secret_key"], fields["jwt_previous_secret_key_until"]
	}
	return r
}
