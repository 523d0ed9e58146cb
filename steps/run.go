package steps

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// MinKeyLength is the rule of the breaking change itself.
const MinKeyLength = 50 // characters

// Contained is a service of containers that the backend is developed in: nothing on this
// machine runs the project's Django.
type Contained struct {
	Service string
	File    string        // that describes it, absolute
	Build   prose.Command // makes its image
	Starts  prose.Command // the same Python as Python does, for --python, after what its image runs first
	Python  []string      // the words that start its Python, none where that cannot be done now
}

// Options is what the user asked for with flags, in the configuration, or by an answer
// that stands for one (another place, another restart). No step changes it.
type Options struct {
	Folder       string            // where to look for the project, "" for the current folder
	Environment  string            // "development" by default
	Where        []string          // the flags that say which project and settings this is about, as given: every command needs them again
	Contained    *Contained        // the service that the backend is developed in, nil for none
	State        journal.Folder    // where the journals are
	Command      string            // the command line without what may be secret in it, for another run that meets this one
	Queue        bool              // --wait: where another run is at work here, wait for its end
	EnvFile      string            // --env-file, "" to use the one that the backend reads
	Python       string            // --python: a path, or a command that leads to it
	PythonDir    string            // where such a command is started, "" for the current folder
	Settings     string            // --settings
	As           string            // --as: the user that the project's code runs as
	Targets      []Target          // --target, as given; none where it was not
	Given        []string          // the flags that say where and how, as they were given: what no configuration repeats
	Starting     []string          // those of Given that say how the programs of the project are started: commands that start some need them again
	Restart      Way               // --restart; nil where it was not given
	Also         []Way             // --also: workers that serve no HTTP, restarted after the backend
	URL          string            // --url, base URL of the server; the first of URLs when there are several
	URLs         []string          // all base URLs of the same backend, each of which must sign with the new key; empty for URL alone
	Roots        *x509.CertPool    // authorities to trust for https, nil for the system's
	CAFile       string            // --ca-file, that they are from, absolute; "" for none
	MinLength    int               // characters that the key must have; 0 for MinKeyLength, never less
	Names        Names             // of the configuration, "" for what it leaves to the settings
	DistinctFrom []string          // further variables that the key must differ from, beside SECRET_KEY
	Routes       Routes            // URL paths that the configuration names, in place of those that were found
	Production   bool              // the environment is production, whatever its name says
	TrackedEnv   string            // the place, file:line, that says that the env file of development is committed on purpose
	Unasked      []string          // addresses that the configuration names and nobody has agreed to: a plan does not ask there
	Untrusted    []finding.Finding // places that the configuration names and nobody has agreed to: they are not asked for what they hold
	Skip         map[Name]bool     // --skip
	Static       bool              // run none of the project's code
	Committed    bool              // judge what is in the repository: that there is no .env is as it should be
	ReadOnly     bool              // change nothing, and keep nothing but the key of fingerprints: a check or a dry run
	NoVerify     bool              // rollback --no-verify: ask no server which key is in force
	Force        bool              // rollback --force: also over an edit that was made since
	Unattended   bool              // --yes: nobody is there to act on a request
	Fix          bool              // --fix: make the edits that are not needed as well
	Timeout      time.Duration     // for one wait on a child or a server; 0 means DefaultTimeout
	Connections  int               // new connections of the proof; 0 means DefaultConnections
}

// Answers is what a person may still say on a screen, or to a question; flags answer
// before that.
type Answers struct {
	Username    string          // --username
	Password    secret.Secret   // from KEYSPLIT_PASSWORD, standard input or a masked field
	LoginAnyway string          // base URL of a server that accepts any token, which a person wants to log in to anyway
	TempUser    bool            // --temp-user
	Import      secret.Secret   // --key-stdin or a masked field
	Rotate      bool            // --rotate
	Adopt       bool            // --adopt, or a yes: give settings that sign with SECRET_KEY a key of their own
	Edits       map[string]bool // edits of the plan, by their ID, that were switched on or off
	Grace       bool            // --grace: rotate so that nobody is logged out
	GraceFor    time.Duration   // how long then; 0 for as long as tokens last
	EndGrace    bool            // end a grace period now
}

// Way is a way to restart, as --restart names it. The package that restarts has read
// it, and knows what it does.
type Way interface {
	// String is the way as --restart has it.
	String() string
	// Kept is the same as far as the journal may hold it: of a command of the user's own,
	// in which there may be a token, only the word.
	Kept(run *Run) string
}

// Defaults of Options.
const (
	DefaultEnvironment = "development"
	DefaultTimeout     = 30 * time.Second
	DefaultConnections = 20
)

// Wait is the time limit for one wait on a child or a server.
func (o Options) Wait() time.Duration {
	if o.Timeout > 0 {
		return o.Timeout
	}
	return DefaultTimeout
}

// Run is one pass through the steps: what was asked, and what each of them hands on to
// those after it. Each group has its author; who else sets what in it is listed by a test.
type Run struct {
	Options Options
	Answers Answers

	Found   // by preflight
	Chosen  // by generate
	Written // by write, and by whatever else changes what the backend reads
	Served  // by restart

	Targets []Target     // where the key is to be, never empty once the run is made
	Held    []Held       // what they held at the last look of the run's Home, in the same order
	Asked   []string     // base URLs that the smoke test asked
	Left    []prose.Text // what is left for the user to do after a good end, one sentence each

	// Confirmed are the names of production that were typed, or given on the command
	// line: what is done in that name is not asked for again.
	Confirmed []string

	Prints   secret.Fingerprinter // of what is shown; see Kept
	Redactor secret.Redactor

	// HandOver runs a program (absolute path) with the user's terminal, for one
	// that asks something itself, such as a password, and waits for its end; its
	// error is that of the program. nil where there is no terminal or nobody at it.
	HandOver func(ctx context.Context, path string, args []string) error

	// BeforeDjango is called right before the project's Django is started: what takes long
	// and does not depend on it may begin by its side. nil for nothing.
	BeforeDjango func()

	// Environ looks a variable of keysplit's own environment up; nil means os.LookupEnv.
	Environ func(string) (string, bool)

	settled []finding.Finding // overruled by a person, or fixed
	fresh   secret.Secret     // see FreshSecretKey
	closers []func()
	holds   bool // see Hold
}

// Found is what preflight found.
type Found struct {
	Project *Project
	Lacking []finding.Finding // what the committed files lack, nil until it was looked for
	Django  Django            // nil when the project's code was not or could not be started
	Journal *journal.Journal  // nil before the project is known, and in a static check
	Adopted *Adopted          // the edit with which the settings were looked at, nil for none
}

// Adopted is an edit of the settings that gives them a key of their own. Until it is
// written, the project is looked at as it will be then.
type Adopted struct {
	File    string // absolute
	Was, Is []byte
	Line    int      // that the edit is about
	Literal bool     // the key that signed is in the text, and so in git's history
	Package string   // that the settings import from now on, "" for none
	Version string   // of that package, as it is installed
	LeftOut []string // settings of other environments that do not load File, absolute
}

// Adopts reports whether the edit that gives settings a key of their own fixes findings
// of a code.
func Adopts(c finding.Code) bool {
	return c == finding.SettingsNotUpgraded || c == finding.SigningKeyInCode
}

// Chosen is the key that generate settled on.
type Chosen struct {
	Key      secret.Secret // that is to sign tokens
	KeyFrom  string        // "kept", "made", "imported" or "chosen before" (a resumed run)
	Previous secret.Secret // what was in force before this upgrade, unset when there was none
	Stage    Stage         // of a rotation with a grace period
	Second   secret.Secret // that the backend accepts beside Key in such a stage
	Until    time.Time     // and until when
}

// Written says whether this run has changed what the backend reads.
type Written struct {
	Wrote   bool
	WroteAt time.Time // of the latest change that a server can be older than, zero for none
}

// MarkWritten notes a change that was made just now.
func (w *Written) MarkWritten() { *w = Written{true, time.Now()} }

// How far the readings of a process's start and of the time of a write may lie apart: of a
// write of this run, and of an earlier one, since when the clock may have been adjusted.
const (
	readingOf    = 100 * time.Millisecond
	readingLater = 2 * time.Second
)

// KeyWritten is when the key came to its places: by this run, or by an earlier one, such as
// one that was cut short after its write. A process that is older has the previous key.
func (r *Run) KeyWritten() (at time.Time, known bool) {
	if !r.WroteAt.IsZero() || r.Journal == nil {
		return r.WroteAt.Add(-readingOf), r.Wrote
	}
	if r.Stage == Signing {
		if force := r.Journal.InForce(); len(force) > 0 {
			return force[len(force)-1].Time.Add(-readingOf), true
		}
	}
	at, known = r.Journal.KeySince(r.Key)
	return at.Add(-readingLater), known
}

// Served is what restart left running.
type Served struct {
	URL       string   // base URL of the server, "" where none is known
	Servers   []Server // the project's own development servers that run here
	Restarted bool     // a new process was seen, or one was started
	OwnServer bool     // that one was started for this run, and ends with it
}

// Serves reports whether a server that the run restarted goes on after the run.
func (r *Run) Serves() bool { return r.Restarted && !r.OwnServer }

// LookupEnv looks a variable of keysplit's own environment up.
func (r *Run) LookupEnv(name string) (string, bool) {
	if r.Environ != nil {
		return r.Environ(name)
	}
	return os.LookupEnv(name)
}

// LookPath finds a program on the PATH of the run's environment, as an absolute path.
func (r *Run) LookPath(name string) (string, error) {
	tries := []string{name}
	if path, ok := r.LookupEnv("PATH"); ok && r.Environ != nil && filepath.Base(name) == name {
		tries = nil
		for _, dir := range filepath.SplitList(path) {
			tries = append(tries, filepath.Join(dir, name))
		}
	}
	failed := exec.ErrNotFound
	for _, try := range tries {
		found, err := exec.LookPath(try)
		if err == nil {
			return filepath.Abs(found)
		}
		failed = err
	}
	return "", failed
}

// ProgramEnv is the environment of a program that the run starts: keysplit's own, with
// the PATH on which it was found, and add, as NAME=VALUE.
func (r *Run) ProgramEnv(add ...string) []string {
	env := os.Environ()
	if path, ok := r.LookupEnv("PATH"); ok {
		env = append(env, "PATH="+path)
	}
	return append(env, add...)
}

// Secret wraps a value and makes the redactor know it.
func (r *Run) Secret(value string) secret.Secret {
	s := r.Prints.Secret(value)
	r.Redactor.Add(s)
	return s
}

// Kept makes the fingerprints that the journal keeps, to be compared with those in it.
func (r *Run) Kept() secret.Fingerprinter {
	if r.Journal == nil {
		return r.Prints
	}
	return r.Journal.Prints()
}

// Switch takes what a person said of edits of the plan, by their ID. It counts when the plan
// is made again.
func (r *Run) Switch(said map[string]bool) {
	all := maps.Clone(r.Answers.Edits)
	if all == nil {
		all = map[string]bool{}
	}
	maps.Copy(all, said)
	r.Answers.Edits = all
}

// FreshSecretKey is a generated SECRET_KEY: the same in each plan of this run.
func (r *Run) FreshSecretKey() secret.Secret {
	if !r.fresh.Set() {
		b := make([]byte, 64)
		_, _ = rand.Read(b) // crypto/rand.Read never fails
		r.fresh = r.Secret(base64.RawURLEncoding.EncodeToString(b))
	}
	return r.fresh
}

// servers names addresses, inert and without a name, password or query in them.
func (r *Run) servers(addresses ...string) string {
	var out []string
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" && u.Scheme != "unix" {
			continue
		}
		u.User, u.RawQuery, u.Fragment = nil, "", ""
		out = append(out, r.Redactor.Clean(u.String()))
	}
	return strings.Join(out, ", ")
}

// Overrule takes a person's yes to the question of a finding: what it kept from
// being done may now be done.
func (r *Run) Overrule(f finding.Finding) error {
	switch {
	case f.Ask.Empty():
		return Usage("nothing overrules %s", f.Code)
	case Adopts(f.Code):
		r.Answers.Adopt = true
		return nil // the look that follows finds what is left
	case f.Code == finding.LoginWithheld:
		r.Answers.LoginAnyway = f.File
	default:
		if err := r.Journal.Agree(string(f.Code), f.File); err != nil {
			return err
		}
	}
	r.settled = append(r.settled, f)
	return nil
}

// Fixed notes that a step has fixed a finding beside its own work.
func (r *Run) Fixed(f finding.Finding) { r.settled = append(r.settled, f) }

// isSettled reports whether a person has said yes to the finding in this run, or a step
// has fixed it.
func (r *Run) isSettled(f finding.Finding) bool {
	return slices.ContainsFunc(r.settled, func(o finding.Finding) bool { return o.Code == f.Code && o.File == f.File && o.Line == f.Line })
}

// OnClose adds a clean-up for the end of the run, however it ends. The last one
// added runs first.
func (r *Run) OnClose(f func()) { r.closers = append(r.closers, f) }

// Close runs the clean-ups. It is safe to call twice.
func (r *Run) Close() {
	for i := len(r.closers) - 1; i >= 0; i-- {
		r.closers[i]()
	}
	r.closers = nil
}
