package stepstest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Cluster is a Kubernetes API server with its etcd, without nodes, for one test.
type Cluster struct {
	t       testing.TB
	dir     string
	address string
	tokens  map[string]string
	client  *http.Client
}

// NewCluster starts etcd and the API server from the folder that
// KEYSPLIT_KUBERNETES names, and skips the test where it names none. kubectl finds
// the cluster, as the user admin, with the namespace shop, which is there.
func NewCluster(t testing.TB) *Cluster {
	t.Helper()
	programs := os.Getenv("KEYSPLIT_KUBERNETES")
	if programs == "" {
		t.Skip("only where KEYSPLIT_KUBERNETES names the folder of its programs: bash .ci/real kubernetes")
	}
	c := &Cluster{t: t, dir: t.TempDir(), address: FreeAddress(t), tokens: map[string]string{"admin": Key(), "guest": Key()}}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signing := c.put("signing.pem", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	users := c.put("tokens.csv", fmt.Sprintf("%s,admin,1,system:masters\n%s,guest,2\n", c.tokens["admin"], c.tokens["guest"]))

	clients, peers := "http://"+FreeAddress(t), "http://"+FreeAddress(t)
	c.start("etcd", "--data-dir", filepath.Join(c.dir, "etcd"), "--listen-client-urls", clients, "--advertise-client-urls", clients,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default="+peers)
	host, port, _ := net.SplitHostPort(c.address)
	c.start(filepath.Join(programs, "kube-apiserver"), "--etcd-servers", clients, "--bind-address", host, "--secure-port", port, "--advertise-address", "127.0.0.1",
		"--cert-dir", c.dir, "--token-auth-file", users, "--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.0.0.0/24",
		"--service-account-issuer", "https://localhost", "--service-account-signing-key-file", signing, "--service-account-key-file", signing,
		"--disable-admission-plugins", "ServiceAccount")
	t.Setenv("HOME", c.dir)
	t.Setenv("KUBECONFIG", filepath.Join(c.dir, "config"))
	c.As("admin")
	for end := time.Now().Add(90 * time.Second); exec.Command("kubectl", "get", "--raw", "/readyz").Run() != nil; time.Sleep(300 * time.Millisecond) {
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(c.dir, "kube-apiserver.log"))
			t.Fatalf("the API server does not start: %s", log[max(0, len(log)-3000):])
		}
	}
	authority, err := os.ReadFile(filepath.Join(c.dir, "apiserver.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	c.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	c.Kubectl("", "create", "namespace", "shop")
	return c
}

func (c *Cluster) put(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// start runs a program until the test ends.
func (c *Cluster) start(name string, args ...string) {
	c.t.Helper()
	log, err := os.Create(filepath.Join(c.dir, filepath.Base(name)+".log"))
	if err != nil {
		c.t.Fatal(err)
	}
	program := exec.Command(name, args...)
	program.Dir, program.Stdout, program.Stderr = c.dir, log, log
	if err := program.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = program.Process.Kill(); _ = program.Wait(); log.Close() })
}

// As logs kubectl in as a user: admin, or guest, who has no right.
func (c *Cluster) As(user string) {
	c.t.Helper()
	c.put("config", c.config(user))
}

func (c *Cluster) config(user string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: real
clusters: [{name: c, cluster: {server: "https://%s", certificate-authority: %s}}]
users: [{name: u, user: {token: %q}}]
contexts: [{name: real, context: {cluster: c, user: u, namespace: shop}}]
`, c.address, filepath.Join(c.dir, "apiserver.crt"), c.tokens[user])
}

// Kubectl runs kubectl, which must end well, and gives what it printed.
func (c *Cluster) Kubectl(stdin string, args ...string) string {
	c.t.Helper()
	k := exec.Command("kubectl", args...)
	k.Stdin = strings.NewReader(stdin)
	out, err := k.CombinedOutput()
	if err != nil {
		c.t.Fatalf("kubectl %v: %v: %s", args, err, out)
	}
	return string(out)
}
