// Package emergency is the way back of last resort: the upgrade guide's emergency
// rollback, which reverts the change of the code itself. keysplit shows it as a
// plan, says what is wrong with it and what is better, and reminds until it is
// put right. It does not carry it out: reverting a commit of the project is the
// user's own business.
package emergency

import (
	"fmt"
	"strings"
	"time"

	"dj/keysplit/steps"
)

// Limit is how long the guide lets a backend run with the fallback.
const Limit = 24 * time.Hour

// Section is one part of the plan.
type Section struct {
	Title string
	Lines []string // sentences and commands
	Code  bool     // Lines are to be copied as they are
}

// Plan is the emergency rollback, for the deadline given.
func Plan(until time.Time) []Section {
	return []Section{
		{Title: "The better way", Lines: []string{
			"Nearly always it is quicker and safer to set a key than to take the change back: keysplit upgrade, or on another environment keysplit upgrade --env NAME --target ... It takes a minute, and nothing else of the release is lost.",
			"If the new key itself is the trouble: keysplit rollback puts the earlier value back to the byte and restarts.",
		}},
		{Title: "What the revert undoes as well", Lines: []string{
			"The commit of this change may hold more than the key. In the project that the guide is for (24a9506) it also holds two migrations, which are applied by now, and the limits for uploads. Look first: git show --stat COMMIT",
			"Migrations that are applied do not go away with the code. Undo them first, or leave their files in place.",
		}},
		{Title: "If it must be: revert the code", Code: true, Lines: []string{"git revert --no-commit COMMIT", "git restore --staged --worktree '*/migrations/*'", "git commit -m 'Revert the JWT key requirement, for now'"}},
		{Title: "And put the fallback into the settings", Code: true, Lines: []string{
			"import logging",
			"",
			"JWT_SECRET_KEY = config('JWT_SECRET_KEY', default=None)",
			"SIMPLE_JWT['SIGNING_KEY'] = JWT_SECRET_KEY or SECRET_KEY",
			"if not JWT_SECRET_KEY:",
			"    logging.getLogger(__name__).warning('Tokens are signed with SECRET_KEY (insecure fallback)')",
		}},
		{Title: "Why not as the guide has it", Lines: []string{
			"Its fallback uses logger before it is defined: a NameError, and the backend does not start.",
		}},
		{Title: "Then", Lines: []string{
			"Restart every process of the backend. Sessions end once more, since tokens are signed with another key again.",
			fmt.Sprintf("The guide allows the fallback for 24 hours: until %s. Plan the fix now; keysplit check reminds until the settings insist on a good key again.", until.UTC().Format("2006-01-02 15:04 MST")),
		}},
	}
}

// Text is the plan as plain lines of at most 76 columns, but for the code.
func Text(sections []Section, wrap func(string) string) string {
	var b strings.Builder
	for i, s := range sections {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(s.Title + "\n")
		for _, l := range s.Lines {
			if s.Code {
				b.WriteString(strings.TrimRight("    "+l, " ") + "\n")
				continue
			}
			for _, part := range strings.Split(wrap(l), "\n") {
				b.WriteString("  " + part + "\n")
			}
		}
	}
	return b.String()
}

// Remind tells about an emergency rollback that is recorded and not put right:
// a warning until the deadline, an error after it. found are the findings of a
// look at the project just now; ready tells that there was no error among them.
func Remind(j *steps.Journal, found []steps.Finding, ready bool, now time.Time) (steps.Finding, bool) {
	until, recorded := j.Emergency()
	if !recorded || ready && !steps.Has(found, "settings-not-upgraded") {
		return steps.Finding{}, false
	}
	f := steps.NewFinding("fallback-in-force", fmt.Sprintf("The emergency rollback is not put right yet. Its 24 hours end at %s.", until.UTC().Format("2006-01-02 15:04 MST")))
	if now.After(until) {
		f = steps.NewFinding("fallback-in-force", fmt.Sprintf("The emergency rollback was to be put right by %s.", until.UTC().Format("2006-01-02 15:04 MST"))).WithSeverity(steps.Error)
	}
	return f, true
}
