package ui

import (
	"context"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

func (st *stage) size(width, height int) string {
	st.send(tea.WindowSizeMsg{Width: width, Height: height})
	return st.w.View()
}

func lastRow(view string) string { return view[strings.LastIndex(view, "\n")+1:] }

// However narrow the terminal, the keys of a page name the help, and where there
// is room the way out.
func TestTheFooterKeepsTheHelp(t *testing.T) {
	pages := 0
	for _, sc := range scenes {
		st := newStage(t, plainLight)
		sc.play(st)
		fields := st.fields()
		if st.w.over != nil || st.w.question != nil || st.w.leaving || st.w.flash != "" || len(fields) > 0 {
			continue
		}
		pages++
		for _, size := range [][2]int{{120, 40}, {80, 24}, {60, 20}, {40, 20}, {20, 5}} {
			foot := lastRow(st.size(size[0], size[1]))
			if !strings.Contains(foot, "?") || size[0] >= 40 && !strings.Contains(foot, "q quit") {
				t.Errorf("%s at %v has %q", sc.name, size, foot)
			}
		}
	}
	if pages < 10 {
		t.Errorf("only %d of %d scenes are pages", pages, len(scenes))
	}
}

// What stands beside an option is read whole, or not at all.
func TestTheNotesOfOptionsAreNotCut(t *testing.T) {
	for _, n := range []steps.Name{steps.Generate, steps.SmokeTest} {
		st := newStage(t, plainLight).open().to(n)
		for width := 30; width <= 120; width++ {
			options := 0
			for _, row := range strings.Split(st.size(width, 24), "\n") {
				if !strings.Contains(row, "┃") {
					continue
				}
				options++
				if strings.Contains(row, "…") {
					t.Errorf("%s at %d columns has %q", n, width, row)
				}
			}
			if options == 0 {
				t.Fatalf("%s at %d columns has no option", n, width)
			}
		}
	}
}

// On a short terminal what is wrong comes before what is well, and the header
// says that there is more.
func TestAShortTerminalShowsWhatMattersFirst(t *testing.T) {
	st := newStage(t, plainLight).open()
	view := st.size(20, 5)
	if !strings.Contains(view, "✗ JWT_SECRET_KEY") {
		t.Errorf("what is wrong is not on the screen:\n%s", view)
	}
	if top, _, _ := strings.Cut(view, "\n"); !strings.Contains(top, "↓") {
		t.Errorf("nothing says that there is more: %q", top)
	}
	st.press("end")
	if top, _, _ := strings.Cut(st.w.View(), "\n"); !strings.Contains(top, "↑") {
		t.Errorf("nothing says that this is the end: %q", top)
	}
	if top, _, _ := strings.Cut(st.size(80, 24), "\n"); strings.ContainsAny(top, "↓↑") {
		t.Errorf("all is shown, and yet the header is %q", top)
	}
}

// A message in the footer is read to its end, also where one row does not hold it, and
// the page is back with the next key.
func TestAMessageInTheFooterIsWhole(t *testing.T) {
	for _, size := range append(sizes, [2]int{30, 5}) {
		st := newStage(t, plainLight).open()
		before := st.size(size[0], size[1])
		st.press("c")
		const message = "There is no command to copy here."
		if view := st.w.View(); !strings.Contains(stepstest.OneLine(view), message) || strings.Count(view, "\n") >= size[1] {
			t.Errorf("%v:\n%s", size, view)
		}
		st.press("x")
		if st.w.View() != before {
			t.Errorf("%v: the message left something behind:\n%s", size, st.w.View())
		}
	}
	st := newStage(t, plainLight).open()
	st.size(20, 4)
	st.press("c")
	if view := st.w.View(); !strings.Contains(view, "…") || strings.Count(view, "\n") >= 4 {
		t.Errorf("a message that does not fit does not say so:\n%s", view)
	}
}

// The list of findings cuts nothing, and only what is wrong here looks wrong.
func TestTheListOfFindings(t *testing.T) {
	st := newStage(t, plainLight)
	apply := st.fakes[steps.Preflight].apply
	st.fakes[steps.Preflight].apply = func(ctx context.Context, r *steps.Run, emit steps.Emit) error {
		emit.Find(finding.New("jwt-key-old", ""))
		emit.Find(finding.New("env-file-in-build-context", "").At("Dockerfile", 3))
		return apply(ctx, r, emit)
	}
	st.open().press("t")
	for _, width := range []int{40, 60, 76, 80, 100, 120, 200} {
		here := st.size(width, 400)
		known := st.press("a").w.View()
		st.press("esc")
		if strings.Contains(here+known, "…") {
			t.Errorf("something is cut at %d columns:\n%s\n%s", width, here, known)
		}
		if !strings.Contains(known, "ll findings") || strings.Count(known, "• ") < len(finding.Codes()) || strings.Count(here, "• ") > strings.Count(lastRow(here), "• ") {
			t.Errorf("at %d columns the catalogue is not its own, or not whole:\n%s", width, known)
		}
		if strings.ContainsAny(known, "✗!") {
			t.Errorf("the catalogue has marks of trouble at %d columns:\n%s", width, known)
		}
		last := -1
		for _, want := range []string{"✗ JWT_SECRET_KEY is not set.", "! The Dockerfile copies", "! Git does not ignore", "i JWT_SECRET_KEY is older"} {
			at := strings.Index(here, want)
			if at <= last {
				t.Errorf("%q is not in its place at %d columns:\n%s", want, width, here)
			}
			last = at
		}
	}
	// In columns: every message begins in the same one.
	at := -1
	st.press("a")
	for _, row := range strings.Split(st.size(80, 400), "\n") {
		if rest, ok := strings.CutPrefix(row, "     • "); ok {
			if _, message, ok := strings.Cut(rest, "  "); ok {
				now := ansi.StringWidth(row) - ansi.StringWidth(strings.TrimLeft(message, " "))
				if at < 0 {
					at = now
				}
				if now != at {
					t.Errorf("out of its column: %q", row)
				}
			}
		}
	}
}

// Moving through a list scrolls no more than it must.
func TestTheListScrollsAtItsEdges(t *testing.T) {
	st := newStage(t, plainLight).open().press("t", "a")
	st.size(80, 24)
	for range 30 {
		st.press("down")
	}
	scroll := st.w.scroll
	st.press("up")
	if st.w.scroll != scroll || scroll == 0 {
		t.Errorf("one step up scrolls from row %d to %d", scroll, st.w.scroll)
	}
}

func TestThePathInTheHeader(t *testing.T) {
	st := newStage(t, plainLight).open()
	top := func(width int) string { row, _, _ := strings.Cut(st.size(width, 24), "\n"); return row }
	st.w.facts.folder = "~/work/customers/acme/plants-and-flowers/services/backend/of/the/shop"
	if got := top(120); !strings.HasSuffix(got, "  "+st.w.facts.folder+"  development") {
		t.Errorf("at 120 columns: %q", got)
	}
	if got := top(80); !strings.HasSuffix(got, "  …/services/backend/of/the/shop  development") {
		t.Errorf("at 80 columns: %q", got)
	}
	st.w.facts.folder = "/tmp/keysplit-demo-1568966994/plants/backend"
	st.w.throwaway = true
	if got := top(80); !strings.HasSuffix(got, "  plants/backend  development") || strings.Contains(got, "demo-15") {
		t.Errorf("in the demo: %q", got)
	}
}

// Every page names the environment; on a narrow terminal the path goes first.
func TestTheEnvironmentInTheHeader(t *testing.T) {
	st := newStage(t, plainLight).open()
	for _, name := range []string{"staging", "production"} {
		st.w.facts.environment, st.w.facts.production = name, name == "production"
		for _, width := range []int{120, 80, 60, 40} {
			if row, _, _ := strings.Cut(ansi.Strip(st.size(width, 24)), "\n"); !strings.HasSuffix(strings.TrimRight(row, " "), " "+name) || ansi.StringWidth(row) > width {
				t.Errorf("at %d columns: %q", width, row)
			}
		}
		*st.w.styles = variants[0].look()
		if row, _, _ := strings.Cut(st.w.View(), "\n"); strings.Contains(row, st.w.styles.Danger.Render(" "+name+" ")) != (name == "production") {
			t.Errorf("its colour: %q", row)
		}
	}
}

// While the name of production is typed, the screen says which one it is.
func TestTheNameToTypeIsOnTheScreen(t *testing.T) {
	st := newStage(t, plainLight)
	production(st)
	st.open().to(steps.Write).press("enter").typed("pro")
	for _, size := range sizes {
		v := stepstest.OneLine(st.size(size[0], size[1]))
		if !strings.Contains(v, "Type production:") || !strings.Contains(v, "pro_") {
			t.Errorf("at %v:\n%s", size, st.w.View())
		}
		if size[1] >= 20 && !strings.Contains(v, "This is production.") {
			t.Errorf("at %v the question is gone:\n%s", size, st.w.View())
		}
	}
}

// A finding is shown with its place, whatever its sentence says.
func TestAFindingShowsItsPlace(t *testing.T) {
	st := newStage(t, plainLight)
	for want, f := range map[string]finding.Finding{
		"Look here. (backend/.env, line 4)": finding.New("line-glued", "Look here.").At("backend/.env", 4),
		"Look here. (fly:shop)":             finding.New("place-conflict", "Look here.").At("fly:shop", 0),
		"Look here.":                        finding.New("server-unreachable", "Look here."),
	} {
		s := newSheet(st.w.styles, 80, "")
		s.finding(one(f), false)
		if got := strings.TrimSpace(ansi.Strip(s.rows[0])); !strings.HasSuffix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The same finding in many places is one entry, where it is found and in the list.
func TestOneFindingInManyPlacesIsOneEntry(t *testing.T) {
	st := newStage(t, plainLight)
	apply := st.fakes[steps.Preflight].apply
	st.fakes[steps.Preflight].apply = func(ctx context.Context, r *steps.Run, emit steps.Emit) error {
		for _, line := range []int{14, 61, 62, 63, 98} {
			emit.Find(finding.New(finding.ValueInlineComment, "").At(".env", line).WithSeverity(finding.Error).Needed())
		}
		return apply(ctx, r, emit)
	}
	st.open()
	page := st.w.View()
	list := st.press("t").w.View()
	one := st.press("enter").w.View()
	for where, text := range map[string]string{"page": page, "list": list, "finding": one} {
		if strings.Count(text, "a comment after a value") != 1 || !strings.Contains(text, ".env:14, 61-63, 98") {
			t.Errorf("the %s has it %d times:\n%s", where, strings.Count(text, "a comment after a value"), text)
		}
	}
}
