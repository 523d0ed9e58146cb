package ui

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// Again asks for the wizard once more: on the demo, or with the value of a flag that the
// person has answered for.
type Again struct {
	Demo        bool
	Flag, Value string
}

// remedy is a way out of findings for which a person has to name something else.
type remedy struct {
	codes           []finding.Code
	advice          string // in place of the catalogue's, which names a flag
	label           string // of the button, "" where the page has one of its own
	question, field string
	flag            string
	judge           func(string) (steps.Mark, string)
}

var remedies = []remedy{
	{
		codes:  []finding.Code{finding.ServerUnreachable, finding.ServerNotFound, finding.InsecureURL, finding.TLSUntrusted, finding.LoginCSRF},
		advice: "Start the backend, or give its right address.",
		label:  "Another address", question: "At which address does the server answer?", field: "Address", flag: "url", judge: judgeAddress,
	},
	{
		codes:  []finding.Code{finding.LoginRejected},
		advice: "Try again with the right account.",
	},
	{
		codes:  []finding.Code{finding.DjangoNotRunnable},
		advice: "Fix that, or name the project's own Python.",
		label:  "Another Python", question: "Which Python does the project run with?", field: "Path", flag: "python",
	},
	{
		codes: []finding.Code{finding.EnvFileUnreadable, finding.EnvFileNotRegular},
		label: "Another file", question: "In which file should the key be?", field: "Path", flag: "env-file",
	},
	{
		codes:  []finding.Code{finding.ProjectNotFound},
		advice: "Choose a folder with a manage.py of Django's.",
		label:  "Another folder", question: "In which folder is the project?", field: "Path", flag: "project",
	},
	{label: "Another settings module", question: "Which settings module does the project use?", field: "Module", flag: "settings"},
	{label: "Another user", question: "As which user does the backend run?", field: "User", flag: "as"},
}

// remedyOf is the way out of a finding, nil where there is none. The demo's project has
// no other.
func (w *wizard) remedyOf(f finding.Finding) *remedy {
	i := slices.IndexFunc(remedies, func(r remedy) bool { return slices.Contains(r.codes, f.Code) })
	if i < 0 || w.throwaway && remedies[i].label != "" {
		return nil
	}
	return &remedies[i]
}

// advised is a finding as a page says it that has an action for it: by its button where
// the advice names a flag.
func (w *wizard) advised(g finding.Group) finding.Group {
	page, _ := finding.LookUp(g.Code)
	if r := w.remedyOf(g.Finding); r != nil && (g.Fix == page.Fix || g.Fix == page.Fix.For(w.facts.flags)) && r.advice != "" {
		g.Fix = prose.Of(r.advice)
	}
	if !w.throwaway {
		g.Fix = g.Fix.Instead(func(command string) string {
			if r := named(command, w.facts.flags[""]); r != nil {
				return r.label
			}
			return ""
		})
	}
	return g
}

// named is the remedy that gives the flag which a command of keysplit alone has beside
// those of the run, nil for none.
func named(command string, flags []string) *remedy {
	words := strings.Fields(prose.Without(command, flags))
	if len(words) < 2 || words[0] != "keysplit" {
		return nil
	}
	i := slices.IndexFunc(remedies, func(r remedy) bool { return r.label != "" && words[1] == "--"+r.flag })
	if i < 0 {
		return nil
	}
	return &remedies[i]
}

// ways are the actions that name something else, for the findings of a page: those of
// their codes, and those whose flags their advice names.
func (w *wizard) ways(found []finding.Finding) (out []option) {
	add := func(r *remedy) {
		if r != nil && r.label != "" && !slices.ContainsFunc(out, func(o option) bool { return o.label == r.label }) {
			out = append(out, option{label: r.label, act: r.ask})
		}
	}
	for _, f := range found {
		if f.Severity != finding.Error {
			continue
		}
		if !w.throwaway {
			for _, p := range f.Fix.Parts() {
				if p.Command {
					add(named(p.Text, w.facts.flags[""]))
				}
			}
		}
		add(w.remedyOf(f))
	}
	return out
}

// ask opens the form for what is named instead.
func (r *remedy) ask(w *wizard) tea.Cmd {
	value := newField(r.field, false, "Type it first")
	value.judge = r.judge
	w.open(&form{question: r.question, fields: []*field{value}, submit: func(w *wizard) tea.Cmd {
		return w.once(Again{Flag: r.flag, Value: value.take()})
	}})
	return nil
}

// once ends the program, to begin again.
func (w *wizard) once(a Again) tea.Cmd {
	w.again = &a
	return w.leave()
}

// judgeAddress says what an address still lacks.
func judgeAddress(text string) (steps.Mark, string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return steps.MarkPending, "such as http://127.0.0.1:8000"
	}
	return steps.MarkOK, cmp.Or(map[string]string{"https": "an https address"}[u.Scheme], "an http address")
}

// elsewhere are the projects that were found below the folder, and the demo, where the
// folder itself has none.
func (w *wizard) elsewhere() (out []option) {
	for _, folder := range w.below {
		out = append(out, option{label: steps.FromHere(folder), act: func(w *wizard) tea.Cmd {
			return w.once(Again{Flag: "project", Value: folder})
		}})
	}
	return append(out, option{label: "Try the demo", act: func(w *wizard) tea.Cmd { return w.once(Again{Demo: true}) }})
}
