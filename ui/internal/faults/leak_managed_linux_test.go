package faults

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"strconv"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// The same hunt, through a place beside the file that another program keeps: the key
// is brought there, the run is ended in the middle by a signal, it is gone on with,
// a rollback is refused and taken at its question, and the previous key is accepted
// for a while.
func TestNothingIsLeakedToAManager(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	needStrace(t)
	w := newWatched(t, djangotest.Tokens)
	upgrade := []string{"upgrade", "--yes", "--python", w.project.Python, "--skip", "smoke-test", "--restart", "none", "--no-color", "--target", "dotenv", "--target", "fly:shop"}
	rotate := append(upgrade, "--rotate")
	rollback := []string{"rollback", "--no-color", "--restart", "none"}
	secrets := map[string]bool{} // every key that was there at any time
	texts, searched, runs, leaks := 0, 0, 0, 0
	look := func(what string, run func() (code int, out, starts string), want int) {
		t.Helper()
		before := w.hunt(t)
		code, out, starts := run()
		if code != want {
			t.Errorf("%s: exit %d, want %d: this looked at something else:\n%s", what, code, want, out)
		}
		after := w.hunt(t)
		maps.Copy(after.names, before.names)
		if key := w.shop.key(t); key != "" {
			secrets[key] = true
		}
		more := map[string]string{}
		for key := range secrets {
			more[fmt.Sprintf("key %d of the app", len(more)+1)] = key
		}
		maps.Copy(after.names, newHunt(more).names)
		w.search(t, after, what, out, starts)
		for _, leak := range after.found {
			t.Error(leak)
		}
		texts, searched, runs, leaks = texts+after.texts, searched+after.searched, runs+1, leaks+len(after.found)
	}
	run := func(args []string) func() (int, string, string) {
		return func() (int, string, string) { return w.run(t, "", args...) }
	}
	asked := func(answer string, args []string) func() (int, string, string) {
		return func() (int, string, string) { return w.asked(t, answer, args...) }
	}
	// cut ends the run at a call from now, as a shutdown does.
	cut := func(calls int, when string, args []string) func() (int, string, string) {
		return func() (int, string, string) {
			w.shop.put(t, "signal", "TERM")
			w.shop.put(t, "kill", strconv.Itoa(w.shop.calls(t)+calls)+" "+when)
			defer os.Remove(w.shop.dir + "/kill")
			return w.run(t, "", args...)
		}
	}
	w.project.WriteEnv(t, files["missing"])
	look("a run that is ended before the other program has the key", cut(5, "before", upgrade), 130)
	look("a run that is ended after that", cut(5, "after", upgrade), 130)
	look("a run that goes on", run(upgrade), 0)
	if env := w.project.EnvPath; !regexp.MustCompile(`JWT_SECRET_KEY=`+w.shop.key(t)+"\n").Match(read(t, env)) || w.shop.key(t) == "" {
		t.Error("the app and .env have not the same key")
	}
	look("a rotation", run(rotate), 0)
	look("grace", run([]string{"grace", "--hours", "48", "--python", w.project.Python, "--no-color"}), 0)
	look("a rollback that is refused", asked("n", rollback), 130)
	look("a rollback that is agreed to", asked("y", rollback), 0)
	if len(secrets) < 2 || w.children < 20 {
		t.Errorf("%d keys and %d starts were seen", len(secrets), w.children)
	}
	figures(t, figure{runs, "runs searched for leaks"}, figure{w.children, "starts of children seen"}, figure{texts, "texts searched"}, figure{searched, "bytes searched"}, figure{leaks, "violations"})
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
