package ui

import (
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps/checklist"
)

// messageMsg is the message for the team, as the project stands now.
type messageMsg string

// messageOverlay shows the message to send to the team; c copies it.
func messageOverlay() *overlay {
	return &overlay{title: "Message for the team", brief: "message", key: "m",
		copies: func(w *wizard) string { return w.message },
		draw: func(w *wizard, s *sheet) {
			if w.message == "" {
				s.hang("", w.styles.Muted, "Going through the checklist for it.")
				return
			}
			s.text(w.message)
		}}
}

// askMessage has the message written, once the engine is free.
func (w *wizard) askMessage() tea.Cmd {
	r := w.runner
	return r.alone(func() tea.Msg {
		if r.closed.Load() {
			return nil
		}
		run := r.engine.Run
		if run.Project == nil || run.Journal == nil {
			return messageMsg("The project is not known yet.")
		}
		report, err := checklist.Look(r.ctx, run, time.Now())
		if err != nil {
			return messageMsg("keysplit could not go through the checklist: " + run.Redactor.Clean(err.Error()))
		}
		return messageMsg(report.TeamMessage())
	})
}

// reportMsg is the report for the clipboard.
type reportMsg string

// askReport has the report made, once the engine is free.
func (w *wizard) askReport() tea.Cmd {
	r := w.runner
	return r.alone(func() tea.Msg {
		run := r.engine.Run
		if r.closed.Load() || run.Project == nil || run.Journal == nil {
			return nil
		}
		seen, err := checklist.Look(r.ctx, run, time.Now())
		if err != nil {
			return copiedMsg("keysplit could not go through the checklist: " + run.Redactor.Clean(err.Error()))
		}
		return reportMsg(seen.Text())
	})
}

// text adds lines as they are. Where they are too long, lines that were broken
// because they were full become one paragraph again, below its own indent. Those without
// one are headings.
func (s *sheet) text(text string) {
	const full = 60 // columns
	indent, paragraph, last := "", "", 0
	flush := func() {
		st := lipgloss.NewStyle()
		if indent == "" {
			st = s.s.Bold
		}
		if paragraph != "" {
			s.hang(indent, st, paragraph)
		}
		paragraph, last = "", 0
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		rest := strings.TrimLeft(line, " ")
		in := line[:len(line)-len(rest)]
		switch {
		case rest == "":
			flush()
			s.blank()
			continue
		case s.width < textWidth && last >= full && in == indent:
			paragraph += " " + rest
		default:
			flush()
			indent, paragraph = in, rest
		}
		last = len(line)
	}
	flush()
}
