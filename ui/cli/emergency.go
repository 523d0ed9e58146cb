package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps/emergency"
	"dj/keysplit/steps/prose"
)

// emergencyReport is what `rollback --emergency --json` prints. Its names are
// stable.
type emergencyReport struct {
	Schema   int                 `json:"schema"`
	Until    time.Time           `json:"until"`
	Change   emergency.Change    `json:"change"` // what is known of the commit
	Plan     []emergency.Section `json:"plan"`
	Recorded bool                `json:"recorded"` // --yes
}

// runEmergency shows the emergency rollback as a plan. Nothing of the project is
// changed; only the deadline is recorded, when the user says so.
func runEmergency(ctx context.Context, stdio IO, o *rollbackOptions) error {
	run, err := found(ctx, stdio, &o.place, request{speech: &o.speech, command: "rollback", answers: answers{wait: o.wait}, reach: nowhere})
	if err != nil {
		return err
	}
	defer run.Close()
	until := time.Now().Add(emergency.Limit)
	change := emergency.Find(ctx, run)
	plan := emergency.PlanFor(change, until)
	if o.json {
		if o.yes {
			if err := run.Journal.StartEmergency(until); err != nil {
				return err
			}
		}
		return printJSON(stdio.Out, emergencyReport{1, until.UTC(), change, plan, o.yes})
	}
	lines := o.plain(stdio)
	fmt.Fprint(stdio.Out, emergency.Text(plan, func(t prose.Text) []string { return lines.s.Say("", t, lipgloss.NewStyle(), width-2, false) }))
	if !o.yes {
		if !stdio.InTTY {
			fmt.Fprintln(stdio.Out, "\nNothing was recorded. Add --yes, and keysplit check reminds you of the deadline.")
			return nil
		}
		answer, err := lines.Ask(ctx, "Have you reverted the change? keysplit check then reminds you of the deadline.", []choice{{key: 'n', text: "no"}, {key: 'y', text: "yes, record it"}})
		if err != nil {
			return err
		}
		if answer != 'y' {
			fmt.Fprintln(stdio.Out, "Nothing was recorded.")
			return nil
		}
	}
	if err := run.Journal.StartEmergency(until); err != nil {
		return err
	}
	fmt.Fprintln(stdio.Out, "Recorded. keysplit check reminds you until "+until.UTC().Format("2006-01-02 15:04 MST")+", and calls it an error after that.")
	return nil
}
