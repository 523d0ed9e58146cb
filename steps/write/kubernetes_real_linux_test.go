package write

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
)

// realCluster starts etcd and the API server that KEYSPLIT_KUBE_APISERVER names,
// and gives kubectl as an administrator. There are two users: admin, and guest
// without any right.
func realCluster(t *testing.T) (kubectl func(stdin string, args ...string) string, as func(user string)) {
	t.Helper()
	program := os.Getenv("KEYSPLIT_KUBE_APISERVER")
	if program == "" {
		t.Skip("only where KEYSPLIT_KUBE_APISERVER names one: bash .ci/real kubernetes")
	}
	dir := t.TempDir()
	address := func() (host, port string) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		host, port, _ = net.SplitHostPort(l.Addr().String())
		return host, port
	}
	start := func(name string, args ...string) {
		c := exec.Command(name, args...)
		c.Dir = dir
		log, err := os.Create(filepath.Join(dir, filepath.Base(name)+".log"))
		if err != nil {
			t.Fatal(err)
		}
		c.Stdout, c.Stderr = log, log
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait(); log.Close() })
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	signing := put("signing.pem", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	tokens := map[string]string{"admin": stepstest.Key(), "guest": stepstest.Key()}
	users := put("tokens.csv", fmt.Sprintf("%s,admin,1,system:masters\n%s,guest,2\n", tokens["admin"], tokens["guest"]))

	_, clients := address()
	_, peers := address()
	start("etcd", "--data-dir", filepath.Join(dir, "etcd"), "--listen-client-urls", "http://127.0.0.1:"+clients,
		"--advertise-client-urls", "http://127.0.0.1:"+clients, "--listen-peer-urls", "http://127.0.0.1:"+peers,
		"--initial-advertise-peer-urls", "http://127.0.0.1:"+peers, "--initial-cluster", "default=http://127.0.0.1:"+peers)
	host, port := address()
	start(program, "--etcd-servers", "http://127.0.0.1:"+clients, "--bind-address", host, "--secure-port", port, "--advertise-address", "127.0.0.1",
		"--cert-dir", dir, "--token-auth-file", users, "--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.0.0.0/24",
		"--service-account-issuer", "https://localhost", "--service-account-signing-key-file", signing, "--service-account-key-file", signing,
		"--disable-admission-plugins", "ServiceAccount")
	t.Setenv("HOME", dir)
	t.Setenv("KUBECONFIG", filepath.Join(dir, "config"))
	as = func(user string) {
		put("config", fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: real
clusters: [{name: c, cluster: {server: "https://%s:%s", certificate-authority: %s}}]
users: [{name: u, user: {token: %q}}]
contexts: [{name: real, context: {cluster: c, user: u, namespace: shop}}]
`, host, port, filepath.Join(dir, "apiserver.crt"), tokens[user]))
	}
	as("admin")
	kubectl = func(stdin string, args ...string) string {
		t.Helper()
		c := exec.Command("kubectl", args...)
		c.Stdin = strings.NewReader(stdin)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	for end := time.Now().Add(90 * time.Second); exec.Command("kubectl", "get", "--raw", "/readyz").Run() != nil; time.Sleep(300 * time.Millisecond) {
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(dir, filepath.Base(program)+".log"))
			t.Fatalf("the API server does not start: %s", log[max(0, len(log)-3000):])
		}
	}
	kubectl("", "create", "namespace", "shop")
	return kubectl, as
}

func TestTheRealKubernetes(t *testing.T) {
	kubectl, as := realCluster(t)
	value := func(key string) string {
		b, err := base64.StdEncoding.DecodeString(kubectl("", "get", "secret", "backend", "-o", `jsonpath={.data.`+key+`}`))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	other := stepstest.Key()
	kubectl(fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"backend","namespace":"shop"},"stringData":{"secret-key":%q,"other":"a\nb"}}`, other), "create", "-f", "-")

	// A new key, then another in its place, each taken back.
	var keys []string
	for range 2 {
		before := value("jwt-secret-key")
		run, target := oneTarget(t, "kubernetes:backend")
		run.Options.Timeout = 30 * time.Second
		said, err := bring(run, target)
		if err != nil {
			t.Fatal(err)
		}
		key := run.Key.Reveal()
		if value("jwt-secret-key") != key || value("secret-key") != other || value("other") != "a\nb" {
			t.Error("the key is not there to the byte, or another one changed")
		}
		undone, err := undo(run)
		if err != nil {
			t.Fatal(err)
		}
		if value("jwt-secret-key") != before {
			t.Error("the undo did not bring it back as it was")
		}
		noLeak(t, run, key, map[string]string{"what was said": said, "the undo": undone})
		run, target = oneTarget(t, "kubernetes:backend")
		if _, err := bring(run, target); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, run.Key.Reveal())
	}
	if value("jwt-secret-key") != keys[1] {
		t.Error("the second key is not the one in force")
	}

	// Somebody writes after the plan.
	run, target := oneTarget(t, "kubernetes:backend")
	if _, err := target.Plan(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	kubectl("", "patch", "secret", "backend", "--type=merge", "-p", `{"stringData":{"other":"changed"}}`)
	var events stepstest.Events
	wantCode(t, target.Apply(t.Context(), run, events.Emit), "place-conflict")
	if value("other") != "changed" || value("jwt-secret-key") != keys[1] {
		t.Error("somebody's change was lost")
	}

	as("guest")
	run, target = oneTarget(t, "kubernetes:backend")
	_, err := bring(run, target)
	wantCode(t, err, "access-denied")
	as("admin")

	run, target = oneTarget(t, "kubernetes:nothing")
	_, err = bring(run, target)
	wantCode(t, err, "place-not-found")

	kubectl("", "patch", "secret", "backend", "--type=merge", "-p", `{"immutable":true}`)
	run, target = oneTarget(t, "kubernetes:backend")
	_, err = bring(run, target)
	wantCode(t, err, "place-immutable")
	if value("jwt-secret-key") != keys[1] {
		t.Error("an immutable Secret was changed")
	}
}
