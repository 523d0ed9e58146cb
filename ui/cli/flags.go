package cli

import (
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dj/keysplit/steps"
)

// Flags are in groups by what they are about. Each command has an options struct of
// its own, with the groups that mean something to it.

// speech is how a command speaks.
type speech struct {
	json, noColor, spoken bool
	begun                 *plainFront // the one that has asked already: it has read ahead
}

func (s *speech) flags(f *pflag.FlagSet) {
	f.BoolVar(&s.json, "json", false, "print JSON")
	f.BoolVar(&s.noColor, "no-color", false, "print no colours (also: NO_COLOR)")
	f.BoolVar(&s.spoken, "accessible", false, "plain lines for screen readers (also: ACCESSIBLE)")
}

// front is the line-by-line front end that speaks so.
func (s *speech) front(stdio IO) front {
	if s.json {
		return &jsonFront{out: stdio.Out}
	}
	return s.plain(stdio)
}

func (s *speech) plain(stdio IO) *plainFront {
	if s.begun == nil {
		s.begun = newPlain(stdio, s)
	}
	return s.begun
}

// place is the project, and the environment of it, that a command is about.
type place struct {
	project, env, envFile, settings string
	python, as                      string
	timeout                         time.Duration
	throwaway                       bool // the demo's: no configuration is about it
}

func (p *place) flags(f *pflag.FlagSet) {
	f.StringVar(&p.project, "project", "", "Django project in `DIR` (default: found from here)")
	f.StringVar(&p.env, "env", steps.DefaultEnvironment, "environment `NAME`")
	f.StringVar(&p.envFile, "env-file", "", "the .env `PATH` (default: the one the backend reads)")
	f.StringVar(&p.settings, "settings", "", "settings `MODULE` (default: as in manage.py)")
}

// starting are the flags of commands that start programs of the project.
func (p *place) starting(f *pflag.FlagSet) {
	p.waiting(f)
	f.StringVar(&p.python, "python", "", "its Python: a `PATH` or a command (default: venv's)")
	f.StringVar(&p.as, "as", "", "for root: `USER` to run the project's code as")
}

// waiting is the flag of commands that wait for something.
func (p *place) waiting(f *pflag.FlagSet) {
	p.timeout = steps.DefaultTimeout
	f.Var((*positive)(&p.timeout), "timeout", "longest wait for Django or a server")
}

// positive is a time above zero.
type positive time.Duration

func (p *positive) String() string { return time.Duration(*p).String() }
func (p *positive) Type() string   { return "DURATION" }

func (p *positive) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return errors.New("it needs a time above zero, such as 30s")
	}
	*p = positive(d)
	return nil
}

// server are the addresses of the backend, and who vouches for them.
type server struct {
	urls   []string
	caFile string
}

func (s *server) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&s.urls, "url", nil, "base `URL` of the server; repeatable (default: found)")
	f.StringVar(&s.caFile, "ca-file", "", "trust the authorities in this PEM `FILE` for https")
}

// answers are given on the command line in place of those of a person.
type answers struct {
	yes, trustConfig, wait bool
	confirm                []string
}

func (a *answers) flags(f *pflag.FlagSet) {
	f.BoolVar(&a.yes, "yes", false, "ask nothing")
	f.StringArrayVar(&a.confirm, "confirm", nil, "confirm production by its `NAME`; needed with --yes")
}

// trusting is the flag of the commands that go where the configuration says.
func (a *answers) trusting(f *pflag.FlagSet) {
	f.BoolVar(&a.trustConfig, "trust-config", false, "agree to where keysplit.toml sends key and password")
}

// queueing is the flag of the commands that want the project for themselves.
func (a *answers) queueing(f *pflag.FlagSet) {
	f.BoolVar(&a.wait, "wait", false, "wait until another run here has ended")
}

// meaningless is a flag that means nothing to a command. Earlier releases took it
// everywhere, so it is accepted for one release more, unseen.
type meaningless struct{}

func (meaningless) String() string   { return "" }
func (meaningless) Set(string) error { return nil }
func (meaningless) Type() string     { return "" }

// acceptMeaningless has every command accept the flags that earlier releases took on
// all of them. A command's own flag of that name comes first.
func acceptMeaningless(root *cobra.Command) {
	for _, name := range []string{"project", "env", "env-file", "settings", "python", "timeout", "theme"} {
		root.PersistentFlags().AddFlag(&pflag.Flag{Name: name, Value: meaningless{}, Hidden: true})
	}
	for _, name := range []string{"json", "no-color", "accessible"} {
		root.PersistentFlags().AddFlag(&pflag.Flag{Name: name, Value: meaningless{}, Hidden: true, NoOptDefVal: "true"})
	}
}

// meaninglessOf are the flags, as typed, that were given to a command and mean
// nothing to it.
func meaninglessOf(cmd *cobra.Command) string {
	var names []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if _, ok := f.Value.(meaningless); ok {
			names = append(names, "--"+f.Name)
		}
	})
	return strings.Join(names, ", ")
}
