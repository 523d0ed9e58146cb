package write

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"

	"dj/keysplit/steps"
	"dj/keysplit/steps/child"
)

// tool is the command-line program of a secret manager.
type tool struct {
	name    string // as it is called on PATH
	install string // where to get it; a sentence
	login   string // the command that logs in
}

// withheld are the variables that no such program may inherit: the local key
// would beat a .env file in some of them, and a password is none of their business.
var withheld = []string{steps.KeyName, steps.SecretKeyName, "KEYSPLIT_PASSWORD"}

// call runs the program once and returns what it wrote to standard output. A
// program that fails is a *steps.Failure in our own words: what it prints may
// hold any value of the place. stdin may be nil.
func (t tool) call(ctx context.Context, run *steps.Run, spec string, stdin []byte, args ...string) ([]byte, error) {
	res, err := t.try(ctx, run, stdin, args...)
	if err != nil {
		return nil, err
	}
	if res.Code != 0 {
		return nil, t.explain(spec, res)
	}
	if res.Truncated {
		return nil, fmt.Errorf("%s printed more than 1 MiB", t.name)
	}
	return res.Stdout, nil
}

// try runs the program once, for callers that tell its failures apart themselves.
func (t tool) try(ctx context.Context, run *steps.Run, stdin []byte, args ...string) (child.Result, error) {
	path, err := exec.LookPath(t.name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return child.Result{}, steps.Fail(steps.NewFinding("tool-missing", fmt.Sprintf("The program %s is not installed, or not on PATH.", t.name)).
			WithFix(t.install + " Then run keysplit again."))
	}
	limited, stop := context.WithTimeout(ctx, run.Options.Wait())
	defer stop()
	c := child.Command{Path: path, Args: args, Unset: withheld}
	if stdin != nil {
		c.Stdin = io.Reader(bytes.NewReader(stdin))
	}
	res, err := c.Run(limited)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return res, steps.Fail(steps.NewFinding("place-unreachable", fmt.Sprintf("%s gave no answer within %s.", t.name, run.Options.Wait())).
			WithFix("See that the network or VPN is up and that the program works by itself, then run keysplit again, with a longer --timeout if need be."))
	}
	return res, err
}

// troubles recognise, in what such a program writes to standard error, the kinds
// of failure that have a page of their own. The first that matches counts.
var troubles = []struct {
	code steps.Code
	sign *regexp.Regexp
}{
	{"place-conflict", regexp.MustCompile(`(?i)\bconflict\b|object has been modified|check-and-set|did not match the current version`)},
	{"tool-not-logged-in", regexp.MustCompile(`(?i)not logged in|log ?in (first|again|to)|please (run|log ?in)|auth(entication)? (is )?required|unauthorized|\b401\b|expired ?token|token (has )?expired|session (has )?expired|unable to locate credentials|invalid (api )?(token|credentials)|missing client token|no access token|provide credentials`)},
	{"access-denied", regexp.MustCompile(`(?i)forbidden|permission denied|access ?denied|not authorized|\b403\b|must have admin rights`)},
	{"place-unreachable", regexp.MustCompile(`(?i)connection refused|no such host|could not connect|unable to connect|i/o timeout|timed out|network is unreachable|tls handshake|x509`)},
	{"place-not-found", regexp.MustCompile(`(?i)not ?found|\b404\b|no such (?:app|secret|service|environment|project|namespace|repository)|could not (find|resolve to a repository)|couldn't find|does not exist|no value found|no linked project`)},
}

// explain makes the finding of a program that failed.
func (t tool) explain(spec string, res child.Result) error {
	for _, trouble := range troubles {
		if trouble.sign.Match(res.Stderr) || trouble.sign.Match(res.Stdout) {
			f := steps.NewFinding(trouble.code, fmt.Sprintf("%s: %s", t.name, said[trouble.code])).At(spec, 0)
			if trouble.code == "tool-not-logged-in" {
				f = f.WithFix("Run: " + t.login + " and then keysplit again.")
			}
			return steps.Fail(f)
		}
	}
	return fmt.Errorf("%s failed with exit code %d; its own words are not shown, since they may hold values of the place", t.name, res.Code)
}

// said are our own words for what the program said.
var said = map[steps.Code]string{
	"place-conflict":     "the place was changed by someone else at the same time.",
	"tool-not-logged-in": "you are not logged in, or the login has expired.",
	"access-denied":      "the account that is logged in may not do this.",
	"place-not-found":    "there is no such place.",
	"place-unreachable":  "the service could not be reached.",
}
