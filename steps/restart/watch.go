package restart

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/child"
	"dj/keysplit/steps/tool"
)

// The lines of a program that are shown: the first ones as they come, then none,
// and at its end the last ones. That is bounded, and holds what counts.
const (
	firstLines = 40
	lastLines  = 20
)

// live shows the lines of a running program, redacted and inert.
type live struct {
	run  *steps.Run
	emit steps.Emit
	only func(line string) bool // nil for all lines
	n    int
	last []string
}

func (l *live) see(line string) {
	line = strings.TrimRight(l.run.Redactor.Clean(line), " ")
	if line == "" || l.only != nil && !l.only(line) {
		return
	}
	if l.n++; l.n <= firstLines {
		l.emit.Output(line)
		return
	}
	if l.last = append(l.last, line); len(l.last) > lastLines {
		l.last = l.last[1:]
	}
}

// end shows the last lines.
func (l *live) end() {
	if out := l.n - firstLines - len(l.last); out > 0 {
		l.emit.Output(fmt.Sprintf("(%d lines are left out)", out))
	}
	for _, line := range l.last {
		l.emit.Output(line)
	}
}

// watch runs one of other people's programs and shows the lines of it that only
// lets through; over tells that it did not end within the limit.
func watch(ctx context.Context, run *steps.Run, emit steps.Emit, p tool.Program, limit time.Duration, only func(string) bool, args ...string) (res child.Result, over bool, err error) {
	path, err := p.Path()
	if err != nil {
		return res, false, err
	}
	limited, stop := context.WithTimeout(ctx, limit)
	defer stop()
	shown := &live{run: run, emit: emit, only: only}
	res, err = child.Command{Path: path, Args: args, Dir: p.Dir, Unset: child.Withheld}.Watch(limited, shown.see)
	shown.end()
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return res, true, nil
	}
	return res, false, err
}
