// Package cli is the command tree: its flags, and the line-by-line and JSON
// front ends over the same steps that the full screen shows.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/guard"
)

// The exit codes. Scripts rely on them.
const (
	ExitOK        = 0
	ExitFinding   = 1   // a finding of severity error, or a step failed
	ExitUsage     = 2   // wrong usage or configuration
	ExitBlind     = 3   // keysplit could not inspect the project: there is none, a file cannot be read, or Django will not start and the key is not the reason
	ExitHeld      = 4   // another run is at work on the same project and environment
	ExitChanges   = 5   // only with --dry-run --detailed-exit-code: the plan would change something
	ExitCancelled = 130 // the user stopped it
)

// IO is where a command reads and writes.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
	InTTY    bool // a person types on In
	OutTTY   bool // a person reads Out

	State journal.Folder // where it keeps its journals
}

// Stdio is the process's own, with the state folder that KEYSPLIT_STATE_DIR names.
func Stdio() IO {
	return IO{
		State: cmp.Or(journal.Folder(os.Getenv("KEYSPLIT_STATE_DIR")), journal.UsersFolder()),
		In:    os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTTY: term.IsTerminal(int(os.Stdout.Fd())),
	}
}

// exitError carries an exit code up to Main. Its text is empty when everything
// was said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// Main runs one command and returns the exit code.
func Main(args []string, stdio IO) int {
	// Bubble Tea writes raw typed input, passwords included, to TEA_TRACE, and
	// panics to a world-readable file with TEA_DEBUG.
	_ = os.Unsetenv("TEA_TRACE")
	_ = os.Unsetenv("TEA_DEBUG")
	guardMemory()
	// net/http logs what a misbehaving server sent; nothing of that belongs on
	// the terminal.
	log.SetOutput(io.Discard)

	sig := &signals{stdio: stdio}
	out := &output{Writer: stdio.Out}
	stdio.Out = out
	root := newRoot(stdio, sig)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		complete(root) // for a shell that asks alone: it takes a good part of the start
	}
	root.SetArgs(args)
	root.SetIn(stdio.In)
	root.SetOut(stdio.Out)
	root.SetErr(stdio.Err)
	err := execute(context.Background(), root, sig)
	if why := stdio.State.Passing(); why != nil {
		fmt.Fprintf(stdio.Err, "Another run will show other fingerprints: %s.\n", secret.Inert(why.Error()))
	}
	if out.failed != nil && codeOf(err) == ExitOK {
		err = fmt.Errorf("write the output: %w", out.failed)
	}
	return exitCode(stdio, err)
}

// execute runs a command, which signals stop from its beginning on; --version and
// --help have none. What goes wrong before it begins is wrong usage: an unknown
// command or flag, or too many words.
func execute(ctx context.Context, root *cobra.Command, sig *signals) error {
	stop, began := func() {}, false
	root.PersistentPreRun = func(cmd *cobra.Command, _ []string) {
		began = true
		ctx, stop = sig.notify(ctx)
		cmd.SetContext(ctx)
		if names := meaninglessOf(cmd); names != "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s ignores %s; a later release will refuse that.\n", cmd.CommandPath(), names)
		}
	}
	err := root.ExecuteContext(ctx)
	stop()
	if err != nil && !began {
		return steps.Usage("%w", err)
	}
	if cause := context.Cause(ctx); errors.Is(cause, guard.Err) {
		return cause
	}
	return err
}

// output remembers that something could not be written, such as to a full disk: a
// script that reads a part of it must not take that for all.
type output struct {
	io.Writer
	failed error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	if err != nil && o.failed == nil {
		o.failed = err
	}
	return n, err
}

// signals ends the run when the user, the terminal or the system asks for it.
type signals struct {
	stdio      IO
	fullScreen atomic.Bool // the screen belongs to the wizard, which ends by itself
}

// notify ends the context at the first signal; a second one ends the program at
// once, in the state that the journal can take up again. While the full screen
// is shown nothing is printed and nothing is ended at once: the terminal would
// stay as it is then.
func (s *signals) notify(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	caught := make(chan os.Signal, 2)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	// Under nohup the user wants the run to outlive the terminal.
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(caught, syscall.SIGHUP)
	}
	done := make(chan struct{})
	guard.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-caught:
			}
			if !s.fullScreen.Load() {
				if n > 0 {
					os.Exit(ExitCancelled)
				}
				fmt.Fprintln(s.stdio.Err, "\nStopping. Press ctrl+c again to stop at once.")
			}
			cancel(steps.ErrCancelled)
		}
	}, cancel)
	return ctx, func() {
		signal.Stop(caught)
		close(done)
		cancel(nil)
	}
}

func exitCode(stdio IO, err error) int {
	if err == nil {
		return ExitOK
	}
	var exit *exitError
	if errors.As(err, &exit) {
		if exit.err != nil {
			fmt.Fprintln(stdio.Err, "keysplit: "+secret.Inert(exit.Error()))
		}
		return exit.code
	}
	fmt.Fprintln(stdio.Err, "keysplit: "+secret.Inert(err.Error()))
	code := codeOf(err)
	if code == ExitUsage {
		fmt.Fprintln(stdio.Err, "Run keysplit --help for the commands and flags.")
	}
	return code
}

// codeOf maps what an error is to an exit code.
func codeOf(err error) int {
	var misplaced *journal.PlaceError
	var held *journal.HeldError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &held):
		return ExitHeld
	case errors.Is(err, steps.ErrCancelled), errors.Is(err, context.Canceled):
		return ExitCancelled
	case errors.Is(err, steps.ErrUsage), errors.As(err, &misplaced):
		return ExitUsage
	case errors.Is(err, steps.ErrCannotLook), errors.Is(err, journal.ErrUnusable):
		return ExitBlind
	}
	return ExitFinding
}

// misused reports whether the command line or the configuration is at fault.
func misused(err error) bool { return codeOf(err) == ExitUsage }

// said wraps an error whose text the front end has shown.
func said(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code: codeOf(err)}
}

// told reports whether the engine's last event was about the error, so that the front
// end has shown it.
func told(e *steps.Engine, err error) bool {
	if len(e.Log) == 0 {
		return false
	}
	last := e.Log[len(e.Log)-1]
	return last.Kind == steps.EventFailed && last.Text == prose.Of(e.Run.Show(err.Error()))
}

func newRoot(stdio IO, sig *signals) *cobra.Command {
	o := &wizardOptions{}
	root := &cobra.Command{
		Use:   "keysplit",
		Short: "Give a Django backend a JWT_SECRET_KEY of its own, and prove that it works",
		Long: `keysplit takes a Django project through one breaking change: JWT_SECRET_KEY
becomes required, must differ from SECRET_KEY and must have 50 characters or
more. It makes the key, writes it where the backend reads it, proves that the
two keys differ, restarts, and proves on the running server which key signs.

keysplit help TOPIC explains: targets, restart, environments, ci, secrets`,
		Example: `  keysplit demo              try it on a throwaway project
  keysplit check             what is wrong here? changes nothing
  keysplit upgrade           the five steps, asking before each change
  keysplit rollback          undo the latest run, byte for byte`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runWizard(cmd.Context(), stdio, o, cmd.Flags(), sig)
		},
	}
	o.flags(root.Flags())
	o.themed(root.Flags())
	acceptMeaningless(root)
	root.SetHelpCommand(newHelp(stdio))
	root.AddCommand(newUpgrade(stdio), newCheck(stdio), newRollback(stdio), newDemo(stdio, sig), newReport(stdio), newStatus(stdio),
		newGrace(stdio), newExplain(stdio), newBackend(stdio), newMan(), newBugReport(stdio), newVersion(stdio))
	root.SetFlagErrorFunc(unknownFlag)
	return root
}

// noWords refuses words behind a command; behind keysplit alone they are the name
// of a command that there is not.
func noWords(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasParent() {
		return fmt.Errorf("unexpected argument %s: %s takes none", secret.Quote(args[0]), cmd.CommandPath())
	}
	return fmt.Errorf("unknown command %s%s", secret.Quote(args[0]), didYouMean("", args[0], commandNames(cmd)))
}

// unknownFlag adds the nearest flag of the command to the error, and masks a value
// that is no value of its flag.
func unknownFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var refused *pflag.InvalidValueError
	var malformed *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &refused):
		return fmt.Errorf("--%s does not take %s", refused.GetFlag().Name, secret.Quote(refused.GetValue()))
	case errors.As(err, &malformed):
		return fmt.Errorf("not a flag: %s", secret.Quote(malformed.GetSpecifiedFlag()))
	case !errors.As(err, &unknown):
		return err
	case unknown.GetSpecifiedShortnames() != "": // a key may begin with a hyphen
		return fmt.Errorf("unknown flag: %s", secret.Quote("-"+unknown.GetSpecifiedShortnames()))
	}
	name := unknown.GetSpecifiedName()
	said := "--" + name
	if quoted := secret.Quote(said); quoted != strconv.Quote(said) {
		said = quoted
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return fmt.Errorf("unknown flag: %s%s", said, didYouMean("--", name, names))
}

func didYouMean(mark, name string, valid []string) string {
	if near := config.Nearest(name, valid); near != "" {
		return "; did you mean " + mark + near + "?"
	}
	return ""
}
