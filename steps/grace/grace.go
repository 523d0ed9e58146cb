// Package grace lets a backend accept the previous key for a while after a
// rotation, so that nobody has to log in again.
//
// It writes a small Python module beside manage.py, and two lines into the .env:
// the previous key, taken from the journal's backup, and the deadline. The
// settings get three lines by hand; they are shown. For an environment that keeps
// its key elsewhere, the files among its targets get the lines; a secret manager
// gets the two variables by hand, by commands that are shown as well. The module is tested on both
// generations of Django that this program is tested on.
//
// It is for rotations. On the upgrade itself the key before was SECRET_KEY:
// accepting that would keep the very hole open that the upgrade closes, and is
// refused. So is a previous key that breaks the rules.
package grace

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/trust"
)

// Module is the Python module.
//
//go:embed jwt_grace.py
var Module []byte

// The names that the module has.
const (
	FileName  = "jwt_grace.py"
	KeyName   = steps.GraceKeyName
	UntilName = steps.GraceUntilName
)

// Default is how long a grace period is that is made after a rotation. The guide asks
// for 24 hours.
const Default = 24 * time.Hour

// Grace is one grace period, planned.
type Grace struct {
	Until    time.Time
	Module   string // the module's path, absolute
	Settings []string
	Changes  []string // what will change, one line each; none when all is in place
	Goes     bool     // a period is in force, and goes on to its own deadline
	// Proved reports whether the previous key was seen in force; else it is the one that the
	// place had before.
	Proved bool
	File   string // of the journal, whose whole content the previous key is; "" for none
	// Unsure reports whether the place does not show SECRET_KEY, so that the previous key
	// could not be compared with it.
	Unsure bool

	module *envfile.Snapshot
	edits  []edit
}

// edit is one file that gets the two lines.
type edit struct {
	at     *envfile.Snapshot
	change envfile.Change
}

// Plan looks at what a grace period of the given length, counted from now, needs.
// One that is in force for the same key goes on as it is, unless again is set. What
// speaks against it is a *steps.Failure. For a run whose key lives elsewhere, its
// targets must have been looked at.
func Plan(ctx context.Context, run *steps.Run, length time.Duration, again bool, now time.Time) (*Grace, error) {
	if length <= 0 || length > steps.MaxGrace {
		return nil, steps.Usage("a grace period is between 1 hour and 30 days")
	}
	keys, err := run.Home().Keys()
	if err != nil {
		return nil, steps.CannotLook("read the keys: %w", err)
	}
	before := run.PreviousTo(keys.InForce())
	previous := before.Key
	if err := advise(run, keys, previous); err != nil {
		return nil, err
	}
	env := run.Project.EnvFile
	g := &Grace{
		Until: now.Add(length).UTC().Truncate(time.Second), Module: filepath.Join(run.Project.Root, FileName),
		Settings: settingsLines(run), Unsure: !run.Home().Compares(keys), Proved: before.Proved, File: before.File,
	}
	if key, until, under := run.Grace(now); under && !again && key.Equal(previous) {
		g.Until, g.Goes = until.UTC(), true
	}
	if g.module, err = openModule(run, g.Module); err != nil {
		return nil, err
	}
	if string(g.module.Data) != string(Module) {
		g.Changes = append(g.Changes, "write "+run.Project.Rel(g.Module))
	}
	keyName, untilName := run.Names().Grace()
	for _, path := range run.Home().Files() {
		at, err := envfile.Open(path)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		readers := env.Readers
		if path != env.Path {
			readers = append(slices.Clone(readers), envfile.Compose) // which of them reads it is not known here
		}
		change, err := envfile.Edit(at.Data, envfile.For{Readers: readers, Env: run.LookupEnv},
			envfile.Set{Name: keyName, Value: previous.Reveal()},
			envfile.Set{Name: untilName, Value: steps.GraceUntil(g.Until)})
		if err != nil {
			return nil, fmt.Errorf("edit %s: %w", run.Project.Rel(path), err)
		}
		if len(change.Diff) > 0 {
			if f, tracked, _ := trust.Tracked(ctx, run, path, true); tracked && f.Severity == finding.Error {
				return nil, steps.Fail(f)
			}
			g.edits = append(g.edits, edit{at, change})
			g.Changes = append(g.Changes, fmt.Sprintf("set %s and %s in %s", keyName, untilName, run.Project.Rel(path)))
		}
	}
	return g, nil
}

// versions are the SHA-256 sums of the module as this and earlier versions of
// keysplit wrote it, with line feeds alone at its line ends.
var versions = []string{
	"b170bedc637852e74a2dc74a03cb3d395c3b4a2f5ec10d89a1ceeab728baaaaf", // simplejwt only, 7 days at most
	"9f7040334f545acb33b6a99947bd75b8d1d1fc0d157ad9c35cf782b2bc943b7e",
}

// openModule opens the module's file. Only what keysplit wrote is replaced, and
// nothing through a link: the file of that name in a repository is anyone's.
func openModule(run *steps.Run, path string) (*envfile.Snapshot, error) {
	refuse := func(what string) error {
		return steps.Fail(finding.New(finding.GraceModuleNotOurs, FileName+" "+what+", so keysplit does not replace it.").At(run.Project.Rel(path), 0))
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink != 0 {
		return nil, refuse("is a link")
	}
	at, err := envfile.Open(path)
	var refused *envfile.RefusedError
	if errors.As(err, &refused) {
		return nil, refuse("is no file that can be replaced safely")
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	sum := sha256.Sum256(bytes.ReplaceAll(at.Data, []byte("\r\n"), []byte("\n")))
	if at.Exists && !slices.Contains(versions, hex.EncodeToString(sum[:])) {
		return nil, refuse("is there already, and is not as keysplit writes it")
	}
	return at, nil
}

// unknown says why no previous key is known, and what to do. A rotation is named only
// where a grace period can follow it.
func unknown(run *steps.Run) (message string, fix finding.Fix) {
	fix = finding.Do("Let people log in again: keysplit cannot have a key accepted that it never saw.")
	switch shown := slices.ContainsFunc(run.Held, func(h steps.Held) bool { return h.Readable }); {
	case len(run.Held) > 0 && !shown && run.Held[0].Unknown:
		return "The previous key is not known: keysplit cannot read " + run.Held[0].Where + ", so none could be kept.", fix
	case len(run.Held) > 0 && !shown:
		return "The previous key is not known: " + run.Held[0].Where + " never shows a value, so none could be kept.", fix
	case run.Home().Here() && run.Home().File() == "":
		return "The previous key is not known: keysplit does not write the key of this backend.", fix
	}
	fix = finding.Do("Let people log in again. A grace period is for a rotation: `keysplit upgrade --rotate`, then `keysplit grace`.")
	if run.Journal == nil || len(run.Journal.Upgrades()) == 0 {
		return "keysplit knows of no previous key: it has not replaced one here from this machine.", fix
	}
	return "There is no previous key: before this upgrade tokens were signed with SECRET_KEY.", fix
}

// advise refuses what would do harm.
func advise(run *steps.Run, keys steps.Keys, previous secret.Secret) error {
	refuse := func(message string, fix finding.Fix) error {
		return steps.Fail(finding.New(finding.GraceNotAdvised, message).WithFix(fix))
	}
	secretKey := keys.SecretKey.Secret
	fromSettings := run.Project.Facts != nil && run.Project.Facts.SecretKey.Sum == run.Prints.Of(previous)
	switch {
	case !previous.Set():
		return refuse(unknown(run))
	case run.Home().Here() && run.Home().File() == "":
		return run.Home().Takes(keys) // no line that keysplit writes would be read
	case previous.Equal(secretKey) || fromSettings:
		return refuse("The previous key is SECRET_KEY. Accepting it would keep the hole open that the upgrade closes.",
			finding.Do("Let people log in again."))
	case previous.Equal(keys.Key.Secret):
		return refuse("The previous key is the one in force.", finding.Do("There is nothing to bridge."))
	case len(run.Judge(previous, secretKey)) > 0:
		return refuse("The previous key was not good: it was short, weak or public. Accepting it would let anyone in.",
			finding.Do("Let people log in again."))
	}
	return nil
}

// settingsLines are for the settings, in the words of the reader that they use.
func settingsLines(run *steps.Run) []string {
	readers := run.Project.EnvFile.Readers
	keyName, untilName := run.Names().Grace()
	get := "os.environ.get('%s', '')"
	switch {
	case len(readers) == 0:
	case readers[0] == envfile.Decouple:
		get = "config('%s', default='')"
	case readers[0] == envfile.DjangoEnviron:
		get = "env('%s', default='')"
	}
	return []string{
		KeyName + " = " + fmt.Sprintf(get, keyName),
		UntilName + " = " + fmt.Sprintf(get, untilName),
		"INSTALLED_APPS += ['jwt_grace.GraceConfig']",
	}
}

// Apply writes both files through the journal, the module first: the lines in
// the .env do nothing without it. The module is code, which the server's user
// must be able to read.
func (g *Grace) Apply(ctx context.Context, run *steps.Run) error {
	if string(g.module.Data) != string(Module) {
		if _, err := run.Journal.Publish(ctx, g.module, Module); err != nil {
			return explain(run, g.Module, err)
		}
	}
	for _, e := range g.edits {
		if _, err := run.Journal.Replace(ctx, e.at, e.change.New); err != nil {
			return explain(run, e.at.Path, err)
		}
		run.MarkWritten()
	}
	return nil
}

func explain(run *steps.Run, path string, err error) error {
	var refused *envfile.RefusedError
	if errors.As(err, &refused) {
		return steps.Fail(finding.New(finding.EnvFileChanged, refused.Error()).At(run.Project.Rel(path), 0))
	}
	return err
}

// Needed reports whether a file is the module of the grace period and the settings
// still name it: without the module the backend would not start.
func Needed(run *steps.Run, path string) bool {
	if filepath.Base(path) != FileName {
		return false
	}
	settings := run.Project.SettingsFile
	if settings == "" {
		return true // nobody knows, and the module alone does no harm
	}
	// Settings may be split over several files of the same folder.
	beside, err := os.ReadDir(filepath.Dir(settings))
	if err != nil {
		return true
	}
	module := strings.TrimSuffix(FileName, ".py")
	for _, one := range beside {
		name := filepath.Join(filepath.Dir(settings), one.Name())
		if name == path || filepath.Ext(name) != ".py" {
			continue
		}
		if text, err := file.ReadSmall(name); err != nil || bytes.Contains(text, []byte(module)) {
			return true
		}
	}
	return false
}
