package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"dj/keysplit/steps/emergency"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/ui/style"
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
func runEmergency(ctx context.Context, stdio IO, o *options) error {
	o.reach = nowhere
	run, err := found(ctx, stdio, o)
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
	fmt.Fprint(stdio.Out, emergency.Text(plan, func(s string) string { return strings.Join(style.Wrap(s, width-2, false), "\n") }))
	if !o.yes {
		if !stdio.InTTY {
			fmt.Fprintln(stdio.Out, "\nNothing was recorded. To have keysplit check remind of the deadline: add --yes")
			return nil
		}
		answer, err := newPlain(stdio, o).Ask(ctx, "Have you taken the change back? keysplit check then reminds of the deadline.", []choice{{'n', "no"}, {'y', "yes, record it"}})
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
	fmt.Fprintln(stdio.Out, "Recorded. keysplit check reminds until "+until.UTC().Format("2006-01-02 15:04 MST")+", and calls it an error after that.")
	return nil
}

// reminders are what the journal knows about time: the age of the key, a grace
// period that is over, an emergency rollback that is not put right.
func reminders(one *checked, now time.Time) ([]finding.Finding, error) {
	run := one.run
	j := run.Journal
	if j == nil {
		var err error
		if j, err = run.Options.State.Read(run.Project.Root, run.Options.Environment); err != nil {
			return nil, err
		}
	}
	var out []finding.Finding
	if key, until, under := run.Grace(now); key.Set() && !under {
		f := finding.New(finding.GraceOver, "The grace period ended at "+until.UTC().Format("2006-01-02 15:04 MST")+".")
		if file := run.Home().File(); file != "" {
			f = f.At(run.Project.Rel(file), 0)
		}
		out = append(out, f)
	}
	// Where a key cannot be read back, the place itself tells when it was set.
	for i, h := range run.Held {
		if age := now.Sub(h.Changed); !h.Readable && h.There && !h.Changed.IsZero() && age > journal.MaxKeyAge {
			out = append(out, finding.New(finding.JWTKeyOld, fmt.Sprintf("JWT_SECRET_KEY in %s is %.0f days old.", h.Where, age.Hours()/24)).At(run.Targets[i].Spec(), 0).
				WithFix("Run: "+run.Command("upgrade")+" --rotate, in a quiet hour."))
		}
	}
	if j == nil {
		return out, nil
	}
	if keys, err := one.currentKeys(); err == nil {
		if since, known := j.KeySince(keys.Key.Secret); known && now.Sub(since) > journal.MaxKeyAge {
			out = append(out, finding.New(finding.JWTKeyOld, fmt.Sprintf("JWT_SECRET_KEY is %.0f days old.", now.Sub(since).Hours()/24)).
				WithFix("Run: "+run.Command("upgrade")+" --rotate, then "+run.Command("grace")+", in a quiet hour."))
		}
	}
	if f, ok := emergency.Remind(j, one.findings, one.ready, now); ok {
		out = append(out, f)
	}
	return out, nil
}
