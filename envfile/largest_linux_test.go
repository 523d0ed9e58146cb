//go:build !race

// The race detector takes several times the time and the memory.

package envfile

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// filled is a file as large as Open takes one, full of a text.
func filled(text string) []byte { return bytes.Repeat([]byte(text), (MaxSize-128)/len(text)) }

// named is such a file of lines with a name each, written by format.
func named(format string) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < MaxSize-128; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.Bytes()
}

// letters is such a file with names as short as they can be.
func letters() []byte {
	const all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
	var b bytes.Buffer
	for i := len(all); b.Len() < MaxSize-128; i++ {
		for k := i; k > 0; k /= len(all) {
			b.WriteByte(all[k%len(all)])
		}
		b.WriteString("=\n")
	}
	return b.Bytes()
}

// shapes are what a large file may be full of. Those that begin with ! are refused.
var shapes = map[string]func() []byte{
	"settings":            largest,
	"short names":         letters,
	"comment signs":       func() []byte { return filled("#\n") },
	"26000 names":         func() []byte { return named("N%d=" + strings.Repeat("v", 33) + "\n") },
	"comments":            func() []byte { return filled("# a comment that says something\n") },
	"one short name":      func() []byte { return filled("A=\n") },
	"one name, CR LF":     func() []byte { return filled("A=\r\n") },
	"one name, CR":        func() []byte { return filled("A=\r") },
	"names, CR":           func() []byte { return named("N%d=\r") },
	"no name":             func() []byte { return filled("=\n") },
	"no value":            func() []byte { return filled("a\n") },
	"YAML":                func() []byte { return filled("a:\n") },
	"empty lines":         func() []byte { return filled("\n") },
	"empty lines, CR":     func() []byte { return filled("\r") },
	"empty lines, CR LF":  func() []byte { return filled("\r\n") },
	"joined lines":        func() []byte { return filled("\\\n") },
	"export":              func() []byte { return filled("export A=1\n") },
	"quotes":              func() []byte { return filled("A=\"\nB='\n") },
	"quotes and comments": func() []byte { return append([]byte("A='x'\nB=\"two\nlines\"\n"), filled("#\n")...) },
	"one value":           func() []byte { return append([]byte("A="), filled("x")...) },
	"# in a value":        func() []byte { return append([]byte("A="), filled("x #$")...) },
	"words":               func() []byte { return append([]byte("A="), filled("x ")...) },
	"commands":            func() []byte { return append([]byte("A="), filled("a;")...) },
	"commands that set":   func() []byte { return filled("A=a;") },
	"substitutions":       func() []byte { return append([]byte("A="), filled("$(")...) },
	"parentheses":         func() []byte { return append([]byte("A="), filled("(")...) },
	"backquotes":          func() []byte { return append([]byte("A="), filled("`")...) },
	"compound commands":   func() []byte { return filled("if\n") },
	"braces":              func() []byte { return filled("{\n") },
	"here-documents":      func() []byte { return filled("a<<b\n") },
	"references":          func() []byte { return filled("A=$B\n") },
	"references forward":  func() []byte { return named("N%d=$N%[1]d1\n") },
	"bare references":     func() []byte { return filled("$B ") },
	"quoted references":   func() []byte { return filled("A=\"$B$B$B\"\n") },
	"braced references":   func() []byte { return append([]byte("A=\""), filled("${B}")...) },
	"!nested references":  func() []byte { return append([]byte("A="), filled("${B:-")...) },
	"!NUL bytes":          func() []byte { return filled("A=\x00\n") },
	"!Latin-1":            func() []byte { return filled("A=\xe9\n") },
}

// The test binary runs itself as a process that makes one edit of the shape that this variable names, and prints the
// milliseconds that took of a processor, the most memory in kB that the process ever had, and whether it was made.
const shapeVar = "KEYSPLIT_ENVFILE_SHAPE"

func init() {
	shape := os.Getenv(shapeVar)
	if shape == "" {
		return
	}
	data := shapes[shape]()
	start := processorTime()
	c, err := Edit(data, For{}, Set{"NEW", "value"})
	took := processorTime() - start
	status, _ := os.ReadFile("/proc/self/status")
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Println(took.Milliseconds(), strings.Fields(peak)[0], err == nil && len(c.Diff) > 0)
	os.Exit(0)
}

// TestEditOfTheLargestFile holds an edit to a second of the processor and 100 MB, whatever the file is full of: of a process
// that does nothing else, with all that it has loaded.
func TestEditOfTheLargestFile(t *testing.T) {
	for shape := range shapes {
		if !long && !slices.Contains([]string{"settings", "short names", "one short name"}, shape) {
			continue
		}
		t.Run(shape, func(t *testing.T) {
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			var milliseconds, kilobytes int
			var made bool
			for range 3 { // what other programs do on the machine slows the processor down
				cmd := exec.Command(self)
				cmd.Env = append(os.Environ(), shapeVar+"="+shape)
				out, err := cmd.Output()
				if _, scanErr := fmt.Sscan(string(out), &milliseconds, &kilobytes, &made); err != nil || scanErr != nil {
					t.Fatalf("%s, %v", out, err)
				}
				if milliseconds < 1000 {
					break
				}
			}
			t.Logf("%d ms, %d kB", milliseconds, kilobytes)
			if time.Duration(milliseconds)*time.Millisecond > time.Second || kilobytes > 100_000 {
				t.Errorf("%d ms and %d kB", milliseconds, kilobytes)
			}
			if made == strings.HasPrefix(shape, "!") {
				t.Errorf("edited: %v", made)
			}
		})
	}
}
