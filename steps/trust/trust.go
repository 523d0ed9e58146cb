// Package trust decides which values of a committed configuration a person has to
// agree to before they are used.
//
// Who runs keysplit in a project runs that project's code anyway. What the
// configuration adds to that is where credentials and the key go. So these are
// shown, each by itself, and asked about once:
//
//   - a url that is not this machine's own loopback address: the password of the
//     login and the test tokens go there;
//   - a target that is not a file of the work tree: the key goes there;
//   - a way to restart that is a command, or that takes its compose file from
//     outside of the work tree.
//
// A yes is kept in the journal of the project and environment, by a keyed
// fingerprint of what the value is used for, the value itself and, for a path, of
// where it leads with all links followed. So another change of the file asks nothing
// again, and a changed value, or a link that leads elsewhere by now, is asked about.
package trust

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/sys/shell"
	"dj/keysplit/steps/vendor"
)

// Kind is what a value is used for.
type Kind string

// The kinds, by the name that the configuration has for them.
const (
	URL     Kind = "url"
	Target  Kind = "targets"
	Restart Kind = "restart"
)

// Value is one value of a configuration that needs a yes.
type Value struct {
	Kind  Kind
	Text  string // as the flag of its kind has it
	Leads string // the file that it leads to, absolute, links followed; "" for no file
	File  string // of the configuration, relative to the work tree
	Line  int    // there; 0 when it is not known
}

// Of lists the values of the run's environment that a configuration sets, that the
// run uses, and that need a yes. run.Project must know its folders; targets whose
// file another one names are asked for it, and one that cannot be found needs none:
// nothing can be written to it. described is the file that the run restarts by, such
// as a compose file, "" for none.
func Of(ctx context.Context, run *steps.Run, conf config.Config, described string) []Value {
	o := run.Options
	env, ok := conf.Environments[o.Environment]
	if !ok {
		return nil
	}
	var out []Value
	add := func(kind Kind, text, leads string, i int) {
		out = append(out, Value{kind, text, leads, secret.Inert(run.Project.Rel(conf.Path)), conf.Line(o.Environment, string(kind), i)})
	}
	for i, u := range env.URLs {
		if slices.Contains(o.URLs, u) && !loopback(u) {
			add(URL, u, "", i)
		}
	}
	for i, spec := range env.Targets {
		at := slices.Index(run.Specs(), spec)
		if at < 0 {
			continue
		}
		if leads, needs := leaves(ctx, run, run.Targets[at]); needs {
			add(Target, spec, leads, i)
		}
	}
	if o.Restart != nil && env.Restart == o.Restart.String() {
		if leads, needs := commands(run, env.Restart, described); needs {
			add(Restart, env.Restart, leads, 0)
		}
	}
	slices.SortStableFunc(out, func(a, b Value) int { return a.Line - b.Line })
	return out
}

// loopback reports whether a URL names this machine itself, by a form that no
// resolver has a say in: localhost, or an address of the loopback network.
func loopback(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	if strings.EqualFold(u.Hostname(), "localhost") {
		return true
	}
	at, err := netip.ParseAddr(u.Hostname())
	return err == nil && at.Unmap().IsLoopback()
}

// leaves reports whether a target is anything but a file of the work tree, and the
// file that it leads to, "" for none.
func leaves(ctx context.Context, run *steps.Run, t steps.Target) (leads string, needs bool) {
	if !t.Local() {
		return "", true
	}
	if by, ok := t.(vendor.Described); ok {
		// What such a file says is as good as the project's own code, where it is of it.
		if leads = file.Resolved(by.Described(run)); outside(run.Project, leads) {
			return leads, true
		}
	}
	if named, ok := t.(interface {
		Find(context.Context, *steps.Run) error
	}); ok && named.Find(ctx, run) != nil {
		return "", false
	}
	path := t.File(run)
	if path == "" {
		return "", false // the file that the backend itself reads
	}
	leads = file.Resolved(path)
	return leads, outside(run.Project, leads)
}

// commands reports whether a way to restart runs a command, or a compose file that
// is not one of the work tree, and which file that is.
func commands(run *steps.Run, spec, described string) (leads string, needs bool) {
	if steps.IsOwnCommand(spec) {
		return "", true
	}
	if described == "" {
		return "", false
	}
	leads = file.Resolved(described)
	return leads, outside(run.Project, leads)
}

// outside reports whether a path, links followed, is not of the project's work tree.
// What git keeps for itself is not, and a home folder that is one as a whole is too
// large to say anything: the project's own folder counts then.
func outside(p *steps.Project, path string) bool {
	top := file.Resolved(p.TopLevel)
	if home, err := os.UserHomeDir(); err == nil && file.Within(top, file.Resolved(home)) {
		top = file.Resolved(p.Root)
	}
	rel, err := filepath.Rel(top, path)
	if err != nil || !file.Within(top, path) {
		return true
	}
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(rel), "/"), func(part string) bool { return strings.EqualFold(part, ".git") })
}

// Agreed reports whether a person has agreed to the value, in this project and
// environment. j may be nil.
func (v Value) Agreed(j *journal.Journal) bool { return j != nil && j.Agreed(string(v.Kind), v.key()) }

// Agree records the yes to the value.
func (v Value) Agree(j *journal.Journal) error { return j.Agree(string(v.Kind), v.key()) }

func (v Value) key() string { return v.Text + "\x00" + v.Leads }

// Place is where the value stands, as file:line.
func (v Value) Place() string {
	if v.Line == 0 {
		return v.File
	}
	return fmt.Sprintf("%s:%d", v.File, v.Line)
}

// String is the whole value with its name, in printable ASCII: a letter that only
// looks like another one must not pass for it, and nothing of it may be out of sight.
func (v Value) String() string { return string(v.Kind) + " = " + strconv.QuoteToASCII(v.Text) }

// Use says what happens with the value, as a whole sentence.
func (v Value) Use() string {
	switch {
	case v.Kind == URL:
		return "keysplit sends test tokens and the password of the login to this address."
	case v.Kind == Restart && v.Leads != "":
		return "keysplit has Docker Compose run " + strconv.QuoteToASCII(v.Leads) + ", which is not in this work tree."
	case v.Kind == Restart:
		return "keysplit runs this command."
	case v.Leads != "":
		return "This leads to " + strconv.QuoteToASCII(v.Leads) + ", which is not in this work tree. keysplit writes the key there."
	}
	return "keysplit delivers the key to this place."
}

// Flag is the flag with which the value is given on the command line.
func (v Value) Flag() string {
	name := map[Kind]string{URL: "--url", Target: "--target", Restart: "--restart"}[v.Kind]
	return secret.Inert(shell.Join(name, v.Text))
}

// Finding is the finding of a value that nobody has agreed to.
func (v Value) Finding(run *steps.Run) finding.Finding {
	return finding.New(finding.ConfigNotTrusted, "Nobody has agreed here to "+v.String()+", so keysplit did not look there.").At(v.File, v.Line).
		WithFix(finding.Do("Look at it, then run: %s", finding.Command(run.Command("check", "--trust-config"))))
}
