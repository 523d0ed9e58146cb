//go:build unix

package child

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// Lines are seen while the child runs, not at its end.
func TestWatchSeesLinesAsTheyCome(t *testing.T) {
	t.Parallel()
	t.Attr("part", "hostile children")
	var seen []string
	begun := time.Now()
	var first time.Duration
	res, err := sh(`echo one; sleep 1; echo two >&2; printf '10%%\r20%%\rthree'; exit 3`).Watch(limited(t, 10*time.Second), func(line string) {
		if len(seen) == 0 {
			first = time.Since(begun)
		}
		seen = append(seen, line)
	})
	if err != nil || res.Code != 3 || string(res.Stdout) != "one\ntwo\n10%\r20%\rthree" {
		t.Errorf("code %d, %q, %v", res.Code, res.Stdout, err)
	}
	if all := time.Since(begun); all-first < 800*time.Millisecond {
		t.Errorf("the first line came after %v of %v", first, all)
	}
	if want := []string{"one", "two", "10%", "20%", "three"}; !slices.Equal(seen, want) {
		t.Errorf("saw %q", seen)
	}
}

// However much a child prints, it is bounded, and its last words are kept.
func TestWatchKeepsTheLastWords(t *testing.T) {
	t.Attr("part", "hostile children")
	c := sh(`i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done; head -c 200000 /dev/zero | tr '\0' x; echo; echo the reason`)
	c.Limit = 1000
	longest, n := 0, 0
	res, err := c.Watch(limited(t, 20*time.Second), func(line string) {
		longest = max(longest, len(line))
		n++
	})
	if err != nil || len(res.Stdout) != 1000 || !res.Truncated || !strings.HasSuffix(string(res.Stdout), "the reason\n") {
		t.Errorf("%d bytes, truncated %v, %v", len(res.Stdout), res.Truncated, err)
	}
	if n != 2002 || longest != maxLine {
		t.Errorf("%d lines, the longest of %d bytes", n, longest)
	}
}

// A mistake in what sees the lines is one of the caller's goroutine, where it is
// caught, and not of one that os/exec started.
func TestWatchHandsAPanicOn(t *testing.T) {
	t.Attr("part", "hostile children")
	defer func() {
		if said := recover(); said != "on purpose" {
			t.Errorf("it said %v", said)
		}
	}()
	_, _ = sh("echo one; sleep 30").Watch(limited(t, 20*time.Second), func(string) { panic("on purpose") })
	t.Error("it went on")
}
