package envfile

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest/djangotest"
)

// lines100 is a file of 100 lines as projects have it.
func lines100() []byte {
	var b bytes.Buffer
	for i := range 50 {
		fmt.Fprintf(&b, "# setting %d\nSETTING_%d=value-%d\n", i, i, i)
	}
	return b.Bytes()
}

// big returns a file of about size bytes: half of it in lines of 1 MB, quoted,
// bare and in comments, the other half in short ones.
func big(size int) []byte {
	var b bytes.Buffer
	long := strings.Repeat("0123456789abcdef", 1<<16)
	for i := 0; b.Len() < size/2; i++ {
		switch i % 3 {
		case 0:
			fmt.Fprintf(&b, "LONG_%d=%s\n", i, long)
		case 1:
			fmt.Fprintf(&b, "LONG_%d=\"%s\n%s\"\n", i, long[:len(long)/2], long[:len(long)/2])
		case 2:
			fmt.Fprintf(&b, "# %s\n", long)
		}
	}
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "SETTING_%d=%s\n# a comment\n", i, long[:80])
	}
	return b.Bytes()
}

func edit(tb testing.TB, data []byte) {
	c, err := Edit(data, For{}, Set{Name: "NEW", Value: "value"})
	if err != nil || len(c.Diff) != 1 {
		tb.Fatalf("%v, %v", c, err)
	}
}

// largest is a file of settings as large as Open takes one.
func largest() []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < MaxSize-128; i++ {
		fmt.Fprintf(&b, "# setting %d\nSETTING_%d=%s\n", i, i, strings.Repeat("0123456789", 5))
	}
	return b.Bytes()
}

// best is the processor time of the quickest of three runs: what other programs do
// on the machine does not count.
func best(data []byte, do func([]byte)) time.Duration {
	least := time.Hour
	for range 3 {
		start := processorTime()
		do(data)
		least = min(least, processorTime()-start)
	}
	return least
}

// BenchmarkEdit sets one variable, and beside it what python-dotenv's set_key takes for that, which rewrites the file
// without reading it in any dialect but its own.
func BenchmarkEdit(b *testing.B) {
	for name, data := range map[string][]byte{"100lines": lines100(), "1MiB": largest()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				edit(b, data)
			}
		})
		b.Run(name+"/set_key", func(b *testing.B) {
			path := filepath.Join(b.TempDir(), ".env")
			put(b, path, data)
			cmd := exec.Command(djangotest.Python(b, djangotest.Modern), "-c", `
import sys, time, dotenv
for i in range(int(sys.argv[2]) + 1):
    if i == 1:
        start = time.perf_counter()
    dotenv.set_key(sys.argv[1], "NEW", "value%d" % i)
print((time.perf_counter() - start) / int(sys.argv[2]))`, path, fmt.Sprint(b.N))
			out, err := cmd.Output()
			if err != nil {
				b.Fatal(err)
			}
			seconds, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(seconds*1e9, "ns/op")
		})
	}
}

// TestTimeIsLinear compares 80 KB with 1.3 MB. Sixteen times the size may take
// fifty times as long here, for the sake of busy machines; quadratic time takes
// 256 times as long, and on a file of short lines more than ten seconds.
func TestTimeIsLinear(t *testing.T) {
	if !long {
		t.Skip("only with KEYSPLIT_LONG=1")
	}
	shapes := map[string]func(size int) []byte{
		"mixed":        big,
		"open quotes":  func(n int) []byte { return bytes.Repeat([]byte("A=\"\nB='\n"), n/8) },
		"escapes":      func(n int) []byte { return bytes.Repeat([]byte("A=\"\\\"\n"), n/6) },
		"bare":         func(n int) []byte { return bytes.Repeat([]byte("rawkey\n"), n/7) },
		"lone CR":      func(n int) []byte { return bytes.Repeat([]byte("A=1\r"), n/4) },
		"one line":     func(n int) []byte { return append([]byte("A="), bytes.Repeat([]byte("x #$"), n/4)...) },
		"one open set": func(n int) []byte { return append([]byte("A=\"\n"), bytes.Repeat([]byte("B='\n'"), n/5)...) },
	}
	compare := func(name string, make func(int) []byte, do func([]byte)) {
		small, large := best(make(5<<14), do), best(make(5<<18), do)
		if large > 50*max(small, 20*time.Millisecond) {
			t.Errorf("%s: %v for 80 KB, %v for 1.3 MB", name, small, large)
		}
		t.Logf("%s: %v for 80 KB, %v for 1.3 MB", name, small, large)
	}
	for name, shape := range shapes {
		compare("parse "+name, shape, func(b []byte) { Parse(b) })
	}
	compare("edit mixed", big, func(b []byte) { edit(t, b) })
}
