package ui

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/write"
)

// Again asks for the wizard once more: on the demo, or with the value of a flag that the
// person has answered for.
type Again struct {
	Demo        bool
	Flag, Value string
}

// Remedy is a way out of findings for which a person has to name something else.
type Remedy struct {
	codes  []finding.Code
	advice string // in place of the catalogue's, which names a flag
	Label  string // of the button, "" where the page has one of its own
	// Question asks for it, in a field of that name; "" where there is nothing to name.
	Question, Field string
	flag            string
	Value           string // that the advice gives it, "" for none
	given           string // that it has in this run, likewise
	judge           func(string) (steps.Mark, string)
}

const (
	anotherAddress = "Another address"
	anotherRestart = "Another restart"
)

var remedies = []Remedy{
	{
		codes:  []finding.Code{finding.ServerUnreachable, finding.ServerNotFound},
		advice: "Start the backend, or give its right address.",
		Label:  anotherAddress, Question: "At which address does the server answer?", Field: "Address", flag: "url", judge: judgeAddress,
	},
	{
		codes: []finding.Code{finding.InsecureURL, finding.TLSUntrusted, finding.LoginCSRF},
		Label: anotherAddress, Question: "At which address does the server answer?", Field: "Address", flag: "url", judge: judgeAddress,
	},
	{
		codes:  []finding.Code{finding.LoginRejected},
		advice: "Try again with the right account.",
	},
	{
		codes:  []finding.Code{finding.LoginWithheld},
		advice: "Check the address, and the authentication classes of the routes that were asked. Go on anyway sends it the password all the same.",
	},
	{
		codes:  []finding.Code{finding.ProofInconclusive},
		advice: "Log in with an account: the token of a real login shows the key.",
	},
	{
		codes:  []finding.Code{finding.DjangoNotRunnable},
		advice: "Fix that, or name the project's own Python.",
		Label:  "Another Python", Question: "Which Python does the project run with?", Field: "Path", flag: "python",
	},
	{
		codes: []finding.Code{finding.EnvFileUnreadable, finding.EnvFileNotRegular, finding.EnvFileReadOnly},
		Label: "Another file", Question: "In which file should the key be?", Field: "Path", flag: "env-file",
	},
	{Label: "Another environment", Question: "To which environment does the file belong?", Field: "Environment", flag: "env"},
	{
		codes:  []finding.Code{finding.ProjectNotFound},
		advice: "Choose a folder with a manage.py of Django's.",
		Label:  "Another folder", Question: "In which folder is the project?", Field: "Path", flag: "project",
	},
	{Label: "Another settings module", Question: "Which settings module does the project use?", Field: "Module", flag: "settings"},
	{
		codes: []finding.Code{finding.RestartFailed},
		Label: anotherRestart, Question: "How is the backend restarted?", Field: "Way", flag: "restart", judge: judgeRestart,
	},
	{Label: "Another place", Question: "Where should the key go?", Field: "Place", flag: "target", judge: judgePlace},
	{Label: "Another route", Question: "Which route answers only with a token?", Field: "Path", flag: "protected", judge: judgeRoute},
	{Label: "Login route", Question: "At which path does one log in?", Field: "Path", flag: "login", judge: judgeRoute},
	{Label: "Refresh route", Question: "At which path is a token refreshed?", Field: "Path", flag: "refresh", judge: judgeRoute},
	{Label: "Certificate", Question: "Which file holds the certificate of its authority?", Field: "Path", flag: "ca-file"},
	{Label: "More time", Question: "How long may one wait take?", Field: "Time", flag: "timeout", judge: judgeTime},
	{Label: "Another user", Question: "As which user does the backend run?", Field: "User", flag: "as"},
	{Label: "Another key", flag: "rotate"},
	{
		codes:  []finding.Code{finding.GraceNotInForce},
		advice: "Restart every process with the module of the grace period in its code, then try again.",
	},
}

// remedyOf is the way out of a finding by its code, nil where there is none.
func remedyOf(f finding.Finding) *Remedy {
	i := slices.IndexFunc(remedies, func(r Remedy) bool { return slices.Contains(r.codes, f.Code) })
	if i < 0 {
		return nil
	}
	return &remedies[i]
}

// advised is a finding as a page says it that has an action for it. The demo's project has
// no other of anything.
func (w *wizard) advised(g finding.Group) finding.Group {
	if r := remedyOf(g.Finding); !w.throwaway || r != nil && r.Label == "" {
		g.Finding = Advised(g.Finding, w.facts.flags)
	}
	g.Fix = g.Fix.Repeated(w.repeats())
	return g
}

// repeats are the words of the page for running keysplit again.
func (w *wizard) repeats() string {
	p := w.current()
	switch {
	case p != nil && w.phase(p) == failed && p.Name != steps.Preflight && finding.Has(p.findings, finding.EnvFileChanged):
		return "start over"
	case p != nil && w.phase(p) == failed:
		return "retry"
	case p != nil && p.Name == steps.Preflight && w.blocked():
		return "look again"
	}
	return "press r"
}

// Advised is a finding as it is said to a person who has the ways out of Remedies: by their
// names where the advice names a flag. flags are those of keysplit's commands in this run.
func Advised(f finding.Finding, flags prose.Flags) finding.Finding {
	page, _ := finding.LookUp(f.Code)
	if r := remedyOf(f); r != nil && (f.Fix == page.Fix || f.Fix == page.Fix.For(flags)) && r.advice != "" {
		f.Fix = prose.Of(r.advice)
	}
	f.Fix = f.Fix.Instead(func(command string) string {
		r := named(command, flags[""])
		switch {
		case f.Optional && strings.HasSuffix(command, " --fix"):
			return "step " + strconv.Itoa(steps.About(steps.Write).Number) + " offers it"
		case command == prose.With("keysplit rollback", flags["rollback"]):
			return "Roll back"
		case r == nil:
			return ""
		case r.Value != "":
			return r.Label + ", " + r.Value
		}
		return r.Label
	})
	return f
}

// named is the remedy that gives the one flag which a command that takes the steps has
// beside those of the run, nil for none.
func named(command string, flags []string) *Remedy {
	command = strings.Replace(command, "keysplit upgrade", "keysplit", 1)
	words := strings.Fields(prose.Without(command, flags))
	if len(words) < 2 || words[0] != "keysplit" {
		return nil
	}
	i := slices.IndexFunc(remedies, func(r Remedy) bool {
		return r.Label != "" && words[1] == "--"+r.flag && (len(words) > 2) == (r.Question != "")
	})
	if i < 0 {
		return nil
	}
	r := remedies[i]
	if len(words) == 3 && prose.Filled(words[2]) {
		r.Value = strings.Trim(words[2], "'")
	}
	return &r
}

// waitForIt is the way out where another run is at work.
var waitForIt = Remedy{Label: "Wait for it", flag: "wait"}

// misnamed is the remedy of the flag of this run that named the place which a finding is
// about, nil for none.
func misnamed(f finding.Finding, again []string) *Remedy {
	for i := range remedies {
		r := &remedies[i]
		for at, word := range again[:max(0, len(again)-1)] {
			value := again[at+1]
			if (r.flag == "target" || r.flag == "restart") && word == "--"+r.flag && f.File != "" && (strings.HasPrefix(f.File, value) || strings.HasPrefix(value, f.File)) {
				return r
			}
		}
	}
	return nil
}

// Remedies are the ways out of a failure by naming something else: those of the codes of
// its findings, those whose flags their advice names, and the one whose flag named it.
// again are the flags that keysplit alone has in this run.
func Remedies(err error, found []finding.Finding, again []string) (out []*Remedy) {
	if held := (*journal.HeldError)(nil); errors.As(err, &held) {
		return []*Remedy{&waitForIt}
	}
	add := func(r *Remedy) {
		if r == nil {
			return
		}
		copied := *r
		copied.given = valueOf(again, r.flag)
		if r = &copied; r.Label != "" && !slices.ContainsFunc(out, func(o *Remedy) bool { return o.Label == r.Label }) {
			out = append(out, r)
		}
	}
	byFlag := func(flag string) {
		if i := slices.IndexFunc(remedies, func(r Remedy) bool { return r.Label != "" && r.flag == flag }); i >= 0 {
			add(&remedies[i])
		}
	}
	if usage := (*steps.UsageError)(nil); errors.As(err, &usage) && usage.Flag != "" {
		byFlag(usage.Flag)
	}
	for _, f := range finding.Errors(found) {
		for _, flag := range []string{"target", "env-file", "restart"} {
			if f.Code == finding.PlaceNotFound && valueOf(again, flag) != "" {
				byFlag(flag)
			}
		}
		for _, p := range f.Fix.Parts() {
			if p.Command {
				add(named(p.Text, again))
			}
		}
		add(remedyOf(f))
		add(misnamed(f, again))
	}
	return out
}

// valueOf is what a flag has among others, the last one where it is given more than once;
// "" for one that is not.
func valueOf(flags []string, name string) (value string) {
	for i, word := range flags {
		if word == "--"+name && i+1 < len(flags) {
			value = flags[i+1]
		}
	}
	return value
}

// remedies are Remedies in this run. The demo's project has no other of anything.
func (w *wizard) remedies(err error, found []finding.Finding) []*Remedy {
	if w.throwaway {
		return nil
	}
	return Remedies(err, found, w.facts.flags[""])
}

// ways are their actions.
func (w *wizard) ways(p *page) []option { return actions(w.remedies(p.failure, p.findings)) }

func actions(all []*Remedy) (out []option) {
	for _, r := range all {
		out = append(out, option{label: r.Label, act: r.ask})
	}
	return out
}

// waysOn are those of what a step that is done has found.
func (w *wizard) waysOn(p *page) []option {
	var found []finding.Finding
	for _, f := range p.findings {
		found = append(found, f.WithSeverity(finding.Error))
	}
	return actions(w.remedies(nil, found))
}

// ask opens the form for what is named instead, where there is something to name.
func (r *Remedy) ask(w *wizard) tea.Cmd {
	if r.Question == "" {
		return w.once(*r.With("true"))
	}
	return r.name(w, func(w *wizard, text string) tea.Cmd { return w.once(*r.With(text)) })
}

// name opens the form, and does then with what was typed.
func (r *Remedy) name(w *wizard, then func(*wizard, string) tea.Cmd) tea.Cmd {
	value := r.newField()
	value.fill(cmp.Or(r.Value, r.given))
	w.open(&form{question: r.Question, fields: []*field{value}, submit: func(w *wizard) tea.Cmd { return then(w, value.take()) }})
	return nil
}

func (r *Remedy) newField() *field {
	value := newField(r.Field, false, "Type it first")
	value.judge = r.judge
	return value
}

// Lacks says why the text cannot be used, "" where it can.
func (r *Remedy) Lacks(text string) string {
	value := r.newField()
	value.fill(text)
	return value.lacks()
}

// With is the wizard once more, with what was named.
func (r *Remedy) With(text string) *Again { return &Again{Flag: r.flag, Value: text} }

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

// judgeRestart says whether a way to restart is one that keysplit knows.
func judgeRestart(text string) (steps.Mark, string) {
	if _, err := restart.Parse(text); err != nil {
		return steps.MarkPending, "such as command:./restart.sh, systemd:UNIT or none"
	}
	return steps.MarkOK, "a way that keysplit knows"
}

// judgePlace says whether a place is one that keysplit can write to.
func judgePlace(text string) (steps.Mark, string) {
	if _, err := write.Targets([]string{text}); err != nil {
		return steps.MarkPending, "such as kubernetes:SECRET, fly:APP or dotenv:FILE"
	}
	return steps.MarkOK, "a place that keysplit writes to"
}

// judgeRoute says whether a path is one of the server.
func judgeRoute(text string) (steps.Mark, string) {
	if !strings.HasPrefix(text, "/") {
		return steps.MarkPending, "such as /api/token/"
	}
	return steps.MarkOK, "a path on the server"
}

// judgeTime says whether a time is one.
func judgeTime(text string) (steps.Mark, string) {
	if d, err := time.ParseDuration(text); err != nil || d <= 0 {
		return steps.MarkPending, "such as 10m or 90s"
	}
	return steps.MarkOK, ""
}

// Offer is something that the wizard can begin again with, and its label.
type Offer struct {
	Label string
	Again
}

// MaxBelow is how many projects below the folder are offered.
const MaxBelow = 5

// Offers are the projects below a folder that has none, and the demo.
func Offers(below []string) (out []Offer) {
	for _, folder := range below {
		out = append(out, Offer{steps.FromHere(folder), Again{Flag: "project", Value: folder}})
	}
	return append(out, Offer{"Try the demo", Again{Demo: true}})
}

// elsewhere are the buttons for them.
func (w *wizard) elsewhere() (out []option) {
	for _, o := range Offers(w.below) {
		out = append(out, option{label: o.Label, act: func(w *wizard) tea.Cmd { return w.once(o.Again) }})
	}
	return out
}
