//go:build unix

package restart

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// Of several units each is proved before the next is restarted: the first that does not
// have the key, by its environment or by what its server takes, is the last that is
// touched.
func TestTheFirstUnitThatFailsItsProofIsTheLastThatIsRestarted(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	for name, c := range map[string]struct {
		pid      int    // of the server that is found
		env      string // of the units' file as it is after the plan
		refuses  bool   // the server refuses the key
		asked    int
		proofBad bool
	}{
		"the key is taken":            {pid: 200, asked: 2},
		"the key is refused":          {pid: 200, refuses: true, asked: 1, proofBad: true},
		"another key in its file":     {pid: 200, env: "JWT_SECRET_KEY=" + stepstest.Key() + "\n", proofBad: true},
		"a server of something else":  {pid: 300, refuses: true},
		"the address of it is hidden": {pid: 0, refuses: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, "systemd:web,api")
			program := stepstest.NewTool(t, "systemctl", strings.ReplaceAll(systemctlUp, `"$DIR/pid"`, `"$DIR/pid-$(eval echo \${$#})"`))
			stepstest.NewTool(t, "sudo", `shift; exec "$@"`)
			w.step.Find = func(context.Context, string) ([]steps.Server, error) {
				return []steps.Server{{PID: c.pid, URL: server.URL}}, nil
			}
			asked := 0
			w.step.Prove = func(_ context.Context, _ *steps.Run, address string, _ steps.Emit) error {
				if asked++; c.refuses {
					return steps.Fail(finding.New(finding.ServerStaleKey, "").At(address, 0))
				}
				return nil
			}
			if _, err := w.step.Plan(t.Context(), w.run); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(program.Dir, "unit.env"), []byte(c.env), 0o600); err != nil {
				t.Fatal(err)
			}
			err := w.step.Apply(t.Context(), w.run, func(steps.Event) {})
			if (err != nil) != c.proofBad || asked != c.asked {
				t.Errorf("asked %d times, error %v", asked, err)
			}
			if touched := strings.Contains(program.Argv(), "restart\n--no-block\napi\n"); touched == c.proofBad {
				t.Errorf("the second unit was restarted: %t", touched)
			}
		})
	}
}
