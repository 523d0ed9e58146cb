// Package finding is the catalogue of what can be wrong with a project, an
// environment or a server: stable codes, each with its severity, one plain
// sentence, the reason why it matters, and the fix.
//
// A finding holds no secret. A code that the catalogue does not have cannot be
// made: New panics.
package finding

import (
	"sort"

	"dj/keysplit/steps/prose"
)

// Severity grades a finding.
type Severity string

// The severities. Error is for whatever keeps the backend from starting, lets a
// public, shared or weak key in, lets a token through that must not pass, or
// hides the key from the backend. Warning is for exposure and for the rest of
// the house. Info is for the rest.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Code names a kind of finding. Codes are stable: scripts rely on them.
type Code string

// Finding is one thing that is wrong or worth knowing. It holds no secret.
type Finding struct {
	Code     Code       `json:"code"`
	Severity Severity   `json:"severity"`
	File     string     `json:"file,omitempty"` // relative to the project
	Line     int        `json:"line"`           // 1-based; 0 when no line applies
	Message  prose.Text `json:"message"`        // one plain sentence
	Why      prose.Text `json:"why"`            // why it matters
	Fix      Fix        `json:"fix"`            // exactly what to do
	Fixable  bool       `json:"fixable"`        // keysplit can do it
	Optional bool       `json:"-"`              // and does it on request only
	Ask      prose.Text `json:"-"`              // the question to which a person may say yes, to go on anyway; empty where nothing overrules it

	usual prose.Text // the catalogue's message, once it is clean
}

// Clean is a finding with each of its texts cleaned.
func (f Finding) Clean(clean func(prose.Text) prose.Text) Finding {
	f.usual = clean(prose.Of(catalogue()[f.Code].Message))
	f.Message, f.Why, f.Ask, f.Fix = clean(f.Message), clean(f.Why), clean(f.Ask), clean(f.Fix)
	return f
}

// Page is what is known about a kind of finding, whatever the project.
type Page struct {
	Code     Code
	Severity Severity
	Message  string // the finding's sentence when the finder has no better one
	Why      string
	Fix      Fix
	Fixable  bool
	ByHand   string // why keysplit does not fix it, one sentence; "" where it does
	Edit     bool   // the fix is an edit that keysplit makes on request only
}

// New makes a finding of a code in the catalogue. An empty message takes
// the catalogue's sentence. A code that is not in the catalogue is a mistake in
// the program and panics.
func New(code Code, message string) Finding {
	p, ok := catalogue()[code]
	if !ok {
		panic("no page for finding " + string(code))
	}
	if message == "" {
		message = p.Message
	}
	return Finding{Code: code, Severity: p.Severity, Message: prose.Of(message), Why: prose.Of(p.Why), Fix: p.Fix, Fixable: p.Fixable, Optional: p.Edit}
}

// At returns the finding with a place: a file relative to the project and a
// 1-based line, 0 for none.
func (f Finding) At(file string, line int) Finding {
	f.File, f.Line = file, line
	return f
}

// WithFix returns the finding with a fix that fits the case better than the
// catalogue's.
func (f Finding) WithFix(fix Fix) Finding {
	f.Fix = fix
	return f
}

// Asking returns the finding as one that a person may overrule, after reading the
// question. See Run.Overrule.
func (f Finding) Asking(question string) Finding {
	f.Ask = prose.Of(question)
	return f
}

// WithSeverity returns the finding with another severity, for codes whose
// weight depends on the environment.
func (f Finding) WithSeverity(s Severity) Finding {
	f.Severity = s
	return f
}

// NotFixable returns the finding as one that keysplit cannot fix here,
// whatever it can do about others of its kind.
func (f Finding) NotFixable() Finding {
	f.Fixable = false
	return f
}

// FixedBySteps reports whether the steps of an upgrade fix the finding.
func (f Finding) FixedBySteps() bool { return f.Fixable && !f.Optional }

// Unread reports whether the finding says, of a key that was just written, that the
// settings do not read it.
func (f Finding) Unread() bool {
	return f.Code == KeyUnread || f.Code == SettingsNotUpgraded || f.Code == JWTKeyMissing
}

// OnRequest returns the finding as one whose fix is made on request only.
func (f Finding) OnRequest() Finding {
	f.Fixable, f.Optional = true, true
	return f
}

// Needed returns the finding as one that an upgrade fixes.
func (f Finding) Needed() Finding {
	f.Fixable, f.Optional = true, false
	return f
}

// LookUp returns the page of a code.
func LookUp(code Code) (Page, bool) {
	p, ok := catalogue()[code]
	return p, ok
}

// Codes lists every code of the catalogue in alphabetical order.
func Codes() []Code {
	all := make([]Code, 0, len(catalogue()))
	for c := range catalogue() {
		all = append(all, c)
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	return all
}

// Errors keeps the findings of severity error.
func Errors(fs []Finding) []Finding {
	var out []Finding
	for _, f := range fs {
		if f.Severity == Error {
			out = append(out, f)
		}
	}
	return out
}

// Overrulable is the first finding that a person may overrule.
func Overrulable(fs []Finding) (Finding, bool) {
	for _, f := range fs {
		if !f.Ask.Empty() {
			return f, true
		}
	}
	return Finding{}, false
}

// Has reports whether a finding of that code is among fs.
func Has(fs []Finding, code Code) bool {
	_, has := First(fs, code)
	return has
}

// First is the first finding of that code.
func First(fs []Finding, code Code) (f Finding, ok bool) {
	for _, f := range fs {
		if f.Code == code {
			return f, true
		}
	}
	return Finding{}, false
}
