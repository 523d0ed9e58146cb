//go:build !race

// The race detector takes several times the time and the memory.

package envfile

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestEditOfTheLargestFile holds an edit to a second and 100 MB, for all readers together,
// whatever the file is full of. What is full of references may be refused, as soon.
func TestEditOfTheLargestFile(t *testing.T) {
	full := func(text string) []byte { return bytes.Repeat([]byte(text), (MaxSize-128)/len(text)) }
	names := func(n int, value func(i int) string) []byte {
		var b bytes.Buffer
		for i := 0; b.Len() < MaxSize-128 && i < n; i++ {
			fmt.Fprintf(&b, "N%d=%s\n", i, value(i))
		}
		return b.Bytes()
	}
	for name, shape := range map[string]struct {
		data         []byte
		refuse, slow bool
	}{
		"settings":           {largest(), false, false},
		"comments":           {full("# a comment that says something\n"), false, false},
		"comment signs":      {append([]byte("A="), full("x #$")...), true, true},
		"26000 names":        {names(26000, func(int) string { return strings.Repeat("v", 30) }), false, true},
		"references":         {names(1<<20, func(i int) string { return fmt.Sprintf("${N%d}x", max(i-1, 0)) }), true, true},
		"references forward": {names(1<<20, func(i int) string { return fmt.Sprintf("$N%d", i+1) }), true, true},
		"nested references":  {append([]byte("A="), full("${B:-")...), true, false},
		"NUL bytes":          {full("A=\x00\n"), true, true},
		"bare references":    {full("$B "), true, true},
		"quoted references":  {full("A=\"$B$B$B\"\n"), true, true},
		"braced references":  {append([]byte("A=\""), full("${B}")...), true, true},
	} {
		if shape.slow && os.Getenv("KEYSPLIT_LONG") == "" {
			continue // up to 0.9 s each, three times, which holds only where nothing else runs
		}
		t.Run(name, func(t *testing.T) { isHeld(t, shape.data, shape.refuse) })
	}
}

func isHeld(t *testing.T, data []byte, refuse bool) {
	runtime.GC()
	var peak atomic.Uint64
	done := make(chan struct{})
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
		for {
			metrics.Read(sample)
			peak.Store(max(peak.Load(), sample[0].Value.Uint64()+sample[1].Value.Uint64()))
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	took := best(data, func(b []byte) {
		if c, err := Edit(b, For{Readers: Dialects()}, Set{"NEW", "value"}); (err != nil || len(c.Diff) != 1) && !refuse {
			t.Fatalf("%v, %v", c, err)
		}
	})
	close(done)
	t.Logf("%v, %d MB", took, peak.Load()>>20)
	if took > time.Second || peak.Load() > 100<<20 {
		t.Errorf("%v and %d MB for %d bytes", took, peak.Load()>>20, len(data))
	}
}
