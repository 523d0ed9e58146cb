// Package journal is keysplit's memory, in the user's state folder and never
// beside the project: what was begun, how it ended, and what was there before.
//
//   - What is about to be done is noted durably before it is done.
//   - Lines are only ever added; each one is synced, read back and sealed.
//   - It holds fingerprints and no key, password or token. The backups hold what
//     a file or a place held, in files of mode 0600.
//   - Only the user may have written it: anything else is refused.
package journal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/adrg/xdg"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/secret"
)

// Journal is the memory of one project and environment. It lets a run that was
// killed at any instant go on or go back to the byte.
//
// It is a folder of mode 0700 whose files have mode 0600:
//
//	journal.jsonl  one entry a line, only ever appended to, each line synced
//	backup-*       files as they were before a change
//
// The state folder around it holds the key, 32 random bytes, of the keyed fingerprints.
//
// The entries hold fingerprints and no key, password or token. The backups hold
// what the file held. A line that a kill left half written is passed over.
//
// Whoever can write there decides what a rollback does, so all of it must belong to
// the user and be writable for nobody else.
type Journal struct {
	state    Folder
	dir      string
	entries  []Entry
	prints   secret.Fingerprinter
	torn     string // what ends the last line, which has no line feed yet
	lost     int    // lines that could not be read, and that no kill explains
	run      string
	rollback bool      // a Revert is under way
	opened   time.Time // by this process
	known    int       // entries that were there then
	readOnly bool      // see Read

	rests map[string][]FileSum // what evidence rests on, by its sum: see sumOf
}

// ErrUnusable marks a journal that is damaged or belongs to another project.
var ErrUnusable = errors.New("the journal cannot be used")

// Folder is the state folder, in which all journals live: an absolute path outside
// the project's work tree.
type Folder string

// UsersFolder is keysplit's folder in the user's state directory (XDG_STATE_HOME), ""
// where HOME is not set and nothing names it.
func UsersFolder() Folder {
	if _, err := os.UserHomeDir(); err != nil && os.Getenv("XDG_STATE_HOME") == "" {
		return ""
	}
	return Folder(filepath.Join(xdg.StateHome, "keysplit"))
}

// longest is how many bytes a folder's name can have on the usual file systems.
const longest = 255

// Of is the folder of one project and environment. The readable part of its name
// helps a person; the hash keeps two folders of one name apart.
func (f Folder) Of(project, environment string) string {
	sum := sha256.Sum256([]byte(project + "\x00" + environment))
	name, end := filepath.Base(project), "-"+hex.EncodeToString(sum[:6])
	name = strings.ToValidUTF8(name[:min(len(name), longest-len(end))], "") // not a part of a character
	return filepath.Join(string(f), name+end)
}

// Open opens the journal of a project (absolute path, links resolved)
// and environment, and makes it if there is none.
func (f Folder) Open(project, environment string) (*Journal, error) {
	j := &Journal{state: f, dir: f.Of(project, environment), run: randomHex(8)}
	if err := f.placed(project); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(j.dir, 0o700); err != nil {
		return nil, f.cannotKeep(err)
	}
	if err := j.read(); err != nil {
		return nil, f.full(err)
	}
	if len(j.entries) == 0 {
		return j, f.full(j.append(Entry{Kind: KindOpened, Schema: schema, Project: project, Environment: environment}))
	}
	j.opened, j.known = time.Now(), len(j.entries)
	return j, j.belongsTo(project, environment)
}

// Read opens the journal of a project and environment for reading and
// makes nothing. Without one it returns nil and no error.
func (f Folder) Read(project, environment string) (*Journal, error) {
	j := &Journal{state: f, dir: f.Of(project, environment), readOnly: true}
	if err := f.Absolute(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(j.path()); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err := j.read(); err != nil {
		return nil, err
	}
	if len(j.entries) == 0 {
		return nil, nil
	}
	return j, j.belongsTo(project, environment)
}

func (j *Journal) belongsTo(project, environment string) error {
	if first := j.entries[0]; first.Kind != KindOpened || first.Project != project || first.Environment != environment {
		return j.unusable("its first line is damaged, or names another project or environment")
	}
	return nil
}

// read reads what is there.
func (j *Journal) read() error {
	if err := j.trusted(); err != nil {
		return err
	}
	key, err := j.fingerprintKey()
	if err != nil {
		return err
	}
	j.prints = secret.NewFingerprinter(key)
	return j.load()
}

// unusable says what is wrong with a journal and how to go on without it.
func (j *Journal) unusable(what string) error { return unusable(j.dir, what) }

func unusable(folder, what string) error {
	return fmt.Errorf("%w: %s. Move the folder %s aside and run this again; the backup files in it hold what was there before each change",
		ErrUnusable, what, folder)
}

func (j *Journal) path() string { return filepath.Join(j.dir, "journal.jsonl") }

// Dir is the journal's folder, absolute.
func (j *Journal) Dir() string { return j.dir }

// Entries is everything that was recorded, oldest first.
func (j *Journal) Entries() []Entry { return j.entries }

// SetStatus records how far a step has come. What the steps and their statuses are
// called is for the caller to know.
func (j *Journal) SetStatus(step, status string) error {
	return j.append(Entry{Kind: KindStatus, Step: step, Status: status})
}

// SetKey records the fingerprint of the key that is now in force, and with the
// entry's time the beginning of its age.
func (j *Journal) SetKey(key secret.Secret) error {
	return j.append(Entry{Kind: KindKey, Key: j.prints.Of(key)})
}

// Begin records durably what is about to be done to a file.
func (j *Journal) Begin(in envfile.Intent) error {
	return j.append(Entry{Kind: KindBegin, Run: j.run, Rollback: j.rollback, Intent: &in})
}

// Finish records how it ended.
func (j *Journal) Finish(in envfile.Intent, o envfile.Outcome) error {
	return j.append(Entry{Kind: KindEnd, ID: in.ID, Outcome: &o})
}

// replaceOptions is what envfile needs to work with this journal.
func (j *Journal) replaceOptions() envfile.Options {
	return envfile.Options{
		LockDir:     filepath.Join(string(j.state), "locks"),
		LockWait:    lockWait,
		Fingerprint: j.prints.Sum,
	}
}

// lockWait is how long one run waits for another that changes the same file. A
// change takes milliseconds, so after this time something is wrong.
const lockWait = 5 * time.Second

// Replace puts data in the place of the file that at shows, recorded in the
// journal. See envfile.Replace.
func (j *Journal) Replace(ctx context.Context, at *envfile.Snapshot, data []byte) (envfile.Outcome, error) {
	return j.ReplaceAs(ctx, at, data, 0)
}

// ReplaceAs is Replace for a file that also gets a mode; 0 is none.
func (j *Journal) ReplaceAs(ctx context.Context, at *envfile.Snapshot, data []byte, mode fs.FileMode) (envfile.Outcome, error) {
	opts := j.replaceOptions()
	opts.Mode = mode
	return envfile.Replace(ctx, at, data, j, opts)
}

// Publish is Replace for a file that is for everyone: if it is new, everyone may
// read it (0644).
func (j *Journal) Publish(ctx context.Context, at *envfile.Snapshot, data []byte) (envfile.Outcome, error) {
	var mode fs.FileMode
	if !at.Exists {
		mode = 0o644
	}
	return j.ReplaceAs(ctx, at, data, mode)
}

// Recovered is a change that a killed run had begun, and how it stands now.
type Recovered struct {
	Intent  envfile.Intent
	Outcome envfile.Outcome
}

// Recover ends every change that a killed run began. It comes before anything
// reads the files.
func (j *Journal) Recover(ctx context.Context) ([]Recovered, error) {
	var ended []Recovered
	for _, in := range j.open() {
		out, err := envfile.Recover(ctx, in, j, j.replaceOptions())
		if err != nil {
			return ended, fmt.Errorf("finish what an earlier run began: %w", err)
		}
		ended = append(ended, Recovered{in, out})
	}
	return ended, nil
}

// open lists the intents without an end, oldest first.
func (j *Journal) open() []envfile.Intent {
	var ids []string
	last := map[string]envfile.Intent{}
	for _, e := range j.entries {
		switch e.Kind {
		case KindBegin:
			if _, ok := last[e.Intent.ID]; !ok {
				ids = append(ids, e.Intent.ID)
			}
			last[e.Intent.ID] = *e.Intent
		case KindEnd:
			delete(last, e.ID)
		}
	}
	var out []envfile.Intent
	for _, id := range ids {
		if in, ok := last[id]; ok {
			out = append(out, in)
		}
	}
	return out
}

// Revert takes one change back to the byte; with force also over an edit that
// was made since, which is then kept as a backup. See envfile.Revert.
func (j *Journal) Revert(ctx context.Context, in envfile.Intent, force bool) (envfile.Outcome, error) {
	j.rollback = true
	defer func() { j.rollback = false }()
	out, err := envfile.Revert(ctx, in, j, j.replaceOptions(), force)
	if err != nil {
		return out, err
	}
	return out, j.append(Entry{Kind: KindReverted, ID: in.ID})
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}
