package repo

import (
	"bytes"
	"errors"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"
)

// errOther says that an edit would change more than it should.
var errOther = errors.New("the file would say something else")

// verify parses a file of TOML or INI before and after an edit. It reports an error unless both parse and the only
// difference is one new value of JWT_SECRET_KEY. A format that nothing here parses is an error too.
func (v *vocabulary) verify(file string, before, after []byte) error {
	switch {
	case path.Ext(file) == ".toml":
		return v.verifyAs(before, after, func(data []byte) (any, error) {
			var tree map[string]any
			err := toml.Unmarshal(data, &tree)
			return tree, err
		})
	case path.Ext(file) == ".ini" || path.Base(file) == "setup.cfg":
		return v.verifyAs(before, after, parseINI)
	}
	return errors.New("nothing here parses it")
}

// addsEntry reports whether all that YAML has more after an edit is one entry of JWT_SECRET_KEY.
func (v *vocabulary) addsEntry(before, after []*yaml.Node) bool {
	added := addedNode(&yaml.Node{Kind: yaml.SequenceNode, Content: before}, &yaml.Node{Kind: yaml.SequenceNode, Content: after})
	if len(added) == 0 || slices.ContainsFunc(added, hasAnchor) {
		return false
	}
	switch n := added[0]; {
	case len(added) == 2:
		return v.IsKey(n.Value) && added[1].Kind == yaml.ScalarNode
	case n.Kind == yaml.ScalarNode:
		return v.itemSets.MatchString(n.Value) && v.mentions.MatchString(n.Value)
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k := n.Content[i].Value; (k == "name" || k == "key") && v.IsKey(n.Content[i+1].Value) {
				return true
			}
		}
	}
	return false
}

// hasAnchor reports whether there is an anchor in a node. A second one of a name would change what aliases stand for.
func hasAnchor(n *yaml.Node) bool { return n.Anchor != "" || slices.ContainsFunc(n.Content, hasAnchor) }

// addedNode is what the second node has more than the first one: an item, or the name and value of a pair. It is nil
// unless that is the only difference.
func addedNode(before, after *yaml.Node) []*yaml.Node {
	if !sameNode(before, after) {
		return nil
	}
	step := 1
	if before.Kind == yaml.MappingNode {
		step = 2
	}
	more := len(after.Content) - len(before.Content)
	if more != 0 && more != step {
		return nil
	}
	at := 0
	for at < len(before.Content) && equalNodes(before.Content[at], after.Content[at]) {
		at++
	}
	if more == step {
		at -= at % step
		if !slices.EqualFunc(before.Content[at:], after.Content[at+step:], equalNodes) {
			return nil
		}
		return after.Content[at : at+step]
	}
	if at == len(before.Content) || !slices.EqualFunc(before.Content[at+1:], after.Content[at+1:], equalNodes) {
		return nil
	}
	return addedNode(before.Content[at], after.Content[at])
}

// sameNode reports whether two nodes are equal apart from what is in them.
func sameNode(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Tag == b.Tag && a.Value == b.Value && a.Anchor == b.Anchor && a.Style == b.Style
}

func equalNodes(a, b *yaml.Node) bool {
	return sameNode(a, b) && slices.EqualFunc(a.Content, b.Content, equalNodes)
}

func (v *vocabulary) verifyAs(before, after []byte, parse func([]byte) (any, error)) error {
	b, err := parse(before)
	if err != nil {
		return err
	}
	a, err := parse(after)
	if err != nil {
		return err
	}
	if !v.addsOne(b, a) {
		return errOther
	}
	return nil
}

// addsOne reports whether all that a tree of tables and lists has more than another is one value of JWT_SECRET_KEY.
func (v *vocabulary) addsOne(before, after any) bool {
	switch b := before.(type) {
	case map[string]any:
		a, ok := after.(map[string]any)
		return ok && v.addsToTable(b, a)
	case []any:
		a, ok := after.([]any)
		return ok && v.addsToList(b, a)
	}
	return false
}

func (v *vocabulary) addsToTable(b, a map[string]any) bool {
	var differ []string
	for name, value := range a {
		if was, there := b[name]; !there || !reflect.DeepEqual(was, value) {
			differ = append(differ, name)
		}
	}
	if len(differ) != 1 || len(a) < len(b) || len(a)-len(b) > 1 {
		return false
	}
	name := differ[0]
	if len(a) == len(b) {
		return v.addsOne(b[name], a[name])
	}
	value := a[name]
	if lines, several := value.([]any); several && len(lines) == 1 {
		value = lines[0]
	}
	_, isText := value.(string)
	return v.IsKey(name) && isText
}

func (v *vocabulary) addsToList(b, a []any) bool {
	if len(a)-len(b) > 1 || len(a) < len(b) {
		return false
	}
	at := 0
	for at < len(b) && reflect.DeepEqual(b[at], a[at]) {
		at++
	}
	if len(a) == len(b) {
		return at < len(b) && reflect.DeepEqual(b[at+1:], a[at+1:]) && v.addsOne(b[at], a[at])
	}
	added, isText := a[at].(string)
	return isText && v.mentions.MatchString(added) && reflect.DeepEqual(b[at:], a[at+1:])
}

// parseINI parses an INI file as Python's configparser does with its defaults: a line that is indented more than the
// name above it belongs to its value, and a name or section that is there twice is an error. A value of several lines is
// a list of them.
func parseINI(data []byte) (any, error) {
	bad := errors.New("it is no valid INI file")
	sections := map[string]any{}
	var section map[string]any
	name, indent := "", 0
	for l := range strings.Lines(string(data)) {
		line := strings.TrimSpace(l)
		at := len(l) - len(strings.TrimLeft(l, " \t"))
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case name != "" && at > indent:
			lines, _ := section[name].([]any)
			section[name] = append(lines, line)
		case line[0] == '[':
			header, rest, closed := strings.Cut(line[1:], "]")
			if _, twice := sections[header]; twice || !closed || strings.TrimSpace(rest) != "" {
				return nil, bad
			}
			section, name = map[string]any{}, ""
			sections[header] = section
		default:
			key, value, found := strings.Cut(line, "=")
			if i := strings.IndexByte(line, ':'); i >= 0 && (!found || i < len(key)) {
				key, value, found = line[:i], line[i+1:], true
			}
			key = strings.TrimSpace(key)
			if _, twice := section[key]; section == nil || twice || !found || key == "" {
				return nil, bad
			}
			name, indent = key, at
			section[key] = []any{strings.TrimSpace(value)}
		}
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return nil, bad
	}
	return sections, nil
}
