package steps

import (
	"encoding/json"
	"strings"

	"dj/keysplit/steps/journal"
)

// remembered are the facts of the project that a later run must know which cannot ask
// its Django.
type remembered struct {
	Tokens   TokenFacts `json:"tokens"`
	Routes   Routes     `json:"routes"`
	Login    string     `json:"username_field"`
	Password string     `json:"password_field,omitempty"`
	Inside   string     `json:"login_inside,omitempty"`
}

// remember keeps in the journal what this upgrade uses. Another one is told the same by
// its flags or the configuration; report, check, grace and rollback have this.
func (r *Run) remember() error {
	if r.Journal == nil || r.Project == nil {
		return nil
	}
	u := journal.Used{URLs: r.Options.URLs, CAFile: r.Options.CAFile}
	if r.Options.Python != "" {
		u.Python = strings.Join(append([]string{r.Project.Python}, r.Project.PythonArgs...), " ")
	}
	if r.Options.Restart != nil {
		u.Restart = r.Options.Restart.Kept(r)
	}
	if r.Options.EnvFile == "" { // else the target is what that flag says, which every command has again
		u.Targets = SpecsOf(r.Options.Targets) // where none is named, each run finds the place for itself
	}
	if f := r.Project.Facts; f != nil {
		u.Facts, _ = json.Marshal(remembered{f.Tokens, f.Routes, f.LoginField, f.PasswordField, f.LoginInside}) // #nosec G117 -- the name of a field; they came as JSON
	}
	return r.Journal.Use(u)
}

// Recall takes up the facts that the latest upgrade had, where this run has none.
func (r *Run) Recall() {
	if r.Journal == nil || r.Project == nil || r.Project.Facts != nil {
		return
	}
	var f remembered
	if u, ok := r.Journal.LastUsed(); ok && len(u.Facts) > 0 && json.Unmarshal(u.Facts, &f) == nil {
		r.Project.Facts = &Facts{Tokens: f.Tokens, Routes: f.Routes, LoginField: f.Login, PasswordField: f.Password, LoginInside: f.Inside}
	}
}
