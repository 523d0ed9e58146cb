package repo

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"dj/keysplit/steps/sys/file"
)

// taken is a service of another compose file.
type taken struct{ file, service string }

// borrow notes what a frame gets from elsewhere, where one of its members says so: whole Secrets, a service of compose or
// a job of GitLab that it extends.
func (f *frame) borrow(m member) {
	value := target(m.value)
	switch {
	case m.key.Value == "envFrom" || m.key.Value == "fromGroup":
		f.all = true
	case m.key.Value == "env_file":
		f.envFiles = append(f.envFiles, paths(value)...)
	case m.key.Value == "include" && f.up == nil:
		f.includes = paths(value)
	case m.key.Value != "extends" || f.up == nil:
	case value.Kind == yaml.ScalarNode:
		f.extends = append(f.extends, value.Value)
	case value.Kind == yaml.SequenceNode:
		for _, one := range value.Content {
			f.extends = append(f.extends, target(one).Value)
		}
	default:
		var of taken
		for _, m := range members(value) {
			switch m.key.Value {
			case "service":
				of.service = target(m.value).Value
			case "file":
				of.file = target(m.value).Value
			}
		}
		if of.file != "" {
			f.takes = append(f.takes, of)
		} else {
			f.extends = append(f.extends, of.service)
		}
	}
}

// paths are those of an env_file or include: a text, or a list of texts and of mappings
// with a path.
func paths(n *yaml.Node) (all []string) {
	switch n = target(n); n.Kind {
	case yaml.ScalarNode:
		return []string{n.Value}
	case yaml.SequenceNode:
		for _, one := range n.Content {
			all = append(all, paths(one)...)
		}
	default:
		for _, m := range members(n) {
			if m.key.Value == "path" {
				all = append(all, paths(m.value)...)
			}
		}
	}
	return all
}

// maxAsked bounds what one look asks: links can give one file ever longer names.
const maxAsked = 100

// look is one look for what a frame gets from elsewhere. Services and files may name each other in a circle: each is
// asked once.
type look struct {
	*vocabulary
	asked map[any]bool // frames, and services by question
}

// question is whether a service has the key, or may.
type question struct {
	of  taken
	may bool
}

// again reports whether something was asked before, and notes it.
func (l look) again(what any) bool {
	before := l.asked[what]
	l.asked[what] = true
	return before
}

// borrows reports whether a frame of a file gets JWT_SECRET_KEY from elsewhere, or may: from a service or job that it
// extends, if that has it; from a file or a Secret that is not here, if this file names the key. around are the frames
// that have it.
func (v *vocabulary) borrows(file string, f *frame, around map[*frame]bool, named bool) bool {
	if len(f.takes)+len(f.extends) == 0 {
		return f.all && named // most frames, of which there may be very many
	}
	return look{v, map[any]bool{}}.borrows(file, f, around, named)
}

func (l look) borrows(file string, f *frame, around map[*frame]bool, named bool) bool {
	if f.all || l.again(f) {
		return f.all && named
	}
	return slices.ContainsFunc(f.takes, func(of taken) bool { return l.has(path.Join(path.Dir(file), of.file), of.service, named) }) ||
		slices.ContainsFunc(f.extends, func(name string) bool {
			if of := f.up.below[name]; of != nil {
				return around[of] || l.fromFile(file, of) || l.borrows(file, of, around, named)
			}
			return l.included(file, f, name, named)
		})
}

// has reports whether a service of another compose file has the key, or may.
func (l look) has(file, service string, may bool) bool {
	if l.again(question{taken{file, service}, may}) {
		return false
	}
	p, err := l.other(file)
	if err != nil {
		return may
	}
	f := &File{}
	_, around := f.keyed(p.settings)
	for _, root := range p.roots {
		if services := root.below["services"]; services != nil && services.below[service] != nil {
			of := services.below[service]
			return around[of] || l.fromFile(file, of) || l.borrows(file, of, around, f.key > 0)
		}
		if l.included(file, root, service, may) {
			return true
		}
	}
	return false
}

// included reports whether a service that is not in a file has the key by one that this
// takes in, or may. f is any frame of the file.
func (l look) included(file string, f *frame, service string, may bool) bool {
	for f.up != nil {
		f = f.up
	}
	if len(f.includes) == 0 {
		return may
	}
	return slices.ContainsFunc(f.includes, func(other string) bool { return l.has(path.Join(path.Dir(file), other), service, may) })
}

// other is another compose file, as one names it; an error where it is not here, or the
// look has gone too far.
func (l look) other(rel string) (*parsed, error) {
	if l.around == nil || len(l.asked) > maxAsked || strings.Contains(rel, "$") {
		return nil, fs.ErrNotExist
	}
	data, err := file.ReadSmall(l.around.path(rel))
	if err != nil {
		return nil, err
	}
	return l.parseFile(bytes.TrimPrefix(data, byteOrderMark))
}
