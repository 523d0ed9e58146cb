//go:build unix

package restart

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
)

// A program that fails at one call and works at all others ends the restart there, unless
// it was asked only for what is worth knowing.
func TestEachCallOfAProgramCounts(t *testing.T) {
	t.Parallel()
	year, now := time.Now().Add(-365*24*time.Hour), time.Now()
	type stand struct {
		spec string
		tool func(t *testing.T) *stepstest.Tool
		free []string // calls whose failure ends nothing
	}
	all := map[string]stand{
		"systemd": {"systemd:gunicorn", func(t *testing.T) *stepstest.Tool {
			stepstest.NewTool(t, "sudo", `shift; exec "$@"`)
			return stepstest.NewTool(t, "systemctl", stepstest.FailsOnce+systemctlUp)
		}, nil},
		"kubernetes": {"kubernetes:backend", func(t *testing.T) *stepstest.Tool {
			return stepstest.NewTool(t, "kubectl", stepstest.FailsOnce+kubectlUp)
		},
			[]string{"auth can-i", "config"}},
		"compose": {"compose:web", func(t *testing.T) *stepstest.Tool {
			stepstest.NewTool(t, "docker-compose", "exit 9") // which is asked where docker has no plugin
			tool := stepstest.NewTool(t, "docker", stepstest.FailsOnce+dockerUp)
			if err := os.WriteFile(filepath.Join(tool.Dir, "env.json"), []byte("[]"), 0o600); err != nil {
				t.Fatal(err)
			}
			return tool
		}, []string{"compose --file"}},
	}
	for name, p := range platformTests {
		all[name] = stand{p.spec, func(t *testing.T) *stepstest.Tool {
			tool := platformTool(t, p.program, p.again, p.up, p.up, year, now)
			path := filepath.Join(tool.Dir, p.program)
			script, err := os.ReadFile(path)
			if err == nil {
				err = stepstest.WriteProgram(path, strings.Replace(string(script), "state=before;", stepstest.FailsOnce+"state=before;", 1))
			}
			if err != nil {
				t.Fatal(err)
			}
			return tool
		}, nil}
	}
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 1
			for n := 0; n <= calls; n++ {
				w := managedWorld(t, c.spec)
				tool := c.tool(t)
				if err := os.WriteFile(filepath.Join(tool.Dir, "fail"), []byte(strconv.Itoa(n)), 0o600); err != nil {
					t.Fatal(err)
				}
				said, _, err := restarted(t, w)
				if n == 0 {
					if calls, _ = strconv.Atoi(strings.TrimSpace(tool.File("n"))); calls == 0 {
						t.Fatal("it was not called")
					}
				}
				up := strings.Contains(said, "restarted ") || strings.Contains(said, "rolled out ") || strings.Contains(said, "recreated ")
				failed := strings.TrimSpace(tool.File("failed")) // nothing, where it was asked less often this time
				ends := failed != "" && (n == 1 || !slices.ContainsFunc(c.free, func(words string) bool { return strings.HasPrefix(failed, words) }))
				if up == ends || (err != nil) != ends {
					t.Errorf("call %d of %d fails (%s): %v\n%s", n, calls, failed, err, said)
				}
				if why := fmt.Sprint(err); ends && !strings.Contains(why, "exit code 9") && !strings.Contains(why, "tool-missing") && !strings.Contains(why, "restart-failed") {
					t.Errorf("call %d of %d fails (%s), and it says: %s", n, calls, failed, why)
				}
			}
		})
	}
}
