package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// aimed is where a call goes to on the network, as strace shows it. An address family
// that leads nowhere else (AF_UNIX, AF_NETLINK) has no such part.
var aimed = regexp.MustCompile(`sin6?_port=htons\(\d+\).*?inet_(?:addr|pton)\((?:AF_INET6, )?"([^"]+)"`)

// reached are the addresses that a command and its children aimed at.
func reached(t *testing.T, dir string, program string, args ...string) []string {
	t.Helper()
	log := filepath.Join(t.TempDir(), "calls")
	c := exec.Command("strace", append([]string{"-f", "--seccomp-bpf", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-e", "signal=none", "-o", log, program}, args...)...)
	c.Dir = dir
	c.Env = append(os.Environ(), "KEYSPLIT_STATE_DIR="+filepath.Join(t.TempDir(), "state"), "NO_COLOR=1",
		"HTTP_PROXY=http://192.0.2.1:1", "HTTPS_PROXY=http://192.0.2.1:1")
	if out, err := c.CombinedOutput(); c.ProcessState == nil || c.ProcessState.ExitCode() == 2 {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var to []string
	for _, m := range aimed.FindAllStringSubmatch(string(data), -1) {
		to = append(to, m[1])
	}
	return to
}

// keysplit asks nobody on the network but what the user names: no command looks for a
// newer version, counts its users, or resolves a name.
func TestNothingIsAskedOnTheNetwork(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed")
	}
	root := staticProject(t, "SECRET_KEY=x\n")
	for _, args := range [][]string{
		{"version"}, {"version", "--json"}, {"--help"}, {"explain"}, {"explain", "jwt-key-missing"}, {"completion", "bash"}, {"__complete", "upgrade", "--target", ""},
		{"check", "--static"}, {"check", "--committed", "--format", "sarif"}, {"report"}, {"bug-report", "--static"}, {"rollback", "--yes"}, {"upgrade", "--dry-run", "--skip", "restart,smoke-test"},
	} {
		if to := reached(t, root, binary.Path(t), args...); len(to) > 0 {
			t.Errorf("keysplit %s reached %v", strings.Join(args, " "), to)
		}
	}
	// The demo has a server on this machine: that its connections are seen is the
	// control, and that they lead nowhere else the test.
	to := reached(t, t.TempDir(), binary.Path(t), "demo", "--yes")
	if len(to) == 0 {
		t.Error("the connections of the demo were not seen")
	}
	for _, at := range to {
		if at != "127.0.0.1" && at != "::1" {
			t.Errorf("the demo reached %s", at)
		}
	}
}
