package restart

import (
	"context"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/vendor"
)

// Way is a --restart value that has been read.
type Way struct {
	spec    string          // as it was given, "" for the one of a run that was given none
	manager vendor.Manager  // of a way through a vendor's program; nil for those of this machine
	own     func(*Step) way // of a way of this machine; nil for the others
}

// String is the way as --restart has it.
func (w Way) String() string { return w.spec }

func (w Way) on(s *Step) way {
	if w.manager != nil {
		return managed{s, w.manager}
	}
	return w.own(s)
}

// isOthers reports whether something else than keysplit restarts: a command, or a manager.
func (w Way) isOthers() bool {
	return w.spec != usual.spec && w.spec != "runserver" && w.spec != nothing.spec
}

// places are the names by which a person recognises what is restarted.
func (w Way) places(ctx context.Context, run *steps.Run) []string {
	if w.manager == nil {
		return nil
	}
	return w.manager.Places(ctx, run)
}

// Kept is what the journal may hold of the way.
func (w Way) Kept(run *steps.Run) string {
	if k, ok := w.manager.(vendor.Kept); ok {
		return k.Kept(run)
	}
	if steps.IsOwnCommand(w.spec) {
		return steps.OwnCommand
	}
	return w.spec
}

var (
	usual   = Way{own: func(s *Step) way { return runserver{s} }}
	nothing = Way{spec: "none", own: func(s *Step) way { return none{s} }}
)

// kind is one kind of way: the word before the colon of --restart, what follows it,
// and how to read that.
type kind struct {
	name     string
	argument string // "" when the way takes none
	parse    func(argument string) (Way, error)
	what     string // what it does, for the help
}

// kinds are those of --restart: this machine's own, and those of the vendors.
var kinds = slices.Concat(
	[]kind{
		{"runserver", "", func(string) (Way, error) { return usual, nil }, "reload the development server that runs here (default)"},
		{"command", "CMD", func(text string) (Way, error) {
			return Way{own: func(s *Step) way { return command{s, text} }}, nil
		}, "run a command of yours, without a shell; no secret belongs in it"},
	},
	ofVendors(),
	[]kind{{"none", "", func(string) (Way, error) { return nothing, nil }, "restart nothing: you do it"}},
)

func ofVendors() (out []kind) {
	for _, v := range vendor.All {
		if v.Restart.Parse == nil {
			continue
		}
		out = append(out, kind{v.Name, v.Restart.Usage, func(argument string) (Way, error) {
			m, err := v.Restart.Parse(argument)
			if err != nil {
				return Way{}, steps.Usage("--restart %s: %w; expected %s:%s", v.Name, err, v.Name, v.Restart.Usage)
			}
			return Way{manager: m}, nil
		}, v.Restart.What})
	}
	return out
}

// Parse reads a --restart value. Its error wraps steps.ErrUsage.
func Parse(spec string) (Way, error) {
	parts := apart(spec)
	if len(parts) == 1 {
		return parse(spec)
	}
	var all several
	for _, p := range parts {
		one, err := parse(p)
		if err != nil {
			return Way{}, err
		}
		all = append(all, one.manager)
	}
	return Way{spec: spec, manager: all}, nil
}

func parse(spec string) (Way, error) {
	name, argument, _ := strings.Cut(spec, ":")
	for _, k := range kinds {
		if k.name == name && (k.argument != "") == (strings.TrimSpace(argument) != "") {
			w, err := k.parse(argument)
			w.spec = spec
			return w, err
		}
	}
	return Way{}, steps.Usage("--restart %s is not known; valid are %s", secret.Quote(spec), Ways())
}

// Ways lists the forms of --restart, as they are written.
func Ways() string { return strings.Join(Kinds(), ", ") }

// Kinds are the forms of --restart one by one, such as "systemd:UNIT".
func Kinds() []string {
	var out []string
	for _, k := range kinds {
		out = append(out, k.form())
	}
	return out
}

// Table lists the forms of --restart, each with what it does.
func Table() (out [][2]string) {
	for _, k := range kinds {
		out = append(out, [2]string{k.form(), k.what})
	}
	return out
}

func (k kind) form() string {
	if k.argument == "" {
		return k.name
	}
	return k.name + ":" + k.argument
}

// For is the way to restart what gets its key from the targets, where none is named:
// some of it restarts by itself, and is only waited for.
func For(targets []steps.Target) Way {
	var specs []string
	var all several
	for _, t := range targets {
		made, ok := t.(vendor.Made)
		if !ok {
			continue
		}
		if prompt, ok := made.Vendor().(vendor.Prompt); ok {
			specs, all = append(specs, t.Spec()), append(all, prompt.Readers())
		}
	}
	switch len(all) {
	case 0:
		return nothing
	case 1:
		return Way{spec: specs[0], manager: all[0]}
	}
	return Way{spec: strings.Join(specs, ","), manager: all}
}

// asked is the way of an upgrade: the one that is named, else that of its targets. The
// servers of the project that run here do not read what goes elsewhere: none of them is
// restarted without being asked for.
func asked(run *steps.Run) Way {
	switch w, given := run.Options.Restart.(Way); {
	case given:
		return w
	case !run.Home().Here():
		return For(run.Targets)
	}
	return usual
}

// backWith is the way of a rollback: the one that is named, else that of the upgrade.
func backWith(run *steps.Run) (Way, error) {
	if w, given := run.Options.Restart.(Way); given {
		return w, nil
	}
	if run.Journal == nil {
		return asked(run), nil
	}
	switch spec := run.Journal.RestartedBy(); spec {
	case "":
		return asked(run), nil
	case steps.OwnCommand:
		return Way{spec: steps.OwnCommand}, nil
	default:
		return Parse(spec)
	}
}

// Again says in words how a rollback has the backend read the value that was put
// back.
func Again(run *steps.Run) string {
	w, err := backWith(run)
	switch {
	case err == nil && (w.spec == "" || w.spec == "runserver"):
		return "a server of this project that runs here reads its settings again"
	case w.spec == nothing.spec:
		return "restart the backend yourself"
	case w.spec == steps.OwnCommand:
		return "nothing is restarted, since keysplit does not keep a restart command of yours: give it again"
	}
	return "restart " + secret.Inert(w.spec)
}

// Described is the file that the run's way to restart goes by, such as a compose file,
// absolute; "" for none.
func Described(run *steps.Run) string {
	if w, given := run.Options.Restart.(Way); given {
		if d, ok := w.manager.(vendor.Described); ok {
			return d.Described(run)
		}
	}
	return ""
}

// Places are the names of what a rollback restarts, as a person recognises them: an
// app, a service, the cluster. What cannot be asked is left out; the restart itself
// then says why.
func Places(ctx context.Context, run *steps.Run) []string {
	w, _ := backWith(run) // one that is not known has none
	return w.places(ctx, run)
}

// Production is the name of production that only the restart of this run touches: what
// is written to does not say it. "" for none.
func Production(ctx context.Context, run *steps.Run) string {
	if run.Options.Skip[steps.Restart] {
		return ""
	}
	name := run.Confirm(Places(ctx, run)...)
	if name == run.ProductionName() {
		return ""
	}
	return name
}
