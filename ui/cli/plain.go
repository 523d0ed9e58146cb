package cli

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/sys/guard"
	"dj/keysplit/ui"
	"dj/keysplit/ui/style"
)

// width is how wide plain lines get before they wrap.
const width = 76

// room is how much of a line there is behind an indent. What is read aloud has neither:
// there a line is a sentence.
func (p *plainFront) room(indent string) int {
	if p.spoken {
		return 1 << 16
	}
	return width - len(indent)
}

// plainFront prints lines that stay in the scrollback. It never moves the
// cursor, so a screen reader, a log and a pipe all show the same.
type plainFront struct {
	out    io.Writer
	real   io.Writer // out, while behind is in its place
	in     *bufio.Reader
	s      style.Styles
	spoken bool // for a screen reader: words for signs, numbered choices
	fixes  bool // the run that is shown does what fixable findings ask for
	found  bool // the latest event was a finding

	advised func(f finding.Finding, again string) finding.Finding // what ends a step, where a person has ways out; nil for none

	held     []finding.Finding              // of a look that is not at its end, to be shown together
	behind   *bytes.Buffer                  // what goes behind the verdict, between hold and show
	standing func([]finding.Finding) string // the verdict on what a look found; nil for none
}

func newPlain(stdio IO, o *speech) *plainFront {
	w := stdio.Out
	if watched, ok := w.(*output); ok {
		w = watched.Writer // only a file tells what its terminal can show
	}
	r := lipgloss.NewRenderer(w)
	if o.noColor || os.Getenv("NO_COLOR") != "" || !stdio.OutTTY || os.Getenv("TERM") == "dumb" {
		r.SetColorProfile(termenv.Ascii)
	}
	spoken := o.spoken || os.Getenv("ACCESSIBLE") != ""
	marks := style.MarksFor(style.UTF8())
	if spoken {
		marks = style.Spoken()
	}
	return &plainFront{out: stdio.Out, in: bufio.NewReader(stdio.In), s: style.Basic(r, marks), spoken: spoken}
}

func (p *plainFront) line(format string, args ...any) {
	text := p.s.Marks.Plain(fmt.Sprintf(format, args...))
	if p.spoken {
		text = strings.TrimLeft(text, " ")
	}
	fmt.Fprintln(p.out, text)
}

func (p *plainFront) Step(n steps.Name) {
	p.line("")
	i := steps.About(n)
	title := strings.ToUpper(i.Task[:1]) + i.Task[1:]
	if i.Number > 0 {
		title = fmt.Sprintf("%d of %d  %s", i.Number, steps.Numbered(), i.Title)
	}
	p.line("%s", p.s.Bold.Render(title))
}

func (p *plainFront) Plan(plan steps.Plan) {
	if !plan.Summary.Empty() {
		p.wrapped("  ", lipgloss.NewStyle(), plan.Summary.Rendered())
	}
	for _, d := range plan.Details {
		p.say("  ", "", p.s.Muted, d)
	}
	p.edits(plan.Offered())
	diffs := plan.Diffs()
	for _, f := range diffs {
		if len(diffs) > 1 {
			p.line("  %s", p.s.Bold.Render(f.File))
		}
		p.diff(f.Lines)
	}
	for _, e := range plan.Effects {
		p.marked("  ", p.s.Warn.Render(p.s.Marks.Warn), e.Rendered())
	}
}

// edits lists the edits of a plan with their numbers, by which they are switched, and
// whether they are on.
func (p *plainFront) edits(all []steps.Edit) {
	for i, e := range all {
		label := fmt.Sprintf("%d. %s  ", i+1, map[bool]string{true: "on ", false: "off"}[e.On])
		if p.spoken {
			label = fmt.Sprintf("Edit %d, %s: ", i+1, map[bool]string{true: "on", false: "off"}[e.On])
		}
		p.say("  ", label, lipgloss.NewStyle(), e.Why)
		if !e.ByHand.Empty() {
			p.say("          ", "", p.s.Muted, e.ByHand)
		}
	}
}

func (p *plainFront) diff(lines []steps.DiffLine) {
	for _, d := range lines {
		s := p.s.Muted
		switch d.Op {
		case "+":
			s = p.s.OK
		case "-":
			s = p.s.Error
		}
		text := fmt.Sprintf("%s %s %s", d.Number(4), d.Op, d.Text)
		if p.spoken && d.Line > 0 {
			text = fmt.Sprintf("line %d%s: %s", d.Line, map[string]string{"+": ", added", "-": ", removed"}[d.Op], d.Text)
		}
		text = s.Render(text)
		if d.Note != "" {
			text += map[bool]string{true: ", ", false: "   "}[p.spoken] + p.s.Muted.Render(d.Note)
		}
		p.line("  %s", text)
	}
}

func indent(text, by string) string {
	return by + strings.ReplaceAll(text, "\n", "\n"+by)
}

// Event leaves the beginning and the good end of a step out: its own lines say what
// it did, or took back.
func (p *plainFront) Event(ev steps.Event) {
	defer func() { p.found = ev.Kind == steps.EventFinding }()
	switch ev.Kind {
	case steps.EventCheck:
		p.check(ev)
	case steps.EventProgress:
		text := ev.Text
		if ev.Limit > 0 {
			text = prose.Say("%s, for %v at most.", text, ev.Limit)
		}
		p.say("  ", "", p.s.Muted, text)
	case steps.EventOutput:
		p.say("    ", "", p.s.Muted, ev.Text)
	case steps.EventFinding:
		f, again := *ev.Finding, "look again"
		if ev.Ends {
			f, again = f.NotFixable(), "retry" // the step failed with it, so that nothing follows that fixes it
		}
		if p.advised != nil && (ev.Ends || ui.Blocked([]finding.Finding{f})) { // it is asked about
			f = p.advised(f, again)
		}
		if p.behind != nil || ev.Step == steps.Preflight {
			p.held = append(p.held, f)
			return
		}
		p.release()
		p.finding(one(f), "")
	case steps.EventDone:
		if p.behind == nil && ev.Step == steps.Preflight {
			p.release()
		}
	case steps.EventFailed:
		found := p.found || len(p.held) > 0
		if p.behind == nil {
			p.release()
		}
		// The findings before it have said more than its text.
		if !found {
			p.marked("  ", p.s.Error.Render(p.s.Marks.Failed), ev.Text.Rendered())
		}
	case steps.EventSkipped:
		p.line("  %s skipped: %s", p.s.Warn.Render(p.s.Marks.Warn), ev.Text.Rendered())
	}
}

// check prints a line of proof when it is settled. A line that is merely
// pending or running would have to be overwritten later, so it waits.
func (p *plainFront) check(ev steps.Event) {
	if ev.Mark == steps.MarkPending || ev.Mark == steps.MarkRunning {
		return
	}
	const column = 34
	text, detail := ev.Text.Rendered(), ev.Detail.Rendered()
	switch {
	case detail == "":
		p.line("  %s %s", p.s.Mark(ev.Mark), text)
	case p.spoken:
		p.marked("  ", p.s.Mark(ev.Mark), text+": "+detail)
	case ansi.StringWidth(text) > column || column+5+ansi.StringWidth(detail) > width:
		p.line("  %s %s", p.s.Mark(ev.Mark), text)
		p.wrapped("      ", p.s.Muted, detail)
	default:
		p.line("  %s %-*s %s", p.s.Mark(ev.Mark), column, text, p.s.Muted.Render(detail))
	}
}

// hold keeps what is said back, until show: the verdict on a look is its first line.
func (p *plainFront) hold() {
	p.behind = &bytes.Buffer{}
	p.real, p.out = p.out, p.behind
}

// show ends hold: the verdict where there are findings, what was said, and they.
func (p *plainFront) show(verdict string) {
	if p.behind == nil {
		return
	}
	said := p.behind.Bytes()
	p.out, p.behind = p.real, nil
	if verdict != "" && len(p.held) > 0 {
		p.Note(verdict)
		p.line("")
	}
	_, _ = p.out.Write(said)
	p.release()
}

// release shows what was held: how the project stands, and what was found, each thing once.
func (p *plainFront) release() {
	held := p.held
	if p.held = nil; len(held) == 0 {
		return
	}
	if p.standing != nil {
		if said := p.standing(held); said != "" {
			p.line("")
			p.Note(said)
		}
	}
	then := ""
	if p.fixes {
		then = "keysplit fixes this in the next steps."
	}
	if then != "" && slices.ContainsFunc(held, func(f finding.Finding) bool { return f.Severity == finding.Error && !f.FixedBySteps() }) {
		then = "keysplit fixes this once you have fixed the rest." // the steps do not come before that
	}
	for _, g := range finding.Groups(held) {
		p.finding(g, then)
	}
}

// one is a finding by itself.
func one(f finding.Finding) finding.Group { return finding.Groups([]finding.Finding{f})[0] }

// finding prints what is one thing, and its fix; then is said in place of a fix that the
// steps after it make, "" where none come. Why it matters is said where a person has to
// act; keysplit explain says it of all.
func (p *plainFront) finding(g finding.Group, then string) {
	head := p.s.Severity(g.Severity) + " " + p.s.Bold.Render(string(g.Code))
	if place := g.Places(); place != "" {
		head += "  " + p.s.Muted.Render(place)
	}
	if p.spoken { // what is wrong comes first, its name for explain last
		p.say("", p.s.Severity(g.Severity)+" ", lipgloss.NewStyle(), g.Message)
		p.line("%s", strings.TrimSpace(g.Places()+" ("+string(g.Code)+")"))
	} else {
		p.line("  %s", head)
		p.say("    ", "", lipgloss.NewStyle(), g.Message)
	}
	if then != "" && g.FixedBySteps() {
		p.wrapped("    ", p.s.Accent, then)
		return
	}
	if g.Severity == finding.Error && !g.FixedBySteps() {
		p.say("    ", "", p.s.Muted, g.Why)
	}
	p.say("    ", "Fix: ", lipgloss.NewStyle(), g.Fix)
}

func (p *plainFront) Note(text string) { p.wrapped("", lipgloss.NewStyle(), text) }

// Ask waits for a line: the letter, number or words of a choice. Enter alone takes
// the first choice; anything unknown asks again. The end of input cancels, and so does q,
// where it is none of the choices.
func (p *plainFront) Ask(ctx context.Context, question string, choices []choice) (byte, error) {
	for {
		p.question(question, choices)
		line, err := p.readLine(ctx)
		if err != nil {
			fmt.Fprintln(p.out)
			return 0, err
		}
		answer := strings.ToLower(strings.TrimSpace(line))
		if answer == "" {
			return choices[0].key, nil
		}
		if key, ok := chosen(answer, choices); ok {
			return key, nil
		}
		if answer == "q" || answer == "quit" {
			return 0, steps.ErrCancelled
		}
	}
}

func (p *plainFront) question(question string, choices []choice) {
	p.line("")
	if p.spoken {
		p.line("Question: %s", question)
		for i, c := range choices {
			p.line("  %d. %s", i+1, c.text)
		}
		fmt.Fprintf(p.out, "Type a number, or enter for 1: ")
		return
	}
	p.line("%s %s", p.s.Accent.Render(p.s.Marks.Bar), question)
	var words []string
	for _, c := range choices {
		words = append(words, fmt.Sprintf("%c %s", c.key, c.text))
	}
	row := ""
	for _, word := range append(words, "(enter: "+string(choices[0].key)+")") {
		if row != "" && ansi.StringWidth(row+"   "+word) > width {
			p.line("  %s", p.s.Muted.Render(row))
			row = ""
		}
		if row != "" {
			row += "   "
		}
		row += word
	}
	p.line("  %s", p.s.Muted.Render(row))
	fmt.Fprint(p.out, "> ")
}

// Line asks for one line of text, such as a name.
func (p *plainFront) Line(ctx context.Context, what string) (string, error) {
	fmt.Fprintf(p.out, "%s: ", what)
	line, err := p.readLine(ctx)
	return strings.TrimSpace(line), err
}

func (p *plainFront) readLine(ctx context.Context) (string, error) {
	type answer struct {
		line string
		err  error
	}
	typed := make(chan answer, 1)
	guard.Go(func() {
		line, err := p.in.ReadString('\n')
		typed <- answer{line, err}
	}, func(err error) { typed <- answer{err: err} })
	select {
	case <-ctx.Done():
		return "", steps.ErrCancelled
	case a := <-typed:
		if a.err != nil {
			return "", steps.ErrCancelled
		}
		return a.line, nil
	}
}

func (p *plainFront) Result(r result) {
	mark := p.s.Error.Render(p.s.Marks.Failed)
	switch {
	case r.Sure():
		mark = p.s.OK.Render(p.s.Marks.OK)
	case r.OK, r.Stopped, r.DryRun && r.Planned():
		mark = p.s.Warn.Render(p.s.Marks.Warn)
	}
	p.line("")
	p.marked("", mark, r.Summary.Rendered())
	for _, n := range r.Next {
		p.say("  ", "", lipgloss.NewStyle(), n)
	}
}
