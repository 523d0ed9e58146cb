package stepstest

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
)

// Tool is a stand-in for a command-line program. It records how it was called
// and then does what its script says.
type Tool struct {
	t   testing.TB
	Dir string // its own folder, for the script's files: $DIR there
}

// FailsOnce begins the body of a stand-in that fails at one of its calls, with exit code 9:
// the one whose number stands in its file fail. It counts them in n, and keeps the arguments
// of the one that failed in failed.
const FailsOnce = `n=$(($(cat "$DIR/n" 2>/dev/null || echo 0) + 1)); echo $n >"$DIR/n"
[ "$n" != "$(cat "$DIR/fail" 2>/dev/null)" ] || { echo "$*" >"$DIR/failed"; echo 'error: it failed' >&2; exit 9; }
`

// tools are the folders of a test's stand-ins as a PATH, by the name of the test.
var tools sync.Map

// searched is the PATH of a test: its stand-ins, those of the tests around it, and ours.
func searched(name string) string {
	all := os.Getenv("PATH")
	for at := range name + "/" {
		if at < len(name) && name[at] != '/' {
			continue
		}
		if dirs, ok := tools.Load(name[:at]); ok {
			all = dirs.(string) + all
		}
	}
	return all
}

// NewTool puts a program of that name first on the PATH that LookupEnv gives the runs of
// the test and of the tests inside: a shell script that appends its arguments to argv
// and its environment to environ, both one a line, and then runs body. The body may read
// standard input; what it appends to $DIR/stdin is what Stdin returns.
func NewTool(t testing.TB, name, body string) *Tool {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in is a shell script")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nDIR='" + dir + "'\nprintf '%s\\n' \"$@\" >>\"$DIR/argv\"\nenv >>\"$DIR/environ\"\n" + body + "\n"
	if err := WriteProgram(filepath.Join(dir, name), script); err != nil {
		t.Fatal(err)
	}
	before, _ := tools.Load(t.Name())
	others, _ := before.(string)
	tools.Store(t.Name(), dir+string(os.PathListSeparator)+others)
	t.Cleanup(func() { tools.Delete(t.Name()) })
	return &Tool{t: t, Dir: dir}
}

// WriteProgram writes an executable file that can be started at once: a child that another
// test forks meanwhile would hold it open for writing until its own exec, and the start would
// fail with "text file busy".
func WriteProgram(path, text string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, []byte(text), 0o700) // #nosec G306 -- a program
}

// OnPath puts it first on the PATH of this process and returns it: for a command, whose
// run has the process's environment.
func (p *Tool) OnPath() *Tool {
	p.t.Helper()
	p.t.Setenv("PATH", p.Dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return p
}

// File is a file of the script's folder, "" when it is not there.
func (p *Tool) File(name string) string {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.Dir, name))
	if err != nil && !os.IsNotExist(err) {
		p.t.Fatal(err)
	}
	return string(b)
}

// Argv is every argument of every call, one a line.
func (p *Tool) Argv() string { return p.File("argv") }

// Environ is the environment of every call, one variable a line.
func (p *Tool) Environ() string { return p.File("environ") }

// Stdin is what the script kept of its standard input.
func (p *Tool) Stdin() string { return p.File("stdin") }
