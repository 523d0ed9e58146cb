package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/secret"
)

// delivery says which key goes where, and which steps of that to skip.
type delivery struct {
	targets, skip    []string
	keyStdin, rotate bool
}

func (d *delivery) flags(f *pflag.FlagSet) {
	targetsFlag(f, &d.targets, "write the key to `SPEC` (see keysplit help targets)")
	f.StringSliceVar(&d.skip, "skip", nil, "skip `STEPS`: "+strings.Join(steps.Words(), ", "))
	f.BoolVar(&d.keyStdin, "key-stdin", false, "read the key from standard input, first line")
	f.BoolVar(&d.rotate, "rotate", false, "replace the key even if it is good")
}

// targetsFlag is --target, of the commands that write there or look there.
func targetsFlag(f *pflag.FlagSet, targets *[]string, usage string) {
	f.StringArrayVar(targets, "target", nil, usage)
}

func (d *delivery) skipped() (map[steps.Name]bool, error) {
	skip := map[steps.Name]bool{}
	for _, s := range d.skip {
		step, ok := steps.ParseStep(strings.TrimSpace(s))
		if !ok || !step.Skippable {
			return nil, steps.Usage("--skip %s: the steps are %s", secret.Quote(s), strings.Join(steps.Words(), ", "))
		}
		skip[step.Name] = true
	}
	return skip, nil
}

// login is the account for the login test. Its password is never a flag's value,
// since every user of the machine can read those.
type login struct {
	username                 string
	path, protected, renewal string // routes of the server that keysplit does not find
	passwordStdin, tempUser  bool
}

func (l *login) flags(f *pflag.FlagSet) {
	f.StringVar(&l.username, "username", "", "account `NAME` for the login (keysplit help secrets)")
	f.BoolVar(&l.passwordStdin, "password-stdin", false, "read the account's password from standard input")
	f.StringVar(&l.path, "login", "", "`PATH` of the login (default: found in the project)")
	f.StringVar(&l.protected, "protected", "", "`PATH` that needs a token (default: found)")
	f.StringVar(&l.renewal, "refresh", "", "`PATH` that refreshes a token (default: found)")
	f.BoolVar(&l.tempUser, "temp-user", false, "log in with a throwaway account (development only)")
}

// routes puts the paths of the flags in place of the configured ones.
func (l *login) routes(env *config.Environment) error {
	for _, r := range []struct {
		flag, path string
		into       *string
	}{{"login", l.path, &env.Login}, {"protected", l.protected, &env.Protected}, {"refresh", l.renewal, &env.Refresh}} {
		if r.path != "" && !strings.HasPrefix(r.path, "/") {
			return steps.Usage("--%s is a path on the server and begins with /", r.flag)
		}
		*r.into = cmp.Or(r.path, *r.into)
	}
	return nil
}

// account is the user name: the flag's, or the configured one where its password can
// come from somewhere.
func (l *login) account(configured string) string {
	_, password := os.LookupEnv("KEYSPLIT_PASSWORD")
	switch {
	case l.username != "":
		return l.username
	case l.tempUser || !password && !l.passwordStdin:
		return "" // the file cannot hold its password, and nobody gave it
	}
	return configured
}

// maxLine is how many bytes a key or password may have: far more than any has,
// and far less than a file that was piped in by mistake.
const maxLine = 32 << 10

// secrets reads what may come on standard input, one line each: first the key, then
// the password.
func (q request) secrets(ctx context.Context, stdio IO, run *steps.Run) error {
	in := bufio.NewReader(io.LimitReader(stdio.In, 2*maxLine+4))
	line := func(what string) (secret.Secret, error) {
		text, err := readLine(ctx, stdio, in, what)
		if err != nil {
			return secret.Secret{}, err
		}
		switch {
		case text == "":
			return secret.Secret{}, steps.Usage("%s: the line is empty", what)
		case len(text) > maxLine:
			return secret.Secret{}, steps.Usage("%s: the line has more than %d bytes, so it is no key and no password", what, maxLine)
		}
		return run.Secret(text), nil
	}
	var err error
	if q.keyStdin {
		if run.Answers.Import, err = line("--key-stdin"); err != nil {
			return err
		}
	}
	err = q.password(ctx, stdio, run, line)
	// No child inherits it.
	_ = os.Unsetenv("KEYSPLIT_PASSWORD")
	if p := run.Answers.Password; err == nil && p.Set() && p.Len() == 0 {
		err = steps.Usage("the password is empty: the login would fail, and accounts lock. Set KEYSPLIT_PASSWORD or use --password-stdin")
	}
	return err
}

// password gets the password of the account that logs in; line reads one from standard
// input.
func (q request) password(ctx context.Context, stdio IO, run *steps.Run, line func(what string) (secret.Secret, error)) (err error) {
	switch password, ok := os.LookupEnv("KEYSPLIT_PASSWORD"); {
	case q.options.ReadOnly && (q.username != "" || !q.passwordStdin): // a dry run logs in nowhere
		if ok && password == "" && run.Answers.Username != "" {
			run.Answers.Password = run.Secret(password)
		}
	case q.passwordStdin:
		if run.Answers.Username == "" {
			return steps.Usage("--password-stdin needs --username")
		}
		run.Answers.Password, err = line("--password-stdin")
	case ok && run.Answers.Username != "":
		run.Answers.Password = run.Secret(password)
	case q.username != "" && stdio.InTTY && !q.speech.json:
		run.Answers.Password, err = askPassword(ctx, stdio, run, q.username)
	case q.username != "":
		err = steps.Usage("--username needs a password: set KEYSPLIT_PASSWORD or use --password-stdin")
	}
	return err
}

// readLine reads one line without its end, unseen when a person types it.
func readLine(ctx context.Context, stdio IO, in *bufio.Reader, what string) (string, error) {
	if stdio.InTTY {
		fmt.Fprintf(stdio.Err, "%s (not shown): ", what)
		b, err := readUnseen(ctx, stdio)
		return string(b), err
	}
	text, err := in.ReadString('\n')
	if err != nil && (!errors.Is(err, io.EOF) || text == "") {
		return "", steps.Usage("%s: nothing came on standard input", what)
	}
	return strings.TrimRight(text, "\r\n"), nil
}

func askPassword(ctx context.Context, stdio IO, run *steps.Run, user string) (secret.Secret, error) {
	fmt.Fprintf(stdio.Err, "Password of %s (not shown): ", secret.Inert(user))
	b, err := readUnseen(ctx, stdio)
	if err != nil {
		return secret.Secret{}, err
	}
	return run.Secret(string(b)), nil
}
