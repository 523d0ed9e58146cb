package steps

import (
	"slices"
	"strings"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/sys/shell"
)

// Command is a command of keysplit for the environment of this run, with further
// words, as a person types it: without the environment it would be about
// development. "" is the name of the wizard. An upgrade goes on as this one does.
func (r *Run) Command(name string, words ...string) string {
	command := []string{"keysplit"}
	if name != "" {
		command = append(command, name)
	}
	return prose.With(shell.Join(append(command, words...)...), r.flags(name))
}

// Flags are those that the commands of keysplit need which are about one environment.
func (r *Run) Flags() prose.Flags {
	out := prose.Flags{}
	for _, name := range []string{"", "upgrade", "rollback", "grace", "report", "check", "status"} {
		out[name], out[name+prose.Any] = r.flags(name), r.anywhere(name)
	}
	out[prose.Again] = r.briefly()
	return out
}

// briefly are the flags of keysplit alone, in the middle of a sentence: without what the
// upgrade remembers for the next run.
func (r *Run) briefly() []string {
	flags := append(r.Where(), r.starting("")...)
	if r.Journal != nil {
		if _, ok := r.Journal.LastUsed(); ok {
			return flags
		}
	}
	for i, word := range r.Options.Given {
		if word == "--target" && i+1 < len(r.Options.Given) {
			flags = append(flags, r.Options.Given[i:i+2]...)
		}
	}
	return flags
}

// CommandIn is Command for another environment of the same project, or all: what is of this
// one alone is not repeated.
func (r *Run) CommandIn(name string, words ...string) string {
	return prose.With(shell.Join(append([]string{"keysplit", name}, words...)...), r.anywhere(name))
}

// anywhere are the flags that a command needs to be about this run's project.
func (r *Run) anywhere(name string) (flags []string) {
	for i, word := range r.Options.Where {
		if word != "--env-file" && (i == 0 || r.Options.Where[i-1] != "--env-file") {
			flags = append(flags, word)
		}
	}
	if starts(name) {
		flags = append(flags, r.Options.Starting...)
	}
	return flags
}

// starts reports whether a command starts programs of the project.
func starts(name string) bool { return name != "report" && name != "status" }

// starting are the flags that say how those are started. An upgrade remembers its Python for
// the commands after it; there is nothing to roll back before it does.
func (r *Run) starting(name string) []string {
	at, known := slices.Index(r.Options.Starting, "--python"), name == "rollback"
	if r.Journal != nil {
		if u, ok := r.Journal.LastUsed(); ok {
			known = u.Python != ""
		}
	}
	if at < 0 || !known {
		return r.Options.Starting
	}
	return slices.Delete(slices.Clone(r.Options.Starting), at, at+2)
}

// flags are those that a command needs to be about this run: an upgrade to do the same as
// this one does, or as the latest one did, as far as nothing else remembers it, and a
// rollback to restart in the same way.
func (r *Run) flags(name string) []string {
	flags := r.Where()
	if name == "" || name == "upgrade" {
		return slices.Concat(flags, r.Options.Given, r.restartAgain())
	}
	if starts(name) {
		flags = append(flags, r.starting(name)...)
	}
	if name == "rollback" {
		flags = append(flags, r.forgotten()...)
	}
	return flags
}

// forgotten are how a rollback restarts and whom it asks, as far as the journal does not
// know that: it never keeps a command of the user's own.
func (r *Run) forgotten() (flags []string) {
	var used journal.Used
	by, noted := "", false // before an upgrade has noted what it uses, there is nothing to roll back
	if r.Journal != nil {
		used, noted = r.Journal.LastUsed()
		by = r.Journal.RestartedBy()
	}
	given := r.Options.Given
	for i, word := range given[:max(0, len(given)-1)] {
		value := given[i+1]
		if word == "--restart" && (IsOwnCommand(value) || noted && value != by && value != used.Restart) ||
			word == "--url" && noted && !slices.Contains(used.URLs, value) {
			flags = append(flags, word, value)
		}
	}
	if by == OwnCommand && r.Options.Restart == nil && !slices.Contains(given, "--restart") {
		flags = append(flags, "--restart", OwnCommand+":VALUE")
	}
	return flags
}

// restartAgain is how the latest upgrade restarted, where that was named and this run was
// told nothing of it.
func (r *Run) restartAgain() []string {
	if r.Journal == nil || r.Options.Restart != nil {
		return nil
	}
	switch u, _ := r.Journal.LastUsed(); {
	case u.Restart == OwnCommand:
		return []string{"--restart", OwnCommand + ":VALUE"}
	case u.Restart != "" && r.Elsewhere() == "":
		return []string{"--restart", u.Restart}
	}
	return nil
}

// OwnCommand stands in the journal for a restart by a command of the user's own, in which
// there may be a token.
const OwnCommand = "command"

// IsOwnCommand reports whether a way to restart, as --restart has it, is such a command.
func IsOwnCommand(spec string) bool { return strings.HasPrefix(spec, OwnCommand+":") }

// Where are the flags that every command of this run needs: the project with its
// settings, and the environment, unless they are those that a command means by itself.
func (r *Run) Where() (flags []string) {
	flags = slices.Clone(r.Options.Where)
	if e := r.Elsewhere(); e != "" {
		flags = append(flags, "--env", e)
	}
	return flags
}

// advised is a finding as this run may advise it. One that has read files alone does not
// know which key is in force, so it sends nobody to replace one: the look that asks
// Django and the places does.
func (r *Run) advised(f finding.Finding) finding.Finding {
	if r.Options.Static && f.Fix.Runs("--rotate") {
		if f.Code == finding.JWTKeyReusedAcrossEnvironments { // which a look at one environment does not find
			return f.WithFix(finding.Do("Only files were read. What to do says: %s", finding.Command(r.CommandIn("check", "--all"))))
		}
		return f.WithFix(finding.Do("Only files were read. What to do says: `keysplit check`"))
	}
	return f
}

// Elsewhere is the environment that this run's commands must name, "" for development,
// which they mean by themselves.
func (r *Run) Elsewhere() string {
	if r.Options.Environment == DefaultEnvironment {
		return ""
	}
	return r.Options.Environment
}

// Specs are this run's targets, as --target has them.
func (r *Run) Specs() []string { return SpecsOf(r.Targets) }

// SpecsOf are targets as --target has them.
func SpecsOf(targets []Target) (out []string) {
	for _, t := range targets {
		out = append(out, t.Spec())
	}
	return out
}

// ResumeCommand is the whole command that goes on with this run: its environment, and the
// flags that no configuration repeats. A key that was written is kept by it; before
// that, a new one has to be asked for again.
func (r *Run) ResumeCommand() string {
	words := r.again()
	if r.Answers.Grace {
		words = append(words, "--rotate", "--grace")
	}
	return r.Command("upgrade", words...)
}

// ReopenCommand is ResumeCommand for the wizard, which finds a rotation in stages by itself.
func (r *Run) ReopenCommand() string { return r.Command("", r.again()...) }

func (r *Run) again() (words []string) {
	if r.Answers.Rotate && !r.Wrote && !r.Answers.Grace {
		words = append(words, "--rotate")
	}
	if r.Answers.Import.Set() && !r.Wrote {
		words = append(words, "--key-stdin")
	}
	return words
}

// FinishCommand is the whole command that finishes an upgrade of the given targets, with
// further words.
func (r *Run) FinishCommand(targets []string, words ...string) string {
	var flags []string
	for _, t := range targets {
		flags = append(flags, "--target", t)
	}
	return r.Command("upgrade", append(flags, words...)...)
}
