package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/demo"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/secret"
	"dj/keysplit/ui"
)

func newDemo(stdio IO, sig *signals) *cobra.Command {
	o := &wizardOptions{}
	o.env, o.throwaway = steps.DefaultEnvironment, true
	var names []string
	for _, s := range demo.States() {
		names = append(names, string(s))
	}
	var start string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Try it on a throwaway project with a small backend of its own",
		Long: `Run the five steps on a temporary project with a small built-in backend that
behaves like the guide's. It needs no Python and no Django, touches nothing of
yours and leaves nothing behind. Without a terminal, or with --yes, it runs
through line by line.

What is wrong with the project at the start, for --start:
` + strings.Join(names, ", "),
		Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(names, start) {
				return steps.Usage("--start %s: choose one of %s", secret.Quote(start), strings.Join(names, ", "))
			}
			if err := o.checkTheme(); err != nil {
				return err
			}
			o.yes = o.yes || !stdio.InTTY || !stdio.OutTTY || o.json
			return runDemo(cmd.Context(), stdio, o, sig, demo.State(start))
		},
	}
	f := cmd.Flags()
	o.speech.flags(f)
	o.place.waiting(f)
	o.themed(f)
	f.BoolVar(&o.yes, "yes", false, "ask nothing, run through line by line")
	f.StringVar(&start, "start", string(demo.Missing), "`WHAT` is wrong at the start")
	_ = cmd.RegisterFlagCompletionFunc("start", fixed(names, noFiles))
	return cmd
}

func runDemo(ctx context.Context, stdio IO, o *wizardOptions, sig *signals, start demo.State) (err error) {
	s, err := demo.Make(start)
	if err != nil {
		return &exitError{code: ExitFinding, err: err}
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	// The demo's journal goes when the demo goes.
	stdio.State = s.State
	run, err := o.run(ctx, stdio)
	if err != nil {
		return err
	}
	run.Options.Folder = s.Root
	run.Environ = demo.LookupEnv
	e := ui.NewEngine(run, &preflight.Step{OpenDjango: s.OpenDjango}, &restart.Step{Find: s.Servers, KeyOf: s.KeyOf, Start: s.Start})
	if o.yes {
		run.Answers.TempUser = true
		f := o.front(stdio)
		f.Note("This is a demo on a throwaway project. Nothing of yours is touched.")
		return upgrade(ctx, stdio, e, f, &o.upgradeOptions)
	}
	_, err = wizard(ctx, stdio, o, sig, e)
	return err
}

// newBackend is the demo's own backend, which keysplit starts as a process of
// its own. It is not for people.
func newBackend(stdio IO) *cobra.Command {
	return &cobra.Command{
		Use:                demo.Command,
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			if code := demo.RunBackend(args, stdio.In, stdio.Out, stdio.Err); code != 0 {
				return &exitError{code: code}
			}
			return nil
		},
	}
}
