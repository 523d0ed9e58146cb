package vendor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/tool"
)

// The lines of a program that are shown: the first ones as they come, then none,
// and at its end the last ones. That is bounded, and holds what counts.
const (
	FirstLines = 40
	LastLines  = 20
)

// Live shows the lines of a running program, redacted and inert.
type Live struct {
	Run  *steps.Run
	Emit steps.Emit
	Only func(line string) bool // nil for all lines
	n    int
	last []secret.Foreign
}

// See takes a line.
func (l *Live) See(line string) {
	said := secret.Said(strings.TrimRight(line, " \r\n"))
	if len(said.Lines()) == 0 || l.Only != nil && !l.Only(line) {
		return
	}
	if l.n++; l.n <= FirstLines {
		l.Emit.Output(said)
		return
	}
	if l.last = append(l.last, said); len(l.last) > LastLines {
		l.last = l.last[1:]
	}
}

// End shows the last lines.
func (l *Live) End() {
	if out := l.n - FirstLines - len(l.last); out > 0 {
		l.Emit.Progress(fmt.Sprintf("(%d lines are left out)", out))
	}
	for _, line := range l.last {
		l.Emit.Output(line)
	}
}

// watch runs one of other people's programs and shows the lines of it that only
// lets through; over tells that it did not end within the limit.
func watch(ctx context.Context, run *steps.Run, emit steps.Emit, p tool.Program, limit time.Duration, only func(string) bool, args ...string) (res child.Result, over bool, err error) {
	path, err := p.Path(run)
	if err != nil {
		return res, false, err
	}
	limited, stop := context.WithTimeout(ctx, limit)
	defer stop()
	shown := &Live{Run: run, Emit: emit, Only: only}
	res, err = child.Command{Path: path, Args: args, Dir: p.Dir, Env: run.ProgramEnv(), Unset: child.Withheld}.Watch(limited, shown.See)
	shown.End()
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return res, true, nil
	}
	return res, false, err
}
