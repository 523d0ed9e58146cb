package repo

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// isStep reports whether a frame is a step or job of a pipeline, a hook or a task: its
// name says what it does, and is no variable's.
func (f *frame) isStep() bool {
	return slices.ContainsFunc(f.members(), func(m member) bool {
		return slices.Contains([]string{"run", "uses", "entry", "script", "steps", "task", "bash", "pwsh", "powershell", "shell", "command", "inputs"}, m.key.Value)
	})
}

// spoken are the names of what is said, and of what is matched against.
var spoken = []string{
	"name", "run-name", "displayName", "description", "title", "summary", "message", "msg", "help", "label", "comment", "note",
	"if", "when", "condition", "pattern", "patterns", "regex", "regexp", "exclude", "include", "files", "match", "that", "fail_msg", "success_msg",
}

// isProse reports whether a scalar is no script and no value of a variable: a text for
// people, a pattern, or JavaScript.
func (f *frame) isProse() bool {
	name := f.named()
	if slices.Contains(spoken, name) {
		return true
	}
	up := f.up
	switch {
	case name == "script" && up.name == "with" && up.up != nil: // actions/github-script
		return up.up.says("uses", "github-script")
	case name == "entry":
		return up.says("language", "pygrep")
	}
	return false
}

// says reports whether a member of a mapping has a text in it.
func (f *frame) says(name, text string) bool {
	return slices.ContainsFunc(f.members(), func(m member) bool { return m.key.Value == name && strings.Contains(target(m.value).Value, text) })
}

// ofOthers reports whether a setting is that of another program than the backend: of a
// service that is built in its folder, of a step that runs there, or of a line that writes
// its file.
func (v *vocabulary) ofOthers(file string, s setting) bool {
	if v.around == nil {
		return false
	}
	for f := s.in; f != nil; f = f.up {
		for _, m := range f.members() {
			folder := target(m.value)
			switch m.key.Value {
			case "build":
				for _, of := range members(folder) {
					if of.key.Value == "context" {
						folder = target(of.value)
					}
				}
			case "working-directory":
			default:
				continue
			}
			if folder.Kind == yaml.ScalarNode && v.around.foreignFrom(file, folder.Value) {
				return true
			}
		}
	}
	if s.form != text {
		return false
	}
	r := lineReader{vocabulary: v, file: file, grammar: ofScript}
	for line := range strings.Lines(s.node.Value) {
		if line = strings.TrimSpace(line); v.In([]byte(line)) && v.inScript(line) && !r.forOthers(line) {
			return false
		}
		r.follow(line)
	}
	return true
}

// members are those of a frame's mapping, none where it is none.
func (f *frame) members() []member {
	if f == nil || f.node.Kind != yaml.MappingNode {
		return nil
	}
	return members(f.node)
}
