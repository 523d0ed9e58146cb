package child

import (
	"bytes"
	"context"
)

// maxLine is how many bytes of one line Watch gives away; the rest of it is
// dropped. It is far more than is shown of a line.
const maxLine = 64 << 10

// Watch runs the child as Run does, and gives each line to see as it comes, without
// its end: one at a time, and none after Watch has returned. Both outputs go
// through one pipe, so that the lines keep their order. Stdout of the result has
// the last bytes of both, up to Limit: where a program ends badly, its last words
// say why. A panic of see ends the child, and goes on in the caller's goroutine.
func (c Command) Watch(ctx context.Context, see func(line string)) (Result, error) {
	running, stop := context.WithCancel(ctx)
	defer stop()
	cmd, err := c.prepare(running)
	if err != nil {
		return Result{}, err
	}
	out := &lines{to: NewTail(c.limit()), see: see, stop: stop}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, out, out
	err = c.start(cmd)
	if err == nil {
		err = cmd.Wait()
		if running.Err() != nil {
			endGroup(cmd.Process, c.grace())
		}
	}
	if out.panicked != nil {
		panic(out.panicked)
	}
	out.end()
	res := Result{Stdout: out.to.Bytes(), Truncated: out.to.Truncated(), Code: -1}
	if cmd.ProcessState != nil {
		res.Code = cmd.ProcessState.ExitCode()
	}
	return res, c.explain(ctx, err)
}

// lines cuts what is written to it into lines. A carriage return ends one as well:
// programs draw their progress with it.
type lines struct {
	to   *Tail
	see  func(string)
	part []byte // of a line that has no end yet

	stop     func() // ends the child
	panicked any    // what see panicked with
}

// Write is called from a goroutine of os/exec, in which a panic would end the program.
func (l *lines) Write(p []byte) (n int, err error) {
	defer func() {
		if l.panicked = recover(); l.panicked != nil {
			l.stop()
			err = context.Canceled
		}
	}()
	n, _ = l.to.Write(p)
	for len(p) > 0 {
		end := bytes.IndexAny(p, "\n\r")
		piece := p
		if end >= 0 {
			piece = p[:end]
		}
		l.part = append(l.part, piece[:min(len(piece), maxLine-len(l.part))]...)
		if end < 0 {
			break
		}
		l.end()
		p = p[end+1:]
	}
	return n, nil
}

// end gives away the line so far, unless it is empty.
func (l *lines) end() {
	if len(l.part) == 0 {
		return
	}
	l.see(string(l.part))
	l.part = l.part[:0]
}
