package steps

import (
	"slices"
	"strings"
)

// StepInfo is what there is to say about a step wherever it is named.
type StepInfo struct {
	Name Name
	// Title is the one word for it: on the stepper, on buttons, in headings, in
	// reports and, in lower case, after --skip.
	Title string
	Task  string // what it does, as an order: "choose the key"
	Doing string // while it runs
	// Number is its place among the steps that a person is asked about, from 1. It is
	// 0 for the others, which begin by themselves and prove nothing. The table counts.
	Number int
	// Changes says what is done to the backend: "written", "restarted"; "" for a step
	// that changes nothing there. Stopping such a step in the middle is asked about.
	Changes string
	// InMemory is for a step whose Apply changes nothing but the run, and what an earlier
	// run that was cut off left half done: a dry run carries it out, since the later plans
	// need what it finds.
	InMemory  bool
	Skippable bool
	Why       string       // the reason for the step, two sentences
	Guide     []Correction // where keysplit differs from the upgrade guide
}

// Correction is one place in which keysplit differs from the guide.
type Correction struct{ Says, So string }

// table lists the steps in their order: a new one is a row here, a name in step.go, and
// a row in the table that joins the packages to their screens.
var table = numbered([]StepInfo{
	{
		Name: Preflight, Title: "Look", Task: "look at the project", Doing: "Looking at the project. Nothing is changed.", InMemory: true,
		Why: "With one key for sessions and tokens, whoever finds SECRET_KEY can log in as anyone. With two keys, a leak of one leaves the other safe.",
		Guide: []Correction{
			{"A backend that has JWT_SECRET_KEY in .env is not affected.", "With DEBUG on, nothing ever checked its length or that it differs. keysplit looks anyway."},
			{"Tokens issued so far stay valid: yes.", "They become invalid, refresh tokens too. Everybody logs in again."},
		},
	},
	{
		Name: Generate, Title: "Key", Task: "choose the key", Doing: "Choosing the key", InMemory: true, Skippable: true,
		Why: "A signing key must be random and long, or it can be found by trying. 64 random bytes give 86 characters that every reader of .env files reads alike.",
		Guide: []Correction{
			{"Or use get_random_secret_key().", "Its alphabet has $, # and &, which break in shells and mean different things to different readers."},
			{"50 characters are enough.", "The placeholder of the example file has 66 and passes every check of the backend. keysplit refuses it."},
		},
	},
	{
		Name: Write, Title: "Write", Task: "write the key", Doing: "Writing", Changes: "written", Skippable: true,
		Why: "The backend refuses to start without the key, so it must be where the backend reads it. Only one line changes, and a backup is kept.",
		Guide: []Correction{
			{"echo the key >> .env", "Without a final newline this glues two settings together and breaks both. keysplit edits by lines."},
		},
	},
	{
		Name: Distinct, Title: "Verify", Task: "verify that the keys differ", Doing: "Comparing the keys as the backend reads them", Skippable: true,
		Why: "Two keys protect only when they differ. The proof runs before the restart, so that a wrong setting never stops a running service.",
		Guide: []Correction{
			{"Print the first 20 characters of both keys.", "That leaves a large part of two secrets on the screen. keysplit compares them and shows fingerprints."},
			{"Run manage.py check after the restart.", "By then a wrong setting has taken the service down."},
		},
	},
	{
		Name: Restart, Title: "Restart", Task: "restart the backend", Doing: "Making the backend read the key", Changes: "restarted", Skippable: true,
		Why: "Settings are read once, when a process starts. A server that is not restarted goes on with the old key.",
		Guide: []Correction{
			{"manage.py runserver picks it up.", "Its reloader does not watch .env. keysplit makes it reload, or watches for the new process."},
			{"Restart nginx as well.", "nginx never reads the key."},
		},
	},
	{
		Name: SmokeTest, Title: "Login", Task: "smoke-test the login", Doing: "Asking the running server", Skippable: true,
		Why: "Only the running server can show which key it signs with. The proof needs no password; one real login then shows that people can get in.",
		Guide: []Correction{
			{"Log in with curl and the password on the command line.", "It would be in the process list and the history. keysplit asks for it and shows dots."},
			{"Tokens come back in the body.", "Many backends want a CSRF cookie first and give tokens as cookies. keysplit handles both."},
		},
	},
	{
		Name: Checklist, Title: "Checklist", Task: "go through the checklist", Doing: "Going through the checklist", Skippable: true,
		Why: "The upgrade is done when every environment, pipeline and document knows the key. The list shows what is proved and what is left.",
	},
})

// numbered counts the rows. The first and the last begin by themselves.
func numbered(all []StepInfo) []StepInfo {
	for i := 1; i < len(all)-1; i++ {
		all[i].Number = i
	}
	return all
}

// Called names the step in a sentence: "the Key step".
func (i StepInfo) Called() string { return "the " + i.Title + " step" }

// Numbered is how many steps a person is asked about.
func Numbered() int { return len(table) - 2 }

// Order lists the states from first to last.
func Order() []Name {
	var out []Name
	for _, i := range table {
		out = append(out, i.Name)
	}
	return out
}

// About is the row of a step; a name that is no step's is its own title.
func About(n Name) StepInfo {
	for _, i := range table {
		if i.Name == n {
			return i
		}
	}
	return StepInfo{Name: n, Title: string(n)}
}

// ParseStep finds the step that a person means by a word: its title, in any case, or
// the name that it has in JSON, which earlier releases used everywhere.
func ParseStep(word string) (StepInfo, bool) {
	for _, i := range table {
		if strings.EqualFold(word, i.Title) || word == string(i.Name) {
			return i, true
		}
	}
	return StepInfo{}, false
}

// Words are the words of the steps that can be skipped and are numbered, as --skip
// has them.
func Words() []string {
	var out []string
	for _, i := range table {
		if i.Skippable && i.Number > 0 {
			out = append(out, strings.ToLower(i.Title))
		}
	}
	return out
}

// rollbackOrder is the reverse of the steps' order, but for the restart: it comes
// last, since only then can the old value be read again.
func rollbackOrder() []Name {
	var out []Name
	for _, i := range slices.Backward(table[1:]) {
		if i.Name != Restart {
			out = append(out, i.Name)
		}
	}
	return append(out, Restart)
}
