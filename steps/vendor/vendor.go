// Package vendor is what keysplit knows of other people's services and programs:
// secret managers, hosting platforms, container engines, service managers. Each has
// a file, or a few with its name in front, that holds all of it: what a --target and
// a --restart of it look like, how a key is delivered and undone, how what reads
// it is restarted, what its errors mean, and what a person types instead.
//
// A vendor knows the contract in steps and no step. The steps know no vendor: the one
// that writes carries any Store or File through its journal, the one that restarts any
// Manager. So a new vendor is one file and one line in the table;
// .github/CONTRIBUTING.md lists the tests and pages that go with it.
//
// Two rules hold in every file:
//
//   - A value goes to a program on standard input, or to an API in a request body:
//     never as an argument, which every user of the machine can read.
//   - What a program prints is not shown: some print every value of a place when
//     something goes wrong.
package vendor

import (
	"context"
	"errors"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// Vendor is one line of the table. What it cannot do it has no form of.
type Vendor struct {
	Name    string // the word before the colon, in --target and --restart
	Store   Form[Store]
	File    Form[File]
	Restart Form[Manager]
	Mixed   bool // several, also of other vendors, may be named in one --restart
}

// Form is what follows the colon of a spec.
type Form[T any] struct {
	Usage string                           // e.g. "SERVICE[@ENVIRONMENT]"; "" where there is no such spec
	Parse func(argument string) (T, error) // its error says what the argument needs
	What  string                           // what it is, and by which program, for the help
}

// All is the table, in the order in which help lists it.
var All = []Vendor{
	{Name: "systemd", Restart: Form[Manager]{"UNIT[,UNIT]", parseUnits, "units of systemd, with systemctl"}},
	{Name: "compose", File: Form[File]{"FILE[#SERVICE]", parseCompose, "the env_file of a compose file, or the file behind ${JWT_SECRET_KEY}"}, Restart: Form[Manager]{"[FILE#]SERVICE[,SERVICE]", parseServices, "recreate containers, with docker compose"}},
	{Name: "kubernetes", Store: Form[Store]{"[NAMESPACE/]SECRET[#KEY]", parseKubernetes, "an entry of a Secret, with kubectl"}, Restart: Form[Manager]{"[NAMESPACE/]DEPLOYMENT[,DEPLOYMENT]", parseWorkloads, "roll out deployments, with kubectl"}},
	{Name: "vault", Store: Form[Store]{"MOUNT/PATH[#FIELD]", parseVault, "a field of a KV secret, with vault"}},
	{Name: "aws", Store: Form[Store]{"SECRET-ID[#JSON-KEY]", parseAWS, "a secret of AWS Secrets Manager, with aws"}},
	{Name: "heroku", Store: Form[Store]{"APP", parseHeroku, "a config var of the app, by Heroku's API"}, Restart: Form[Manager]{"APP", restartHeroku, "wait for the release, which restarts the app"}, Mixed: true},
	{Name: "github", Store: Form[Store]{"OWNER/REPO[@ENVIRONMENT]", parseGitHub, "a secret of GitHub Actions, with gh; never read back"}},
	{Name: "railway", Store: Form[Store]{"SERVICE[@ENVIRONMENT]", parseRailway, "a variable of the service, with railway"}, Restart: Form[Manager]{"SERVICE[@ENVIRONMENT]", restartRailway, "wait for the deployment of the service"}, Mixed: true},
	{Name: "fly", Store: Form[Store]{"APP", parseFly, "a secret of the app, with fly; only its digest is read back"}, Restart: Form[Manager]{"APP", restartFly, "wait until the machines of the app are replaced"}, Mixed: true},
}

// Store is a secret manager.
type Store interface {
	// String is the place as --target has it, with what was left out filled in.
	String() string
	// Look reads the place. What keeps it from looking is a *steps.Failure.
	Look(ctx context.Context, run *steps.Run) (steps.Held, error)
	// Put sets the key and leaves every other value alone. h is what Look
	// returned: where the place can tell, it refuses (place-conflict) when it
	// has changed since. It returns the version that it made, "" where there is
	// no such thing. Never called with an empty key.
	Put(ctx context.Context, run *steps.Run, key secret.Secret, h steps.Held) (version string, err error)
	// Restore ends a delivery that is in force: it puts the value back that was
	// there before, or takes the key out when old is unset and d.There is false.
	// h is what Look returned just now.
	Restore(ctx context.Context, run *steps.Run, d journal.Delivery, old secret.Secret, h steps.Held) error
	// Manner says how it is done, for the plan.
	Manner() Manner
	// ByHand says how a person brings two further variables there; indented lines.
	ByHand(x Extra) []string
}

// Pair is a Store that holds the second key of a grace period and its deadline beside
// the key, under names of their own, and changes all three in one write: no process
// starts with a part of them.
type Pair interface {
	Store
	// PutPair sets what is set and removes what is not, as Put does.
	PutPair(ctx context.Context, run *steps.Run, v Values, h steps.Held) (version string, err error)
}

// Values are the key of a place and what it has of a grace period; unset or "" is not
// there.
type Values struct {
	Key, Second secret.Secret
	Until       string
}

// text are the values by the names that the place has for them, "" for what is not there.
func (v Values) text(key string) map[string]string {
	second, until := steps.GraceNames(key)
	texts := map[string]string{key: "", second: "", until: v.Until}
	if v.Key.Set() {
		texts[key] = v.Key.Reveal()
	}
	if v.Second.Set() {
		texts[second] = v.Second.Reveal()
	}
	return texts
}

// holdPair notes a value of a place that is one of a grace period's beside the key.
func holdPair(run *steps.Run, held *steps.Held, key, name, value string) {
	switch second, until := steps.GraceNames(key); {
	case name == second && value != "":
		held.Second = run.Secret(value)
	case name == until:
		held.Until = value
	}
}

// Manner is a store's part of a plan.
type Manner struct {
	Method  string       // how the value gets there, and what stays as it is; one line
	Undo    prose.Text   // how the way back goes; one line
	Effects []prose.Text // what other people will notice, e.g. a release that starts by itself
	Alone   string       // why no second key can be there beside the key, a sentence; "" for a Pair
	ByHand  finding.Fix  // what to do where the value before cannot be restored; empty where it can
}

// Picky is a Store that cannot take every key.
type Picky interface {
	// Accepts says why the store would cut or change the key; nil when it would not.
	Accepts(key secret.Secret) error
}

// Prompt is a Store whose readers restart by themselves when it changes.
type Prompt interface {
	// Readers is what to wait for then.
	Readers() Manager
}

// File is a description of files, such as a compose file, that says which file on
// this machine a service gets its key from.
type File interface {
	Locate(ctx context.Context, run *steps.Run) (Located, error)
}

// Described is a File, or a Manager, that goes by a file such as a compose file.
type Described interface {
	Described(run *steps.Run) string // absolute, "" where there is none
}

// Located is the file that was found.
type Located struct {
	Path    string            // absolute
	Readers []envfile.Dialect // who reads it; none for the backend's own readers
	How     string            // which service reads it from where; one line
	// Beside are all files that the service reads, as compose reads them: what the key
	// is compared with may be in any of them, the last one counts.
	Beside    []string
	SecretKey secret.Secret // SECRET_KEY, where the description itself has it
}

// Made is a target that carries the key to one of the vendors.
type Made interface {
	// Vendor is the Store or the File behind the target.
	Vendor() any
}

// targetsOf are those of this run's targets that lead to one kind of Store or File.
func targetsOf[T any](run *steps.Run) (out []T) {
	for _, t := range run.Targets {
		if m, ok := t.(Made); ok {
			if v, ok := m.Vendor().(T); ok {
				out = append(out, v)
			}
		}
	}
	return out
}

// isSecretKey reports whether a name in a place is that of Django's SECRET_KEY: the one
// in force, or the guide's in any of the usual spellings.
func isSecretKey(run *steps.Run, name string) bool {
	like := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	return run.Names().IsSecretKey(name) || like == steps.GuideNames.SecretKey || like == "DJANGO_"+steps.GuideNames.SecretKey
}

// missing adds how to make the place, where it is not there.
func missing(err error, first finding.Fix) error {
	var failure *steps.Failure
	if errors.As(err, &failure) && failure.Findings[0].Code == finding.PlaceNotFound {
		f := failure.Findings[0]
		page, _ := finding.LookUp(f.Code)
		if f.Fix == page.Fix { // else it is another place, with a fix of its own
			return steps.Fail(f.WithFix(f.Fix.Then(first)))
		}
	}
	return err
}
