// Package emergency is the way back of last resort: to revert the change of the
// code itself. keysplit shows it as a plan, about the commit of the user's own
// repository where git knows it, says what it would undo as well and what is
// better, and reminds until it is fixed. It does not carry it out: reverting a
// commit of the project is the user's own business.
package emergency

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
)

// Limit is how long the upgrade guide lets a backend run with the fallback.
const Limit = 24 * time.Hour

// Section is one part of the plan.
type Section struct {
	Title string       `json:"title"`
	Lines []prose.Text `json:"lines"` // sentences and commands
	Code  bool         `json:"code"`  // Lines are to be copied as they are

	run []prose.Command // what can be typed as it stands, and must end well one after the other
}

// Plan is the emergency rollback for the deadline given, where the commit of the
// change is not known.
func Plan(until time.Time) []Section { return PlanFor(Change{}, until) }

// PlanFor is the emergency rollback of a change.
func PlanFor(c Change, until time.Time) []Section {
	sections := []Section{
		{Title: "The better way", Lines: []prose.Text{
			prose.Say("Setting a key is nearly always quicker and safer than reverting the change, and nothing else of the release is lost. It takes a minute: `keysplit upgrade`; on another environment, `keysplit upgrade --env NAME`"),
			prose.Say("If the new key is the problem: `keysplit rollback` restores the earlier value exactly, and restarts."),
		}},
		{Title: "What the revert undoes as well", Lines: c.undoes(), run: c.looks()},
		{Title: "If you must: revert the code", Code: true, Lines: lines(c.commands()...), run: c.reverts()},
		{Title: "Then add a fallback to the settings", Code: true, Lines: c.fallback()},
		{Title: "Why in this form", Lines: []prose.Text{
			prose.Say("The fallback that is often recommended uses logger before the settings define it, so the backend will not start: NameError."),
		}},
		{Title: "Then", Lines: []prose.Text{
			prose.Say("Restart every process of the backend. Everyone will have to log in again, because the key that signs tokens changes once more."),
			prose.Say("Run with the fallback for 24 hours at most: until %s. Plan the fix now; `keysplit check` reminds you until the settings require a good key again.", until.UTC().Format("2006-01-02 15:04 MST")),
		}},
	}
	for _, s := range sections {
		for i, line := range s.Lines {
			s.Lines[i] = line.Name(c.names.Fill)
		}
		for i, command := range s.run {
			s.run[i] = prose.Command(c.names.Fill(string(command)))
		}
	}
	return sections
}

// fallback are lines for the settings: the variable has the name in force, the settings'
// own names are theirs.
func (c Change) fallback() (out []prose.Text) {
	for _, l := range []string{
		"import logging",
		"",
		"JWT_SECRET_KEY = config('" + c.names.Fill(steps.GuideNames.Key) + "', default=None)",
		"SIMPLE_JWT['SIGNING_KEY'] = JWT_SECRET_KEY or SECRET_KEY",
		"if not JWT_SECRET_KEY:",
		"    log = logging.getLogger(__name__)",
		"    log.warning('SECRET_KEY signs tokens (insecure)')",
	} {
		out = append(out, prose.Say("%s", prose.Code(l)))
	}
	return out
}

// lines are commands, one a row.
func lines(all ...string) (out []prose.Text) {
	for _, l := range all {
		out = append(out, prose.Of(l))
	}
	return out
}

// undoes says which commit it is, and what else is in it.
func (c Change) undoes() []prose.Text {
	const migrations = "Reverting the code does not undo migrations that are applied. Undo them first, or keep their files, as the commands below do."
	if c.Commit == "" {
		return []prose.Text{
			prose.Say("Find the commit of the change. Below it is called COMMIT."),
			prose.Say("%s", c.log()),
			prose.Say("It may hold more than the key, and the revert undoes all of it. Look first:"),
			prose.Say("%s", c.git("show", "--stat", "COMMIT")),
			prose.Say(migrations),
		}
	}
	out := []prose.Text{prose.Say("In %s the newest commit that changed JWT_SECRET_KEY is %s, %q.", c.Settings, c.Commit, c.Subject)}
	if c.Earlier > 0 {
		out = append(out, prose.Say("%s did so too:", count(c.Earlier, "earlier commit")), prose.Say("%s", c.log()))
	}
	out = append(out, prose.Say("Check that it is the right one: %s", c.git("show", c.Commit)))
	switch n := len(c.Others); {
	case n == 0:
		out = append(out, prose.Say("It changes no other file."))
	default:
		out = append(out, prose.Say("It also changes %s, which the revert undoes too: %s", count(n, "other file"), some(c.Others)))
	}
	if n := len(c.Migrations); n > 0 {
		out = append(out, prose.Say("There is %s among them: %s", count(n, "migration"), some(c.Migrations)), prose.Say(migrations))
	}
	return out
}

// git is a command of git in the project's work tree, as it is typed where keysplit was
// started.
func (c Change) git(words ...string) prose.Command {
	if c.folder != "" {
		words = append([]string{"-C", c.folder}, words...)
	}
	return prose.Shell(append([]string{"git"}, words...)...)
}

// log is the command that lists the commits that changed the key in the settings.
func (c Change) log() prose.Command {
	settings := "SETTINGS" // the file
	if c.Settings != "" {
		settings = ":/" + c.Settings // from whatever folder
	}
	return c.git("log", "--oneline", "-S", steps.GuideNames.Key, "--", settings)
}

// looks are the commands that find the commit, nil where it, or the file, is not known.
func (c Change) looks() []prose.Command {
	if c.Commit != "" || c.Settings == "" {
		return nil
	}
	return []prose.Command{c.log()}
}

// commands are what to type, with migrations left as they are where there are any,
// or may be.
func (c Change) commands() []string {
	out := []string{string(c.git("revert", "--no-commit", cmp.Or(c.Commit, "COMMIT")))}
	if c.Commit == "" || len(c.Migrations) > 0 {
		// From the top, whatever the folder, and also those that lie there themselves.
		out = append(out, string(c.git("restore", "--staged", "--worktree", ":(top,glob)**/migrations/**")))
	}
	return append(out, string(c.git("commit", "-m", "Revert the JWT key requirement, for now")))
}

// reverts are those commands, nil where the commit is not known.
func (c Change) reverts() (out []prose.Command) {
	if c.Commit == "" {
		return nil
	}
	for _, line := range c.commands() {
		out = append(out, prose.Command(line))
	}
	return out
}

func count(n int, what string) string {
	if n == 1 || what == "more" {
		return fmt.Sprintf("%d %s", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Runnable is the command line of a plan that can be typed as it stands: the revert,
// each part only after the one before it, or what finds the commit; "" for none.
func Runnable(sections []Section) string {
	for _, s := range sections {
		var parts []string
		for _, command := range s.run {
			parts = append(parts, string(command))
		}
		if parts != nil {
			return strings.Join(parts, " && ")
		}
	}
	return ""
}

// Text is the plan as plain lines of at most 76 columns, but for the code.
func Text(sections []Section, wrap func(prose.Text) []string) string {
	var b strings.Builder
	for i, s := range sections {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(s.Title + "\n")
		for _, l := range s.Lines {
			if s.Code {
				b.WriteString(strings.TrimRight("    "+l.Rendered(), " ") + "\n")
				continue
			}
			for _, part := range wrap(l) {
				b.WriteString("  " + part + "\n")
			}
		}
	}
	return b.String()
}

// Remind tells about an emergency rollback that is recorded and not fixed:
// a warning until the deadline, an error after it. found are the findings of a
// look at the project just now; ready tells that there was no error among them.
func Remind(j *journal.Journal, found []finding.Finding, ready bool, now time.Time) (finding.Finding, bool) {
	until, recorded := j.Emergency()
	if !recorded || ready && !finding.Has(found, finding.SettingsNotUpgraded) {
		return finding.Finding{}, false
	}
	f := finding.New(finding.FallbackInForce, fmt.Sprintf("The emergency rollback is still in force. Its 24 hours end at %s.", until.UTC().Format("2006-01-02 15:04 MST")))
	if now.After(until) {
		f = finding.New(finding.FallbackInForce, fmt.Sprintf("The emergency rollback had to end by %s.", until.UTC().Format("2006-01-02 15:04 MST"))).WithSeverity(finding.Error)
	}
	return f, true
}
