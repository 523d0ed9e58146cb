package faults

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// rotating is a project with a good key, whose settings load the module of a grace period.
func rotating(t *testing.T) *house {
	t.Helper()
	h := newHouse(t, keysplit)
	h.project.WriteEnv(t, "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n")
	if e := h.run(t, false, asRoot("grace", "--prepare")); e.code != 0 {
		t.Fatalf("prepare, exit %d: %s", e.code, e.out)
	}
	settings, err := os.ReadFile(h.project.Settings)
	if err == nil {
		err = os.WriteFile(h.project.Settings, append(settings, `
JWT_PREVIOUS_SECRET_KEY = config('JWT_PREVIOUS_SECRET_KEY', default='')
JWT_PREVIOUS_SECRET_KEY_UNTIL = config('JWT_PREVIOUS_SECRET_KEY_UNTIL', default='')
INSTALLED_APPS += ['jwt_grace.GraceConfig']
`...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var envLine = regexp.MustCompile(`(?m)^(\w+)=(.*)$`)

// keys are the values of .env that count.
func (h *house) keys(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile(h.project.EnvPath)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, m := range envLine.FindAllStringSubmatch(string(data), -1) {
		out[m[1]] = m[2]
	}
	return out
}

// betweenStages are the calls that change something from the write of the first stage to
// that of the second. Not the opening of a file: how many come before it depends on the
// processes that were looked at meanwhile, and what is written to the file is in the list.
func betweenStages(all []point) []point {
	all = slices.DeleteFunc(changing(all), func(pt point) bool { return pt.call == "openat" })
	var writes []int
	for n, pt := range all {
		if pt.call == "renameat2" && strings.Contains(pt.line, ".env.keysplit-") {
			writes = append(writes, n)
		}
	}
	if len(writes) != 2 {
		return nil
	}
	return all[writes[0] : writes[1]+1]
}

// A rotation in stages that is killed between them goes on with the same two keys, to a
// good end: at each call that changes something.
func TestARotationKilledBetweenItsStages(t *testing.T) {
	stepstest.OnlyLong(t)
	needStrace(t)
	h := rotating(t)
	old := h.keys(t)["JWT_SECRET_KEY"]
	restore := h.keep(t)
	rotate := func(server *djangotest.Server) []string {
		return asRoot("upgrade", "--rotate", "--grace", "--yes", "--no-color", "--python", h.project.Python, "--url", server.URL)
	}
	start := func(t *testing.T) *djangotest.Server {
		t.Helper()
		restore()
		return h.project.Start(t, djangotest.ServerOptions{Reload: true})
	}
	var all []point
	t.Run("undisturbed", func(t *testing.T) {
		e := h.run(t, true, rotate(start(t)))
		if all = betweenStages(points(e.traced)); e.code != 0 || len(all) == 0 {
			t.Fatalf("exit %d, %d calls between the stages\n%s", e.code, len(all), e.out)
		}
	})
	if t.Failed() {
		return
	}
	c := &tally{}
	for _, pt := range all {
		t.Run(fmt.Sprintf("%s %d", pt.call, pt.nth), func(t *testing.T) {
			server := start(t)
			killed := h.run(t, false, rotate(server), pt.inject("signal=KILL"))
			c.count()
			if killed.code >= 0 {
				c.add(pt, fmt.Sprintf("was not killed, exit %d", killed.code))
				return
			}
			between := h.keys(t)
			next := between["JWT_PREVIOUS_SECRET_KEY"] // "" where the call came before the write of the first stage
			if next == old {
				next = between["JWT_SECRET_KEY"]
			}
			e := h.run(t, false, rotate(server))
			now := h.keys(t)
			same := next != "" && now["JWT_SECRET_KEY"] == next || next == "" && between["JWT_SECRET_KEY"] == old
			if e.code != 0 || !same || now["JWT_SECRET_KEY"] == old || now["JWT_PREVIOUS_SECRET_KEY"] != old || now["JWT_PREVIOUS_SECRET_KEY_UNTIL"] == "" {
				c.add(pt, fmt.Sprintf("it did not go on with the same keys: exit %d, the new one signs: %t, the old one is accepted: %t\n%s",
					e.code, same && now["JWT_SECRET_KEY"] != old, now["JWT_PREVIOUS_SECRET_KEY"] == old, e.out))
			}
		})
	}
	c.report(t, "calls between the stages of a rotation killed", 1)
}
