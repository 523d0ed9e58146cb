package faults

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// certificate makes one that signs itself, for a name, until a time; and the file
// that --ca-file takes.
func certificate(t *testing.T, name string, until time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// A server whose certificate is not trusted is told nothing, and it is said what is
// wrong with it; with --ca-file, and only when the rest is right, it passes.
func TestCertificates(t *testing.T) {
	t.Parallel()
	t.Attr("part", "certificates that are not trusted")
	p := djangotest.New(t, djangotest.Options{})
	account, password := p.CreateUser(t)
	backend, err := url.Parse(p.Start(t, djangotest.ServerOptions{}).URL)
	if err != nil {
		t.Fatal(err)
	}
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-24*time.Hour)
	for name, c := range stepstest.Part(2, map[string]struct {
		of    string
		until time.Time
		ca    bool
		code  int
		says  string
	}{
		"it signs itself":                 {of: "127.0.0.1", until: tomorrow, code: 1, says: "tls-untrusted"},
		"it signs itself, with --ca-file": {of: "127.0.0.1", until: tomorrow, ca: true},
		"another name, with --ca-file":    {of: "other.example", until: tomorrow, ca: true, code: 1, says: "tls-untrusted"},
		"it has expired, with --ca-file":  {of: "127.0.0.1", until: yesterday, ca: true, code: 1, says: "tls-untrusted"},
	}) {
		t.Run(name, func(t *testing.T) {
			cert, file := certificate(t, c.of, c.until)
			var requests atomic.Int32
			proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(backend)
				// Django takes the scheme from the connection, which is plain behind the proxy.
				r.Out.Header.Del("Origin")
			}}
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				proxy.ServeHTTP(w, r)
			}))
			server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
			server.Config.ErrorLog = nil
			server.StartTLS()
			defer server.Close()
			args := []string{"upgrade", "--yes", "--python", p.Python, "--restart", "none", "--url", server.URL, "--username", account, "--no-color"}
			if c.ca {
				args = append(args, "--ca-file", file)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			run := exec.CommandContext(ctx, keysplit.Path(t), args...)
			run.Dir = p.Root
			run.Env = djangotest.CleanEnviron("KEYSPLIT_STATE_DIR="+filepath.Join(t.TempDir(), "state"), "KEYSPLIT_PASSWORD="+password, "LANG=C.UTF-8")
			out, _ := run.CombinedOutput()
			if code := run.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.says) {
				t.Errorf("exit %d\n%s", code, out)
			}
			if n := requests.Load(); (n == 0) != (c.code != 0) {
				t.Errorf("it was told %d requests", n)
			}
			if strings.Contains(string(out), password) {
				t.Error("the password is shown")
			}
		})
	}
}

// A name that another machine answers to is refused over plain http, before anything
// is sent; here the resolver of the machine is asked as ever.
func TestANameThatLeadsElsewhere(t *testing.T) {
	t.Parallel()
	t.Attr("part", "addresses and names that lead elsewhere")
	p := djangotest.New(t, djangotest.Options{})
	for _, base := range []string{"http://192.0.2.7:8000", "http://0.0.0.0:8000", "http://[::ffff:192.0.2.7]:8000"} {
		began := time.Now()
		c := exec.Command(keysplit.Path(t), "upgrade", "--yes", "--python", p.Python, "--restart", "none", "--url", base, "--username", "someone", "--no-color")
		c.Dir = p.Root
		c.Env = djangotest.CleanEnviron("KEYSPLIT_STATE_DIR="+filepath.Join(t.TempDir(), "state"), "KEYSPLIT_PASSWORD=x-password-x", "LANG=C.UTF-8")
		out, _ := c.CombinedOutput()
		if code := c.ProcessState.ExitCode(); code != 1 || !strings.Contains(string(out), "insecure-url") || time.Since(began) > 25*time.Second {
			t.Errorf("%s: exit %d after %v\n%s", base, code, time.Since(began), out)
		}
	}
}
