package checklist

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/sys/git"
)

// Markdown is the report as GitHub shows it, with check boxes, fit to be pasted
// into a pull request.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s upgrade: %s, %s\n\n%s %s\n\n",
		r.names.Fill(steps.GuideNames.Key), code(r.Project), escape(r.Environment), r.count(), escape(r.looked()))
	for _, it := range r.Items {
		box := "x"
		if it.State == Open {
			box = " "
		}
		fmt.Fprintf(&b, "- [%s] %d\\. %s\n", box, it.Number, r.names.Fill(items[it.Number-1].title))
		for _, ev := range it.Evidence {
			where := ""
			if ev.File != "" {
				where = code(at(ev.File, ev.Line)) + " "
			}
			fmt.Fprintf(&b, "  - %s%s\n", where, escape(ev.said()+ev.source()))
		}
		if it.State == Open {
			fmt.Fprintf(&b, "  - **Open:** %s. %s\n", escape(it.Reason), escape(it.Next.Rendered()))
		}
	}
	if len(r.Findings) > 0 {
		b.WriteString("\n### Findings\n\n")
		for _, f := range finding.Groups(r.Findings) {
			fmt.Fprintf(&b, "- **%s** %s%s: %s %s\n", f.Severity, code(string(f.Code)), whereOf(f, func(s string) string { return " " + code(s) }),
				escape(f.Message.Rendered()), escape(f.Fix.Rendered()))
		}
	}
	return b.String()
}

// Sign says which program looked, where, and at which state of the project: what a
// reader of the report must know to repeat the look.
func (r *Report) Sign(ctx context.Context, run *steps.Run, version string) {
	clean := func(s string) string { return strings.ReplaceAll(run.Redactor.Clean(s), "\n", " ") }
	r.Keysplit = clean(version)
	if host, err := os.Hostname(); err == nil {
		r.Machine = clean(host)
	}
	r.Commit, r.Changed = git.Head(ctx, run.Project.TopLevel)
	r.Commit = clean(r.Commit)
}

// looked says by whom, where and when the report was made, and at which commit.
func (r Report) looked() string {
	out := "Checked by keysplit"
	if r.Keysplit != "" {
		out += " " + r.Keysplit
	}
	if r.Machine != "" {
		out += " on " + r.Machine
	}
	out += ", " + stamp(r.Time) + "."
	if r.Commit == "" {
		return out
	}
	out += " The project is at commit " + r.Commit
	if r.Changed != nil {
		out += map[bool]string{true: ", with changes that are not committed", false: ", without uncommitted changes"}[*r.Changed]
	}
	return out + "."
}

// Text is the report without any markup.
func (r Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s upgrade: %s, %s\n%s %s\n\n", r.names.Fill(steps.GuideNames.Key), r.Project, r.Environment, r.count(), r.looked())
	for _, it := range r.Items {
		fmt.Fprintf(&b, "%d. %s: %s\n", it.Number, it.Title, it.State)
		for _, ev := range it.Evidence {
			fmt.Fprintf(&b, "   - %s\n", ev.Words())
		}
		if it.State == Open {
			fmt.Fprintf(&b, "   - %s\n   - %s\n", it.Reason, it.Next.Rendered())
		}
	}
	if len(r.Findings) > 0 {
		b.WriteString("\nFindings\n")
		for _, f := range finding.Groups(r.Findings) {
			fmt.Fprintf(&b, "- %s %s%s: %s %s\n", f.Severity, f.Code, whereOf(f, func(s string) string { return " " + s }), f.Message.Rendered(), f.Fix.Rendered())
		}
	}
	return b.String()
}

// AddFindings puts what else is wrong with the project before the report's own
// findings. The same finding comes once.
func (r *Report) AddFindings(fs []finding.Finding) {
	all := slices.Clone(fs)
	for _, f := range r.Findings {
		if !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	r.Findings = all
}

// count says how many items are in which state.
func (r Report) count() string {
	n := map[State]int{}
	for _, it := range r.Items {
		n[it.State]++
	}
	text := fmt.Sprintf("%d of %d done", n[Done], len(r.Items))
	if n[Attested] > 0 {
		text += fmt.Sprintf(", %d signed off", n[Attested])
	}
	return text + fmt.Sprintf(", %d left.", n[Open])
}

// said is the evidence without its place.
func (ev Evidence) said() string {
	if ev.By == "" {
		return ev.Text
	}
	return ev.Text + " by " + ev.By + ": " + ev.Note
}

// inWords is the evidence with its place.
func (ev Evidence) inWords() string {
	if ev.File == "" {
		return ev.said()
	}
	return at(ev.File, ev.Line) + " " + ev.said()
}

// Words is the evidence with its place, its check and its time.
func (ev Evidence) Words() string { return ev.inWords() + ev.source() }

// source says by which check and when.
func (ev Evidence) source() string {
	server := ev.Server
	if ev.Check == checked(steps.Restart, steps.LineAnswers) {
		server = "" // restart's own line names it
	}
	commit := ""
	if ev.Commit != "" {
		commit = "commit " + ev.Commit
	}
	parts := slices.DeleteFunc([]string{ev.Check, server, stamp(ev.Time), commit}, func(part string) bool { return part == "" })
	return " (" + strings.Join(parts, ", ") + ")"
}

func at(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// whereOf are the places of a finding, "" when it has none.
func whereOf(f finding.Group, wrap func(string) string) string {
	if f.File == "" {
		return ""
	}
	return wrap(f.Places())
}

// code puts text into a code span that the text cannot end.
func code(text string) string { return "`" + strings.ReplaceAll(text, "`", "'") + "`" }

// escape keeps text from being read as Markdown or HTML. An underscore inside a
// word means nothing to GitHub and stays readable. A name behind an at sign
// would call people; the empty comment keeps it from doing so.
func escape(text string) string {
	var b strings.Builder
	runes := []rune(text)
	word := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]) || runes[i] == '_')
	}
	for i, r := range runes {
		switch {
		case r == '@':
			b.WriteString("@<!-- -->")
			continue
		case r == '_' && word(i-1) && word(i+1):
		case strings.ContainsRune("\\`*_[]<>#|~&", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
