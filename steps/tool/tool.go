// Package tool runs the command-line programs of other people's services (secret
// managers, service managers), and turns their failures into findings.
//
// The rules:
//
//   - The program is found on PATH and called by its absolute path, with a list
//     of arguments. No secret is among them: it goes on standard input.
//   - It inherits neither of the two keys nor the password of the login test.
//   - It has a time limit, and its output a bound.
//   - What it prints is never shown: some print every value of a place when
//     something goes wrong. A failure is told in our own words, as a finding with
//     the fix, by what its output is about.
package tool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/sys/child"
)

// Program is one such program.
type Program struct {
	Name    string      // as it is called on PATH
	Install string      // where to get it; a sentence
	Login   finding.Fix // how to log in
	Dir     string      // the folder to run it in, "" for ours
	Env     []string    // NAME=VALUE, beside keysplit's own environment
	// Patience is the least time that it gets, for a call that itself waits until
	// an app is up; a shorter limit of the run does not count then.
	Patience time.Duration
	Messages []Message // what it says in a way of its own, looked for first
}

// Call runs the program once and returns what it wrote to standard output. A
// program that fails is a *steps.Failure in our own words: what it prints may
// hold any value of the place. stdin may be nil.
func (t Program) Call(ctx context.Context, run *steps.Run, spec string, stdin []byte, args ...string) ([]byte, error) {
	res, err := t.Try(ctx, run, stdin, args...)
	if err != nil {
		return nil, err
	}
	if res.Code != 0 {
		return nil, t.Explain(spec, res)
	}
	if res.Truncated {
		return nil, fmt.Errorf("%s printed more than 1 MiB", t.Name)
	}
	return res.Stdout, nil
}

// Path finds the program on PATH, as an absolute path.
func (t Program) Path(run *steps.Run) (string, error) {
	path, err := run.LookPath(t.Name)
	if err != nil {
		return "", steps.Fail(finding.New(finding.ToolMissing, fmt.Sprintf("The program %s is not installed, or not on PATH.", t.Name)).
			WithFix(finding.Do("%s Then run `keysplit` again.", t.Install)))
	}
	return path, nil
}

// Try runs the program once, for callers that tell its failures apart themselves.
func (t Program) Try(ctx context.Context, run *steps.Run, stdin []byte, args ...string) (child.Result, error) {
	path, err := t.Path(run)
	if err != nil {
		return child.Result{}, err
	}
	limit := max(run.Options.Wait(), t.Patience)
	limited, stop := context.WithTimeout(ctx, limit)
	defer stop()
	c := child.Command{Path: path, Args: args, Dir: t.Dir, Env: run.ProgramEnv(t.Env...), Unset: child.Withheld}
	if stdin != nil {
		c.Stdin = bytes.NewReader(stdin)
	}
	res, err := c.Run(limited)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return res, steps.Fail(finding.New(finding.PlaceUnreachable, fmt.Sprintf("%s gave no answer within %s.", t.Name, limit)).
			WithFix(finding.Do("Check that the network or VPN is up and that the program works by itself, then run `keysplit` again. If it only takes long, give it more time: `keysplit --timeout 10m`.")))
	}
	return res, err
}

// troubles recognise, in what such a program writes to standard error, the kinds
// of failure that have a page of their own. The first that matches counts.
var troubles = []struct {
	code finding.Code
	sign *lazyregexp.Regexp
}{
	// First, since fly prints the app's log with it, where any word may stand.
	{finding.RestartFailed, lazyregexp.New(`(?i)smoke checks for \S+ failed|app appears to be crashing|waiting for (health ?checks|machine's state)`)},
	{finding.PlaceConflict, lazyregexp.New(`(?i)\bconflict\b|object has been modified|check-and-set|did not match the current version`)},
	{finding.ToolNotLoggedIn, lazyregexp.New(`(?i)not (logged|signed) in|log ?in (first|again|to)|please (run|log ?in)|auth(entication)? (is )?required|must be authenticated|unauthorized|\b401\b|expired ?token|token (has )?expired|session (has )?expired|unable to locate credentials|invalid (api |\w+_)?(token|credentials)|token provided to \w+ is invalid|open up the browser to login|missing client token|no access token|provide credentials`)},
	{finding.AccessDenied, lazyregexp.New(`(?i)forbidden|permission denied|access ?denied|not authorized|\b403\b|(do|does) not have access|is restricted|must have admin rights`)},
	{finding.PlaceUnreachable, lazyregexp.New(`(?i)not been booted with systemd|failed to connect to (system scope )?bus|connection refused|\bE(CONNREFUSED|NOTFOUND|AI_AGAIN|TIMEDOUT)\b|connection to the server \S+ was refused|no such host|could not connect|failed to fetch|error sending request|rate ?limited|unable to connect|i/o timeout|timed out|network is unreachable|tls handshake|x509|\bis sealed\b|\b503\b`)},
	{finding.PlaceNotFound, lazyregexp.New(`(?i)not ?found|\b404\b|no such (?:app|secret|service|environment|project|namespace|repository)|could not (find|resolve to a repository)|couldn't find|does not exist|doesn't exist|no value found|no linked project`)},
}

// wrapped is what breaks a message into lines: that of heroku, at any word, with
// a mark before each line.
var wrapped = lazyregexp.New(`[\s›»]+`)

// Explain makes the finding of a program that failed.
func (t Program) Explain(spec string, res child.Result) error {
	stderr, stdout := wrapped.ReplaceAll(res.Stderr, []byte(" ")), wrapped.ReplaceAll(res.Stdout, []byte(" "))
	if !troubles[0].sign.Match(stderr) { // else an app's log stands there
		if f, ok := t.particularly(spec, stderr, stdout); ok {
			return steps.Fail(f)
		}
	}
	for _, trouble := range troubles {
		if trouble.sign.Match(stderr) || trouble.sign.Match(stdout) {
			f := finding.New(trouble.code, fmt.Sprintf("%s: %s", t.Name, Said[trouble.code])).At(spec, 0)
			switch trouble.code {
			case finding.ToolNotLoggedIn:
				f = f.WithFix(finding.Do("Run: %s. Then run `keysplit` again.", t.Login))
			case finding.RestartFailed:
				f = f.WithFix(finding.Do("Look at it: %s. What was set stays set: fix the app and run `keysplit` again, or `keysplit rollback`.", finding.Shell(t.Name, "logs")))
			}
			return steps.Fail(f)
		}
	}
	return fmt.Errorf("%s failed with exit code %d; its own words are not shown, since they may hold values of the place", t.Name, res.Code)
}

// Said are our own words for what the program said.
var Said = map[finding.Code]string{
	finding.RestartFailed:    "the app did not come up with what was set.",
	finding.PlaceConflict:    "the place was changed by someone else at the same time.",
	finding.ToolNotLoggedIn:  "you are not logged in, or the login has expired.",
	finding.AccessDenied:     "this account lacks permission.",
	finding.PlaceNotFound:    "there is no such place.",
	finding.PlaceUnreachable: "the service could not be reached, or is not ready.",
}
