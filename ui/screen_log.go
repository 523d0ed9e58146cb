package ui

import (
	"fmt"

	"dj/keysplit/steps"
)

// logOverlay shows everything that was done, with the time since the start.
func logOverlay() *overlay {
	return &overlay{title: "Log", brief: "log", key: "l", draw: func(w *wizard, s *sheet) {
		if len(w.log) == 0 {
			s.hang("", w.styles.Muted, "Nothing has been done yet.")
			return
		}
		begin := w.log[0].Time
		for _, ev := range w.log {
			at := fmt.Sprintf("%7.2f s  ", ev.Time.Sub(begin).Seconds())
			if w.width < 30 {
				at = fmt.Sprintf("%.1f ", ev.Time.Sub(begin).Seconds())
			}
			st := w.styles.Muted
			switch {
			case ev.Kind == steps.EventFailed || ev.Mark == steps.MarkFailed:
				st = w.styles.Error
			case ev.Kind == steps.EventDone:
				st = w.styles.OK
			}
			s.hang(w.styles.Muted.Render(at), st, logText(ev))
		}
	}}
}

// logText is one event in words.
func logText(ev steps.Event) string {
	text := steps.About(ev.Step).Title + ": "
	switch ev.Kind {
	case steps.EventCheck:
		text += ev.Text.Rendered() + ", " + string(ev.Mark)
		if !ev.Detail.Empty() {
			text += " (" + ev.Detail.Rendered() + ")"
		}
		return text
	case steps.EventFinding:
		return text + string(ev.Finding.Code) + ". " + ev.Text.Rendered()
	case steps.EventProgress, steps.EventOutput, steps.EventPrinted:
		return text + ev.Text.Rendered()
	}
	text += string(ev.Kind)
	if !ev.Text.Empty() {
		text += ". " + ev.Text.Rendered()
	}
	return text
}
