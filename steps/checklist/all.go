package checklist

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/sys/git"
)

// All is the checklists of several environments, in one table. Its names are part of
// the JSON that `report --all --json` prints and do not change.
type All struct {
	Schema       int      `json:"schema"`
	Complete     bool     `json:"complete"`
	Environments []Report `json:"environments"`
	Lacking      []Lack   `json:"lacking"`
}

// Lack is one place without the key.
type Lack struct {
	Environment string     `json:"environment,omitempty"` // "" for a committed file, which is of all of them
	Where       string     `json:"where"`                 // a file with its line, or what the item says
	Since       *time.Time `json:"since"`                 // the commit by which it came to lack the key; null where that is not known
}

// Together makes one table of reports. run is that of one of them, for what git tells.
func Together(ctx context.Context, run *steps.Run, reports []Report) All {
	all := All{Schema: 1, Complete: true, Environments: reports, Lacking: []Lack{}}
	named := oldest(ctx, run, "-S", run.Names().Key, "--", "*.py")
	seen := map[string]bool{}
	for _, r := range reports {
		all.Complete = all.Complete && r.Complete
		if it := r.Items[0]; it.State == Open {
			all.Lacking = append(all.Lacking, Lack{Environment: r.Environment, Where: it.Reason, Since: named})
		}
		for _, f := range r.Findings {
			where := at(f.File, f.Line)
			if !slices.Contains(missing, f.Code) || seen[where] {
				continue
			}
			seen[where] = true
			since := named
			if made := oldest(ctx, run, "--diff-filter=A", "--", f.File); made != nil && named != nil && made.After(*named) {
				since = made
			}
			all.Lacking = append(all.Lacking, Lack{Where: where, Since: since})
		}
	}
	return all
}

// missing are the codes of files that lack the key.
var missing = []finding.Code{finding.ExampleMissingKey, finding.CIMissingKey, finding.ComposeMissingKey, finding.KubernetesMissingKey, finding.DocsMissingKey}

// oldest is the time of the first commit that git log lists, nil where git does not tell.
func oldest(ctx context.Context, run *steps.Run, args ...string) *time.Time {
	log := []string{"log", "--no-textconv", "--no-ext-diff", "--no-show-signature", "--no-patch", "--format=%cI"}
	res, ok := git.Ask(ctx, run.Project.TopLevel, nil, 64<<10, append(log, args...)...)
	lines := bytes.Fields(res.Stdout)
	if !ok || res.Code != 0 || len(lines) == 0 {
		return nil
	}
	when, err := time.Parse(time.RFC3339, string(lines[len(lines)-1]))
	if err != nil {
		return nil
	}
	when = when.UTC()
	return &when
}

// since is the end of a sentence about a lack.
func (l Lack) since() string {
	if l.Since == nil {
		return "since when is not known"
	}
	return "since " + l.Since.Format("2006-01-02")
}

func (l Lack) in() string {
	if l.Environment == "" {
		return "every environment"
	}
	return l.Environment
}

// Markdown is the table as GitHub shows it.
func (a All) Markdown() string {
	var b strings.Builder
	b.WriteString("| Environment |")
	for _, it := range a.items() {
		fmt.Fprintf(&b, " %d |", it.Number)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(a.items())) + "\n")
	for _, r := range a.Environments {
		fmt.Fprintf(&b, "| %s |", escape(r.Environment))
		for _, it := range r.Items {
			fmt.Fprintf(&b, " %s |", it.State)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for _, it := range a.items() {
		fmt.Fprintf(&b, "%d. %s\n", it.Number, escape(it.Title))
	}
	b.WriteString("\n### Without the key\n\n")
	for _, l := range a.Lacking {
		fmt.Fprintf(&b, "- %s: %s, %s\n", escape(l.in()), escape(l.Where), l.since())
	}
	if len(a.Lacking) == 0 {
		b.WriteString("No place that was looked at lacks it.\n")
	}
	return b.String()
}

// Text is the table without any markup.
func (a All) Text() string {
	var b strings.Builder
	width := len("Environment")
	for _, r := range a.Environments {
		width = max(width, len(r.Environment))
	}
	fmt.Fprintf(&b, "%-*s", width, "Environment")
	for _, it := range a.items() {
		fmt.Fprintf(&b, "  %-8d", it.Number)
	}
	b.WriteString("\n")
	for _, r := range a.Environments {
		fmt.Fprintf(&b, "%-*s", width, r.Environment)
		for _, it := range r.Items {
			fmt.Fprintf(&b, "  %-8s", it.State)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for _, it := range a.items() {
		fmt.Fprintf(&b, "%d. %s\n", it.Number, it.Title)
	}
	b.WriteString("\nWithout the key\n")
	for _, l := range a.Lacking {
		fmt.Fprintf(&b, "- %s: %s, %s\n", l.in(), l.Where, l.since())
	}
	if len(a.Lacking) == 0 {
		b.WriteString("No place that was looked at lacks it.\n")
	}
	return b.String()
}

// items are the nine, as the first environment has them.
func (a All) items() []Item { return a.Environments[0].Items }
