//go:build unix

package restart

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/vendor"
)

const systemctlUp = `case "$1" in
show) p=$(cat "$DIR/pid" 2>/dev/null || echo 100); printf 'LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=%s\nNRestarts=0\nResult=success\nEnvironment=A=b\nEnvironmentFiles=%s (ignore_errors=no)\n' "$p" "$DIR/unit.env" ;;
restart) echo 200 >"$DIR/pid" ;;
esac`

func TestSystemdRestartsEachUnitAndWatchesIt(t *testing.T) {
	t.Parallel()
	w := managedWorld(t, "systemd:gunicorn,celery")
	program := stepstest.NewTool(t, "systemctl", strings.ReplaceAll(systemctlUp, `"$DIR/pid"`, `"$DIR/pid-$(eval echo \${$#})"`))
	stepstest.NewTool(t, "sudo", `shift; exec "$@"`)
	said, _, err := restarted(t, w)
	if err != nil || !w.run.Restarted {
		t.Fatalf("error %v\n%s", err, said)
	}
	if !strings.Contains(said, "restarted gunicorn") || !strings.Contains(said, "restarted celery") || !strings.Contains(said, "unit.env") {
		t.Errorf("said %s", said)
	}
	calls := program.Argv()
	if strings.Index(calls, "restart\n--no-block\ngunicorn") > strings.Index(calls, "restart\n--no-block\ncelery") || strings.Contains(program.Environ(), passwordVariable+"=") {
		t.Error("the order is wrong, or the program inherited the key")
	}
}

func TestSystemdUnitsThatDoNotComeUp(t *testing.T) {
	t.Parallel()
	up := func(show string) string {
		return `case "$1" in show) printf 'LoadState=loaded\nEnvironment=\n` + show + `\n' ;; esac`
	}
	for name, c := range map[string]struct {
		systemctl, spec string
		code            finding.Code
		says            string
	}{
		"fails":       {`case "$1" in show) [ -e "$DIR/r" ] && s=failed || s=active; printf "LoadState=loaded\nActiveState=$s\nMainPID=7\nResult=exit-code\n" ;; restart) touch "$DIR/r" ;; esac`, "systemd:web", "restart-failed", "ModuleNotFoundError"},
		"crash loop":  {`case "$1" in show) n=$(cat "$DIR/n" 2>/dev/null || echo 0); echo $((n+1)) >"$DIR/n"; printf "LoadState=loaded\nActiveState=active\nMainPID=$n\nNRestarts=$n\nResult=success\n" ;; esac`, "systemd:web", "restart-failed", "did not stay up"},
		"same pid":    {up(`ActiveState=active\nMainPID=7\nNRestarts=0\nResult=success`), "systemd:web", "restart-failed", ""},
		"limit":       {`case "$1" in show) [ -e "$DIR/r" ] && s='failed\nResult=start-limit-hit' || s='active\nResult=success'; printf "LoadState=loaded\nMainPID=7\nActiveState=$s\n" ;; restart) touch "$DIR/r" ;; esac`, "systemd:web", "restart-failed", "reset-failed"},
		"not there":   {`printf 'LoadState=not-found\n'`, "systemd:web", "place-not-found", "list-units"},
		"environment": {up(`ActiveState=active\nMainPID=7\nEnvironment=X=1 JWT_SECRET_KEY=another`), "systemd:web", "jwt-key-shadowed", "systemctl edit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := managedWorld(t, c.spec)
			w.step.StartsWithin = 2 * time.Second
			stepstest.NewTool(t, "systemctl", c.systemctl)
			stepstest.NewTool(t, "sudo", `shift; exec "$@"`)
			stepstest.NewTool(t, "journalctl", "echo ModuleNotFoundError")
			said, found, err := restarted(t, w)
			if err == nil || !finding.Has(found, c.code) {
				t.Fatalf("error %v, findings %v", err, found)
			}
			if !strings.Contains(said+found[0].Message.Rendered()+found[0].Fix.Rendered(), c.says) {
				t.Errorf("nothing says %q: %s %+v", c.says, said, found)
			}
			if w.run.Restarted {
				t.Error("it counts as restarted")
			}
		})
	}
}

func TestSystemdEnvironmentFileWithAnotherKey(t *testing.T) {
	t.Parallel()
	for same, want := range map[bool]bool{true: false, false: true} {
		w := managedWorld(t, "systemd:web")
		program := stepstest.NewTool(t, "systemctl", systemctlUp)
		key := newKey()
		if same {
			key = w.run.Key.Reveal()
		}
		if err := os.WriteFile(filepath.Join(program.Dir, "unit.env"), []byte("JWT_SECRET_KEY="+key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := w.step.Plan(t.Context(), w.run)
		var failure *steps.Failure
		if refused := errors.As(err, &failure) && finding.Has(failure.Findings, "jwt-key-shadowed"); refused != want {
			t.Errorf("the same key: %t, error %v", same, err)
		} else if refused && !strings.Contains(failure.Findings[0].Fix.Rendered(), "--target dotenv:"+program.Dir) {
			t.Errorf("fix %q", failure.Findings[0].Fix.Rendered())
		}
	}
}

func TestSystemdWithoutThePasswordOfSudo(t *testing.T) {
	t.Parallel()
	w := managedWorld(t, "systemd:web")
	program := stepstest.NewTool(t, "systemctl", systemctlUp)
	units := vendor.Units{Names: []string{"web"}, Root: func() bool { return false }}
	stepstest.NewTool(t, "sudo", "echo 'sudo: a password is required' >&2; exit 1")
	w.run.Options.Unattended = true
	var events stepstest.Events
	err := units.Restart(t.Context(), w.run, w.step.Pace, events.Emit)
	var failure *steps.Failure
	if !errors.As(err, &failure) || !finding.Has(failure.Findings, "access-denied") || !strings.Contains(failure.Findings[0].Fix.Rendered(), "sudo systemctl restart web") {
		t.Fatalf("unattended: %v", err)
	}
	// Somebody is there, reads what to do, and does it.
	w.run.Options.Unattended = false
	err = units.Restart(t.Context(), w.run, w.step.Pace, func(ev steps.Event) {
		if strings.Contains(ev.Text.Rendered(), "sudo systemctl restart web") {
			_ = os.WriteFile(filepath.Join(program.Dir, "pid"), []byte("300"), 0o600)
		}
	})
	if err != nil {
		t.Errorf("attended: %v", err)
	}
	// With a terminal sudo asks for the password itself.
	for _, fails := range []bool{false, true} {
		var ran []string
		w.run.HandOver = func(_ context.Context, path string, args []string) error {
			ran = append([]string{filepath.Base(path)}, args...)
			if fails {
				return errors.New("exit status 1")
			}
			return os.WriteFile(filepath.Join(program.Dir, "pid"), []byte("400"), 0o600)
		}
		err = units.Restart(t.Context(), w.run, w.step.Pace, func(steps.Event) {})
		if !slices.Equal(ran, []string{"sudo", "-p", "keysplit restarts web. Password of %p: ", "systemctl", "restart", "--no-block", "web"}) {
			t.Errorf("ran %q", ran)
		}
		if denied := errors.As(err, &failure) && finding.Has(failure.Findings, "access-denied"); denied != fails || !fails && err != nil {
			t.Errorf("fails %v: %v", fails, err)
		}
	}
}

// The EnvironmentFile must be the file that was written: a unit that gets SECRET_KEY
// from another one would start without the new key, or not at all.
func TestSystemdEnvironmentFileThatWasNotWritten(t *testing.T) {
	t.Parallel()
	type files map[string]string // names below the unit's folder; "" is a folder, which cannot be read
	for name, c := range map[string]struct {
		files  files
		units  []string // EnvironmentFiles, in order
		target string
		code   finding.Code
		says   string
	}{
		"the file that was written":  {files{"a": "SECRET_KEY=s\nJWT_SECRET_KEY=KEY\n"}, []string{"a"}, "a", "", ""},
		"another, with SECRET_KEY":   {files{"a": "SECRET_KEY=s\n", "b": "JWT_SECRET_KEY=KEY\n"}, []string{"a"}, "b", "env-file-wrong-place", "--target dotenv:"},
		"another, about other":       {files{"a": "PORT=1\n", "b": "JWT_SECRET_KEY=KEY\n"}, []string{"a"}, "b", "", "names no file that was written"},
		"none at all":                {files{"b": "JWT_SECRET_KEY=KEY\n"}, nil, "b", "", ""},
		"one that is not there":      {files{"b": "JWT_SECRET_KEY=KEY\n"}, []string{"gone", "b"}, "b", "", ""},
		"a later one cannot be read": {files{"a": "JWT_SECRET_KEY=another\n", "b": ""}, []string{"a", "b"}, "a", "", "only root can read"},
		"an earlier one cannot":      {files{"a": "", "b": "JWT_SECRET_KEY=another\n"}, []string{"a", "b"}, "a", "jwt-key-shadowed", ""},
		"the one that was written":   {files{"a": ""}, []string{"a"}, "a", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, "systemd:web")
			dir := t.TempDir()
			for name, text := range c.files {
				path := filepath.Join(dir, name)
				var err error
				if text == "" {
					err = os.Mkdir(path, 0o700)
				} else {
					err = os.WriteFile(path, []byte(strings.Replace(text, "KEY\n", w.run.Key.Reveal()+"\n", 1)), 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			text := ""
			for _, f := range c.units {
				text += `EnvironmentFiles=` + filepath.Join(dir, f) + ` (ignore_errors=yes)\n`
			}
			stepstest.NewTool(t, "systemctl", `printf 'LoadState=loaded\nActiveState=active\nMainPID=7\n`+text+`'`)
			w.run.Targets = []steps.Target{&stepstest.Place{Path: filepath.Join(dir, c.target)}}
			p, err := w.step.Plan(t.Context(), w.run)
			var failure *steps.Failure
			if errors.As(err, &failure) != (c.code != "") || c.code != "" && !finding.Has(failure.Findings, c.code) {
				t.Fatalf("error %v, want %q", err, c.code)
			}
			said := stepstest.Rendered(p.Effects, "\n")
			if failure != nil {
				said = failure.Findings[0].Fix.Rendered()
			}
			if !strings.Contains(said, c.says) || c.says == "" && err == nil && len(p.Effects) != 1 {
				t.Errorf("said %q", said)
			}
		})
	}
}

// Old workers may finish what they do first: that takes longer than one call of a
// program. A unit that ends over and over is not waited for.
func TestSystemdWaitsForTheOldProcess(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		show   string        // after the restart, at look $n
		within time.Duration // 0 for the usual time
		says   string        // of the failure
	}{
		"it ends at last": {`[ $n -lt 8 ] && echo Job=12 || printf 'Job=0\nActiveState=active\nMainPID=300\nNRestarts=0\nResult=success\n'`, 0, ""},
		"it does not end": {`printf 'Job=12\nActiveState=deactivating\nMainPID=100\n'`, time.Second, "was not restarted within 1s: systemd is still at it"},
		"a loop":          {`printf 'Job=0\nActiveState=activating\nSubState=auto-restart\nMainPID=0\nNRestarts=1\nResult=exit-code\n'`, 0, "did not stay up"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := managedWorld(t, "systemd:web")
			w.run.Options.Timeout, w.step.StartsWithin, w.step.Every = time.Second, c.within, 200*time.Millisecond
			stepstest.NewTool(t, "systemctl", `case "$1" in
show) echo LoadState=loaded
  if [ ! -e "$DIR/r" ]; then printf 'ActiveState=active\nMainPID=100\nNRestarts=0\nResult=success\n'
  else n=$(cat "$DIR/n" 2>/dev/null || echo 0); echo $((n+1)) >"$DIR/n"; `+c.show+`; fi ;;
restart) touch "$DIR/r" ;;
esac`)
			stepstest.NewTool(t, "journalctl", "exit 0")
			units := vendor.Units{Names: []string{"web"}, Root: func() bool { return true }}
			err := units.Restart(t.Context(), w.run, w.step.Pace, func(steps.Event) {})
			var failure *steps.Failure
			if (err != nil) != (c.says != "") || c.says != "" && (!errors.As(err, &failure) || !strings.Contains(failure.Findings[0].Message.Rendered(), c.says)) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A unit that had failed before is failed until systemd starts it.
func TestSystemdUnitThatHadFailedBefore(t *testing.T) {
	t.Parallel()
	const slow = `case "$1" in
show) n=$(cat "$DIR/n" 2>/dev/null || echo 0)
  if [ ! -e "$DIR/r" ]; then printf 'LoadState=loaded\nActiveState=failed\nSubState=failed\nMainPID=0\nResult=exit-code\nInvocationID=a\n'
  elif [ $n -lt 3 ]; then echo $((n+1)) >"$DIR/n"; printf 'LoadState=loaded\nActiveState=failed\nMainPID=0\nResult=exit-code\nJob=12\nInvocationID=a\n'
  else printf 'LoadState=loaded\nActiveState=@state\nSubState=running\nMainPID=@pid\nNRestarts=0\nResult=@result\nInvocationID=b\n'; fi ;;
restart) touch "$DIR/r" ;;
esac`
	for name, c := range map[string]struct {
		state, pid, result string
		byHand, fails      bool
	}{
		"it comes up":          {"active", "300", "success", false, false},
		"it fails again":       {"failed", "0", "exit-code", false, true},
		"by hand, it comes up": {"active", "300", "success", true, false},
		"by hand, it fails":    {"failed", "0", "exit-code", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, "systemd:web")
			program := stepstest.NewTool(t, "systemctl", strings.NewReplacer("@state", c.state, "@pid", c.pid, "@result", c.result).Replace(slow))
			stepstest.NewTool(t, "journalctl", "exit 0")
			units := vendor.Units{Names: []string{"web"}, Root: func() bool { return !c.byHand }}
			if c.byHand {
				stepstest.NewTool(t, "sudo", `(sleep 0.3; touch "`+program.Dir+`/r") >/dev/null 2>&1 & exit 1`)
			}
			if err := units.Restart(t.Context(), w.run, w.step.Pace, func(steps.Event) {}); (err != nil) != c.fails {
				t.Errorf("error %v", err)
			}
		})
	}
}
