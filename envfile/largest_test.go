//go:build !race

// The race detector takes several times the time and the memory.

package envfile

import (
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"testing"
	"time"
)

// TestEditOfTheLargestFile holds an edit to a second and 100 MB, for all readers together.
func TestEditOfTheLargestFile(t *testing.T) {
	data := largest()
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
		if c, err := Edit(b, For{Readers: Dialects()}, Set{"NEW", "value"}); err != nil || len(c.Diff) != 1 {
			t.Fatalf("%v, %v", c, err)
		}
	})
	close(done)
	t.Logf("%v, %d MB", took, peak.Load()>>20)
	if took > time.Second || peak.Load() > 100<<20 {
		t.Errorf("%v and %d MB for %d bytes", took, peak.Load()>>20, len(data))
	}
}
