package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/smoketest"
	"dj/keysplit/steps/status"
)

// statusOptions are those of status.
type statusOptions struct {
	speech
	place
	server
	answers
	targets   []string
	all, live bool
}

func newStatus(stdio IO) *cobra.Command {
	o := &statusOptions{}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show which key is where, its age, and what is unfinished",
		Long: `Show each place of the key and the fingerprint of what it holds, the key's age,
a grace period, what is unfinished, and the latest runs. Nothing is changed, and
none of the project's code runs. One key has one fingerprint everywhere.

With --live the running server is asked which key it signs with, by test tokens
for a user that does not exist. What was not checked is listed too.

It exits with 0 whatever it finds, and with 3 if it cannot inspect the project.
To find problems, run keysplit check.`,
		Example: `  keysplit status
  keysplit status --env staging --live
  keysplit status --all --json`,
		Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.all && cmd.Flags().Changed("env") {
				return steps.Usage("--all and --env cannot be used together")
			}
			if o.all && len(o.targets)+len(o.urls) > 0 {
				return steps.Usage("--all takes the targets and addresses of keysplit.toml, so --target and --url cannot be used with it")
			}
			if len(o.urls) > 0 && !o.live {
				return steps.Usage("--url goes with --live")
			}
			return o.print(cmd.Context(), stdio)
		},
	}
	f := cmd.Flags()
	o.speech.flags(f)
	o.place.flags(f)
	o.place.waiting(f)
	o.server.flags(f)
	o.trusting(f)
	targetsFlag(f, &o.targets, "look for the key at `SPEC` (see keysplit help targets)")
	f.BoolVar(&o.all, "all", false, "every environment of keysplit.toml")
	f.BoolVar(&o.live, "live", false, "ask the running server which key it signs with")
	return cmd
}

// statusReport is what `status --json` prints. Its names are stable.
type statusReport struct {
	Schema       int             `json:"schema"`
	Environments []status.Status `json:"environments"`
}

func (o *statusOptions) print(ctx context.Context, stdio IO) error {
	report := statusReport{Schema: 1}
	f := o.plain(stdio)
	for i, name := range o.environments(o.all) {
		at := o.place
		at.env = name
		one, err := o.look(ctx, stdio, &at)
		if err != nil {
			return err
		}
		report.Environments = append(report.Environments, one)
		if !o.json {
			if i > 0 {
				f.line("")
			}
			f.status(one)
		}
	}
	if o.json {
		return printJSON(stdio.Out, report)
	}
	return nil
}

// environments are those that a command is about: with all, every one of the
// configuration, where it has any.
func (p *place) environments(all bool) []string {
	if all {
		conf, _ := p.configuration() // what is wrong with it, the look at the environment says
		if names := conf.Names(); len(names) > 0 {
			return names
		}
	}
	return []string{p.env}
}

// look looks at one environment.
func (o *statusOptions) look(ctx context.Context, stdio IO, p *place) (status.Status, error) {
	reach := looks
	if o.live {
		reach = asks
	}
	run, err := found(ctx, stdio, p, request{
		server: o.server, delivery: delivery{targets: o.targets}, answers: o.answers, speech: &o.speech, command: "status", reach: reach,
		options: steps.Options{ReadOnly: true}, anywhere: o.live,
	})
	if err != nil {
		return status.Status{}, err
	}
	defer run.Close()
	s, err := status.Of(ctx, run, time.Now())
	if err != nil {
		return s, err
	}
	if !o.live {
		s.Unseen = append(s.Unseen, prose.Say("The server. To see which key it signs with: `keysplit status --live`"))
	} else {
		err = o.ask(ctx, run, &s)
	}
	for i, t := range s.Unseen {
		s.Unseen[i] = run.Fit(t)
	}
	return s, err
}

// ask asks the running servers.
func (o *statusOptions) ask(ctx context.Context, run *steps.Run, s *status.Status) error {
	if len(run.Options.Untrusted) > 0 {
		s.Unseen = append(s.Unseen, prose.Say("The server: nobody has agreed to the addresses of keysplit.toml. To agree, add --trust-config."))
		return nil
	}
	if err := run.Home().Look(ctx); err != nil {
		s.Unseen = append(s.Unseen, prose.Say("The server: no place says which key it should sign with."))
		return ctx.Err()
	}
	if err := (&restart.Step{}).Witness(ctx, run); err != nil {
		return err
	}
	all, err := (&smoketest.Step{}).Signing(ctx, run)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		s.Unseen = append(s.Unseen, prose.Say("The server: keysplit found none of this project, and knows no address. To name it: --url URL."))
	}
	keys, _ := run.Home().Keys()
	for _, one := range all {
		s.Servers = append(s.Servers, status.Server{
			URL: run.Redactor.Clean(one.Address), Key: one.Key.Fingerprint(), Says: run.Fit(one.Says), Agree: one.Key.Equal(keys.Key.Secret),
		})
	}
	return nil
}

// rowWidth is the width of the labels of a status.
const rowWidth = 12

// status shows one environment.
func (p *plainFront) status(s status.Status) {
	p.line("%s", p.s.Bold.Render(s.Environment))
	row := func(label, format string, args ...any) {
		p.line("  %-*s"+format, append([]any{rowWidth, label}, args...)...)
	}
	for i, place := range s.Places {
		row([]string{"Key", ""}[min(i, 1)], "%s", placeInWords(place))
	}
	if slices.ContainsFunc(s.Places, func(p status.Place) bool { return p.Key != "" }) {
		row("Age", "%s", s.Age())
	}
	for _, server := range s.Servers {
		row("Server", "%s %s", server.URL, cmp.Or(map[bool]string{true: server.Key + ", "}[server.Key != ""], "")+server.Says.Rendered())
	}
	switch g := s.Grace; {
	case g == nil:
	case g.Over:
		row("Grace", "over since %s; the variables of %s can be removed", g.Until.Format(minute), g.Key)
	default:
		row("Grace", "%s is accepted as well, until %s", g.Key, g.Until.Format(minute))
	}
	for _, u := range s.Unfinished {
		p.say("  ", "Unfinished: ", p.s.Warn, u)
	}
	for i, r := range s.Runs {
		row([]string{"Runs", ""}[min(i, 1)], "%s", ranInWords(r))
	}
	for _, u := range s.Unseen {
		p.say("  ", "Not looked at: ", p.s.Muted, u)
	}
}

// minute is how a time is shown.
const minute = "2006-01-02 15:04 MST"

func placeInWords(p status.Place) string {
	where := cmp.Or(p.Where, p.Target)
	switch p.State {
	case status.HasKey:
		text := p.Key + "  " + where
		if p.Changed != nil {
			text += ", changed " + p.Changed.Format(minute)
		}
		return text
	case status.Sealed:
		return "there, and cannot be read back: " + where
	case status.NoKey:
		return "none in " + where
	case status.Unknown:
		return "not known, keysplit cannot read it from here: " + where
	}
	return "not looked at: " + where + " (" + p.Why.Rendered() + ")"
}

func ranInWords(r status.Ran) string {
	text := r.Time.Format(minute) + "  changed " + strings.Join(r.Changed, ", ")
	if r.Key != "" {
		text += fmt.Sprintf(", key %s", r.Key)
	}
	switch {
	case r.Undone:
		text += ", undone since"
	case !r.Finished && r.Key != "":
		text += ", not finished"
	}
	return text
}
