package preflight

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/sys/shell"
)

// diagnosis is one look at the .env and the settings' sources, without running
// anything.
type diagnosis struct {
	run     *steps.Run
	project *steps.Project
	sources []source
	place   place
	signing signing // by the files alone

	untracked bool // only what is in the repository counts, and the .env is not in it

	// refuses are what the settings were seen to refuse: lines of the .env with a comment
	// behind the value, and 0 for SECRET_KEY.
	refuses map[int]bool
	ignores bool // they read the key, and sign with SECRET_KEY

	keys  steps.Keys
	found []finding.Finding
}

// errUnreadable reports whether the .env is there and cannot be read, which ends the
// run: nothing about it can be said, and nothing written to it.
var errUnreadable = errors.New("the .env cannot be read")

func (d *diagnosis) add(code finding.Code, message string, line int) {
	d.found = append(d.found, finding.New(code, message).At(d.rel(), line))
}

func (d *diagnosis) rel() string { return d.project.Rel(d.project.EnvFile.Path) }

func (d *diagnosis) reader() envfile.Dialect { return d.project.EnvFile.Readers[0] }

// diagnose opens the .env and judges everything that files can tell.
func (d *diagnosis) diagnose() error {
	if d.project.Source.Kind != "" {
		if d.run.Options.Committed {
			d.project.EnvFile.At, d.project.EnvFile.Exists = &envfile.Snapshot{}, false
			return nil // what gives the backend its variables is in no repository
		}
		d.judgeGiven()
		return nil
	}
	env := &d.project.EnvFile
	at, err := d.open()
	if err != nil {
		return err
	}
	if d.run.Options.Committed && env.At != nil && !env.Exists {
		return nil
	}
	file, vars := d.read(at)
	if env.At != nil && !env.Exists && env.Owner == nil && !(d.keys.Key.Secret.Set() && d.keys.SecretKey.Secret.Set()) {
		d.found = append(d.found, d.run.MissingFile(env.Path))
	}
	if !env.Referring() {
		d.lines(file, vars)
	}
	if vars == nil && d.keys.Key.Source == "" {
		// The reader refuses the file. What is in it counts for nothing until
		// that is fixed, and then looks different.
		return nil
	}
	d.harmless()
	d.judgeKey(file)
	d.judgeSecretKey(file)
	for _, name := range d.keys.Unset {
		d.add(finding.DistinctFromUnset, fmt.Sprintf("distinct_from names %s, which is set neither in %s nor in this shell: it was not compared.", name, d.rel()), 0)
	}
	if !env.Referring() {
		d.ambiguous(file)
	}
	return nil
}

// open opens the .env, and says what keeps it from being one. What it returns is empty
// where there is none.
func (d *diagnosis) open() (*envfile.Snapshot, error) {
	env := &d.project.EnvFile
	env.At, env.Exists = nil, false
	d.judgePlace()
	at, err := envfile.Open(env.Path)
	if err != nil {
		if err := d.refused(err); err != nil {
			return nil, err
		}
		at = &envfile.Snapshot{}
	} else {
		env.At, env.Exists = at, at.Exists
	}
	if d.untracked {
		env.At, env.Exists = &envfile.Snapshot{}, false
	}
	return at, nil
}

// read takes the .env's lines, and the keys as the backend would get them. vars is nil
// where its reader refuses the file.
func (d *diagnosis) read(at *envfile.Snapshot) (file *envfile.File, vars envfile.Vars) {
	file = envfile.Parse(at.Data)
	vars = d.encoding(file)
	data := at.Data
	if f, _ := finding.First(d.found, finding.EncodingInvalid); f.Fixable {
		// Its lines are looked at as they will be; no number changes.
		data, _ = envfile.Decoded(data)
		file = envfile.Parse(data)
		vars, _ = envfile.Read(d.reader(), data, d.run.LookupEnv)
	}
	var err error
	if d.keys, err = steps.ReadKeys(d.run, d.reader(), data); err != nil {
		// The reader refuses the file, which encoding has reported. The
		// environment still counts.
		d.keys, _ = steps.ReadKeys(d.run, d.reader(), nil)
	}
	if fileWins(d.sources) && d.keys.InFile.Secret.Set() {
		d.keys.Key = d.keys.InFile
	}
	return file, vars
}

// refused turns the refusal to open a file into a finding; an unreadable one is
// an error.
func (d *diagnosis) refused(err error) error {
	var refusal *envfile.RefusedError
	if !errors.As(err, &refusal) {
		return steps.CannotLook("%w: %w", errUnreadable, err)
	}
	if refusal.Reason == envfile.ReasonNoFolder {
		return steps.CannotLook("%w: %w", errUnreadable, steps.Fail(steps.NoFolder(d.project.EnvFile.Path)))
	}
	said := *refusal
	said.Path = d.rel()
	code := finding.EnvFileNotRegular
	switch refusal.Reason {
	case envfile.ReasonUnreadable, envfile.ReasonDanglingLink, envfile.ReasonLinkLoop, envfile.ReasonTooLarge, envfile.ReasonNameTooLong:
		code = finding.EnvFileUnreadable
	}
	f := finding.New(code, said.What()+".").At(d.rel(), 0).WithFix(prose.Sentence(said.Advice()))
	if code == finding.EnvFileUnreadable {
		return steps.CannotLook("%w: %w", errUnreadable, steps.Fail(f))
	}
	if entries, err := os.ReadDir(d.project.EnvFile.Path); refusal.Reason == envfile.ReasonDirectory && err == nil && len(entries) == 0 {
		f = f.WithFix(finding.Do("Docker makes an empty folder where a file that it is to mount is missing. Stop the containers and remove it: %s. Then run `keysplit` again.",
			finding.Shell("rmdir", steps.FromHere(d.project.EnvFile.Path))))
	}
	d.found = append(d.found, f)
	return nil
}

// harmless makes a warning of what stands in the place of a .env, where the environment
// sets both keys: readers pass it over.
func (d *diagnosis) harmless() {
	if !d.keys.OnlyEnvironment() || d.keys.SecretKey.Source != "environment" {
		return
	}
	for i, f := range d.found {
		if f.Code == finding.EnvFileNotRegular {
			d.found[i] = f.WithSeverity(finding.Warning)
		}
	}
}

// judgePlace says when the reader reads another file than this one.
func (d *diagnosis) judgePlace() {
	p, env := d.project, d.project.EnvFile.Path
	wrong := func(file, message string, fix finding.Fix) {
		d.found = append(d.found, finding.New(finding.EnvFileWrongPlace, message).At(p.Rel(file), 0).WithFix(fix))
	}
	switch asked := d.run.Options.EnvFile; {
	case asked != "":
		if local(d.run) && d.place.path != "" && !steps.SameFile(d.place.path, env) && isFile(d.place.path) {
			wrong(env, fmt.Sprintf("The backend reads %s, not this file.", p.Rel(d.place.path)),
				finding.Do("Name the environment that this file belongs to: `keysplit --env NAME`. Or begin again without naming a file."))
		}
	case d.place.hidden != "":
		wrong(d.place.hidden, fmt.Sprintf("The reader finds %s first and never looks at a .env.", p.Rel(d.place.hidden)),
			finding.Do("Move the settings of %s into %s and remove it.", p.Rel(d.place.hidden), p.Rel(env)))
	case d.place.hides != "":
		wrong(env, fmt.Sprintf("The reader finds this file first and never looks at %s, which holds the keys.", p.Rel(d.place.hides)),
			finding.Do("Move this file's settings into %s and remove it, or the other way round.", p.Rel(d.place.hides)))
	case !file.Within(p.TopLevel, env) && isFile(env):
		wrong(env, fmt.Sprintf("The reader finds %s, which is outside the project.", env),
			finding.Do("Move what the backend needs into %s.", p.Rel(filepath.Join(p.Root, ".env"))))
	case !isThere(env) && d.reader() != envfile.Shell:
		if other := astray(p); other != "" && !steps.SameFile(other, env) {
			wrong(other, fmt.Sprintf("The backend never reads this file: its reader looks for %s.", p.Rel(env)),
				finding.Do("Move it to %s.", p.Rel(env)))
		}
	}
}

// local reports whether the run is about the checkout itself, and not about a file
// for another machine.
func local(run *steps.Run) bool {
	return run.Options.Environment == "" || run.Options.Environment == steps.DefaultEnvironment
}

func isThere(path string) bool { return isFile(path) || isFolder(path) }

// judgeKey applies the rules to JWT_SECRET_KEY as the backend would get it.
func (d *diagnosis) judgeKey(file *envfile.File) {
	line := lastLineOf(file, d.run.Names().Key)
	where := ""
	if d.keys.Key.Source == "environment" {
		line, where = 0, " in the environment"
		d.shadowed()
		if finding.Has(d.found, finding.JWTKeyShadowed) && !d.keys.OnlyEnvironment() {
			return // no edit of the file fixes what the environment sets, and that has to go first
		}
	}
	for _, code := range d.run.Judge(d.keys.Key.Secret, d.keys.Rivals()...) {
		message := ""
		if d.keys.OnlyEnvironment() {
			d.found = append(d.found, inEnvironment(code, d.keys.Key.Secret, d.run.MinLength()))
			continue
		}
		switch code {
		case finding.JWTKeyMissing:
			if env := d.project.EnvFile; env.Owner != nil {
				if !env.Names || !d.run.Options.Committed { // that the reference is there is all that can be committed
					d.found = append(d.found, d.run.Owned(env.Names))
				}
				continue
			}
			if finding.Has(d.found, finding.KeyUnread) || d.gluedKey() {
				continue // said better already
			}
			if d.namesAnother(file, d.run.Names().Key) {
				message = anotherName(d.run.Names().Key)
			}
		case finding.JWTKeyEqualsSecretKey:
			message = d.keys.EqualTo(d.keys.Key.Secret)
		case finding.JWTKeyTooShort:
			message = fmt.Sprintf("JWT_SECRET_KEY%s has %d characters; %d are needed.", where, d.keys.Key.Secret.Len(), d.run.MinLength())
		}
		d.add(code, message, line)
		switch f, env := &d.found[len(d.found)-1], d.project.EnvFile; {
		case env.Owner != nil:
			f.Fixable, f.Fix = false, d.run.Owned(env.Names).Fix
		case env.At == nil && f.Fixable:
			f.Fixable, f.Fix = false, finding.Do("Set it where this file comes from.") // it cannot be written here
		}
	}
}

// shadowed reports a variable of the environment that takes the place of what
// the file says, or would say once a key is in it. A good key that only the
// environment has is how containers get theirs.
func (d *diagnosis) shadowed() {
	key, inFile := d.keys.Key.Secret, d.keys.InFile.Secret
	switch {
	case inFile.Set() && inFile.Equal(key):
	case inFile.Set() || len(d.run.Judge(key, d.keys.Rivals()...)) > 0:
		d.found = append(d.found, d.keys.Shadowed().At(d.rel(), 0))
	}
}

// inEnvironment says what is wrong with a key that the environment alone sets: the
// fix is where that is set, and no edit of a file.
func inEnvironment(code finding.Code, key secret.Secret, least int) finding.Finding {
	message := ""
	switch code {
	case finding.JWTKeyEmpty:
		message = "JWT_SECRET_KEY in the environment is empty."
	case finding.JWTKeyTooShort:
		message = fmt.Sprintf("JWT_SECRET_KEY in the environment has %d characters; %d are needed.", key.Len(), least)
	default:
		page, _ := finding.LookUp(code)
		message = page.Message + " It is set in the environment, not in a file."
	}
	f := finding.New(code, message).WithFix(steps.MendEnvironment)
	f.Fixable = false
	return f
}

func (d *diagnosis) gluedKey() bool {
	for _, f := range d.found {
		if f.Code == finding.LineGlued && f.Fixable {
			return true
		}
	}
	return false
}

// judgeSecretKey looks at SECRET_KEY where it is set: the environment, the file
// or a literal in the settings.
func (d *diagnosis) judgeSecretKey(file *envfile.File) {
	key, path, line := d.keys.SecretKey.Secret, d.project.EnvFile.Path, lastLineOf(file, d.run.Names().SecretKey)
	if d.keys.SecretKey.Source == "environment" {
		path, line = "", 0
	}
	if !key.Set() && d.project.EnvFile.Owner != nil {
		return
	}
	if !key.Set() {
		value, s, at := literalSecretKey(d.project.Names, d.sources)
		if s.path == "" {
			switch {
			case d.namesAnother(file, d.run.Names().SecretKey):
				d.found = append(d.found, finding.New(finding.SecretKeyMissing, anotherName(d.run.Names().SecretKey)).At(d.rel(), line).
					WithFix(finding.Do("Use a value that does not begin with $; a new SECRET_KEY ends all sessions. To keep it, put \\ in front of the $ and set escape_proxy = True on the Env of the settings.")))
			case d.project.EnvFile.Exists && d.knowsReader():
				d.found = append(d.found, d.generated(finding.New(finding.SecretKeyMissing, "").At(d.rel(), 0), d.project.EnvFile.Path))
			}
			return
		}
		if value == "" {
			return // made by code
		}
		key, path, line = d.run.Secret(value), s.path, at
	}
	value := key.Reveal()
	f := finding.New(finding.SecretKeyInsecure, "")
	switch {
	case strings.TrimSpace(value) == "":
		f = finding.New(finding.SecretKeyMissing, "SECRET_KEY is there, but empty.")
		if path == "" {
			f = finding.New(finding.SecretKeyMissing, "SECRET_KEY is set to an empty value in this shell, which overrides the file.").WithFix(finding.Do("In this shell: %s. Then start `keysplit` again.", finding.Command(shell.Unset("SECRET_KEY"))))
		}
	case steps.Placeholder(value):
		f = finding.New(finding.SecretKeyPlaceholder, "")
	case !strings.HasPrefix(value, "django-insecure-"):
		return
	case !local(d.run):
		f = f.WithSeverity(finding.Warning)
	}
	if path != "" {
		f = f.At(d.project.Rel(path), line)
	}
	d.found = append(d.found, d.generated(f, path))
}

// knowsReader reports whether the sources show how the settings get SECRET_KEY at
// all; a reader that is not understood is no reason for an alarm.
func (d *diagnosis) knowsReader() bool {
	for _, s := range d.sources {
		if strings.Contains(s.text, d.run.Names().SecretKey) && d.reader() != envfile.Shell {
			return true
		}
	}
	return false
}

// ambiguous compares what the readers of this file make of the two keys.
func (d *diagnosis) ambiguous(file *envfile.File) {
	readers := d.project.EnvFile.Readers
	for _, name := range []string{d.run.Names().Key, d.run.Names().SecretKey} {
		first, found, err := envfile.Lookup(readers[0], file.Bytes(), name, d.run.LookupEnv)
		if err != nil || !found {
			continue
		}
		for _, other := range readers[1:] {
			second, _, err := envfile.Lookup(other, file.Bytes(), name, d.run.LookupEnv)
			if err != nil || second != first {
				d.add(finding.ValueDialectAmbiguous, fmt.Sprintf("%s and %s read different values for %s.", readers[0], other, name), lastLineOf(file, name))
				break
			}
		}
		if line := lastLineOf(file, name); !d.plainInProcfile(file, line) {
			d.add(finding.ValueDialectAmbiguous, "honcho and foreman, which run the Procfile, read different values for "+name+".", line)
		}
	}
}

// lastLineOf is the number of the last line that sets the name, 0 for none.
func lastLineOf(file *envfile.File, name string) int {
	num := 0
	for _, l := range file.Lines() {
		if l.Kind == envfile.Assignment && strings.EqualFold(l.Name, name) && bytes.Contains(l.Raw, []byte(l.Name)) {
			num = l.Num
		}
	}
	return num
}
