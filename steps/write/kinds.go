package write

import (
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/vendor"
)

// kind is one kind of target: the word before the colon of --target, the form of
// what follows it, and how to make the target from that. A spec that does not
// follow the form is refused before anything is done.
type kind struct {
	name string
	form string // of what follows; wholly in brackets when it may be left out
	make func(spec, argument string) (steps.Target, error)
	what string // what it is, for the help
}

// optional reports whether what follows may be left out.
func (k kind) optional() bool {
	return strings.IndexByte(k.form, ']') == len(k.form)-1 && k.form[0] == '['
}

// kinds are those of --target: a file, the places of the vendors, and what only a
// person reaches.
var kinds = slices.Concat(
	[]kind{{"dotenv", "[PATH]", func(spec, path string) (steps.Target, error) { return &dotenv{spec: spec, path: path}, nil }, "a .env file; without PATH, the one that the backend reads"}},
	ofVendors(),
	[]kind{{"manual", "[WHERE]", newManual, "somewhere else: keysplit says what to do there, and waits"}},
)

func ofVendors() (out []kind) {
	for _, v := range vendor.All {
		if v.Store.Parse != nil {
			out = append(out, kind{v.Name, v.Store.Usage, func(spec, argument string) (steps.Target, error) {
				s, err := v.Store.Parse(argument)
				return &remote{spec: spec, store: s}, err
			}, v.Store.What})
		}
		if v.File.Parse != nil {
			out = append(out, kind{v.Name, v.File.Usage, func(spec, argument string) (steps.Target, error) {
				f, err := v.File.Parse(argument)
				return &located{dotenv: dotenv{spec: spec}, source: f}, err
			}, v.File.What})
		}
	}
	return out
}

// Targets makes the targets of --target. Its error wraps steps.ErrUsage.
func Targets(specs []string) ([]steps.Target, error) {
	var out []steps.Target
	for i, s := range specs {
		if slices.Contains(specs[:i], s) {
			return nil, steps.Usage("--target %s is given twice", secret.Quote(s))
		}
		t, err := target(s)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// target makes the target of one spec.
func target(spec string) (steps.Target, error) {
	name, argument, _ := strings.Cut(spec, ":")
	for _, k := range kinds {
		if k.name != name {
			continue
		}
		if argument == "" && !k.optional() {
			return nil, steps.Usage("--target %s: expected %s:%s", secret.Quote(spec), k.name, k.form)
		}
		t, err := k.make(spec, argument)
		if err != nil {
			return nil, steps.Usage("--target %s: %w; expected %s:%s", secret.Quote(spec), err, k.name, k.form)
		}
		return t, nil
	}
	return nil, steps.Usage("--target %s: unknown target type; choose one of %s", secret.Quote(name), strings.Join(Kinds(), ", "))
}

// Kinds lists the forms of --target, as they are written.
func Kinds() []string {
	var out []string
	for _, k := range kinds {
		out = append(out, k.spec())
	}
	return out
}

// Table lists the forms of --target, each with what it is.
func Table() (out [][2]string) {
	for _, k := range kinds {
		out = append(out, [2]string{k.spec(), k.what})
	}
	return out
}

func (k kind) spec() string {
	if k.optional() {
		return k.name + "[:" + k.form[1:]
	}
	return k.name + ":" + k.form
}
