package finding

import (
	"encoding/json"

	"dj/keysplit/steps/prose"
)

// Fix says what to do about a finding.
type Fix = prose.Text

// Command is a whole command line, as an argument of Do.
type Command = prose.Command

// Shell is prose.Shell.
func Shell(words ...string) Command { return prose.Shell(words...) }

// Do makes a fix, as prose.Say does.
func Do(format string, args ...any) Fix { return prose.Say(format, args...) }

// MarshalJSON adds the command of the fix to the fields.
func (f Finding) MarshalJSON() ([]byte, error) {
	type fields Finding
	return json.Marshal(struct {
		fields
		Command string `json:"command,omitempty"`
	}{fields(f), f.Fix.Command()})
}
