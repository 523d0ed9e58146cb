//go:build unix

package cli_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest/djangotest"
)

// An upgrade with all its proofs takes at most as long as what a person does by hand to
// see that a backend starts: manage.py check, one start of runserver, and one request. No
// server is running, so keysplit starts one as well. The clock tells only where nothing
// else is running, which who sets KEYSPLIT_ALONE vouches for: .ci/speed does.
func TestAnUpgradeIsAsFastAsAStart(t *testing.T) {
	if os.Getenv("KEYSPLIT_ALONE") == "" {
		t.Skip("measured by itself: .ci/speed")
	}
	p := djangotest.New(t, djangotest.Options{Flavour: djangotest.Guide, Git: true, NoEnv: true})
	without := strings.ReplaceAll(goodEnv, "{SECRET_KEY}", p.SecretKey)
	const rounds = 7
	var ours, watched, plain, ratio, strict []float64
	binary.Path(t)
	for range rounds {
		p.WriteEnv(t, without)
		upgrade := invocation{args: []string{"upgrade", "--yes", "--temp-user", "--json", "--python", p.Python}, dir: p.Root}
		began := time.Now()
		r := upgrade.run(t, filepath.Join(t.TempDir(), "state"))
		took := time.Since(began).Seconds()
		if o := r.outcome(t); r.code != 0 || !o.OK {
			t.Fatalf("exit %d\n%s", r.code, r.out)
		}
		p.WriteEnv(t, without+"JWT_SECRET_KEY="+p.Key+"\n")
		reload, noreload := byHand(t, p), byHand(t, p, "--noreload")
		ours, watched, plain = append(ours, took), append(watched, reload), append(plain, noreload)
		ratio, strict = append(ratio, took/reload), append(strict, took/noreload)
	}
	t.Logf("upgrade %.2f s, by hand %.2f s (%.2f s with --noreload)", median(ours), median(watched), median(plain))
	t.Logf("ratio %.2f (%.2f with --noreload), median of %d", median(ratio), median(strict), rounds)
	if median(ratio) > 1 {
		t.Errorf("an upgrade takes longer than a start by hand: %.2f", ratio)
	}
}

// byHand is how long a check, a start of runserver and its first answer take, in seconds.
func byHand(t *testing.T, p *djangotest.Project, args ...string) float64 {
	t.Helper()
	address := djangotest.FreeAddr(t)
	began := time.Now()
	if out, err := p.Manage(t, nil, "check"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := p.Start(t, djangotest.ServerOptions{Addr: address, Reload: !slices.Contains(args, "--noreload"), NoWait: true})
	defer s.Stop()
	for {
		if answer, err := http.Get("http://" + address + "/"); err == nil { // #nosec G107 -- a server of the test
			answer.Body.Close()
			return time.Since(began).Seconds()
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("it does not answer:\n%s", s.Output())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
