package steps

import (
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/secret"
)

// The previous key is the last one that was proved in force. What was written and never
// came to the end of its restart was nobody's key.
func TestThePreviousKeyIsOneThatWasInForce(t *testing.T) {
	t.Parallel()
	keys := []string{canary.New(), canary.New(), canary.New(), canary.New()}
	const writes, restarts, proves, undoes = "writes", "restarts", "proves", "undoes"
	type deed struct {
		what string
		key  int // of writes and proves
	}
	for name, c := range map[string]struct {
		deeds  []deed
		want   int // -1 for none
		proved bool
	}{
		"one rotation, nothing proved":                {[]deed{{writes, 1}, {restarts, 0}}, 0, false},
		"one rotation, proved before the write":       {[]deed{{proves, 0}, {writes, 1}, {restarts, 0}, {proves, 1}}, 0, true},
		"two rotations":                               {[]deed{{writes, 1}, {restarts, 0}, {proves, 1}, {writes, 2}, {restarts, 0}, {proves, 2}}, 1, true},
		"the first one never passed its restart":      {[]deed{{writes, 1}, {writes, 2}, {restarts, 0}, {proves, 2}}, 0, false},
		"nor was proved, beside one that was":         {[]deed{{proves, 0}, {writes, 1}, {restarts, 0}, {writes, 2}, {restarts, 0}}, 0, true},
		"it passed its restart and was not proved":    {[]deed{{writes, 1}, {restarts, 0}, {writes, 2}, {restarts, 0}}, 1, false},
		"two that never passed, after one that did":   {[]deed{{writes, 1}, {restarts, 0}, {writes, 2}, {writes, 3}}, 1, false},
		"one was undone":                              {[]deed{{proves, 0}, {writes, 1}, {restarts, 0}, {proves, 1}, {undoes, 0}, {writes, 2}}, 0, true},
		"nothing was changed":                         {[]deed{{proves, 0}}, -1, false},
		"an edit of the file that keeps the key":      {[]deed{{writes, 1}, {restarts, 0}, {writes, 1}}, 0, false},
		"the server never took what the place had":    {[]deed{{writes, 1}, {restarts, 0}, {proves, 0}, {writes, 2}}, 0, true},
		"what was proved is in no backup that counts": {[]deed{{proves, 3}, {writes, 1}, {restarts, 0}}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := func(key int) string { return "A=" + canary.New()[:8] + "\nJWT_SECRET_KEY=" + keys[key] + "\n" }
			j, env := withJournal(t, text(0))
			now := 0
			for _, d := range c.deeds {
				var err error
				switch d.what {
				case writes:
					j = nextRun(t, j, env)
					rewrite(t, j, env, text(d.key))
					now = d.key
				case restarts:
					err = j.SetStatus(string(Restart), string(Done))
				case proves:
					err = j.SetProved(j.Prints().Secret(keys[d.key]))
				case undoes:
					all := j.Applied()
					_, err = j.Revert(t.Context(), all[len(all)-1], false)
					now = 0
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			r := &Run{Found: Found{Journal: j, Project: &Project{EnvFile: EnvFile{Path: env, Readers: []envfile.Dialect{envfile.Decouple}}}}, Prints: j.Prints(),
				Environ: func(string) (string, bool) { return "", false }}
			p, want := r.PreviousTo(r.Prints.Secret(keys[now])), secret.Secret{}
			if c.want >= 0 {
				want = r.Prints.Secret(keys[c.want])
			}
			if p.Key.Reveal() != want.Reveal() || p.Proved != c.proved || p.Key.Equal(r.Prints.Secret(keys[now])) {
				t.Errorf("%v (%v), want %v (%v)", p.Key, p.Proved, want, c.proved)
			}
		})
	}
}
