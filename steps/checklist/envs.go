package checklist

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/repo"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
)

// envs is what the .env files say, for the first three items.
type envs struct {
	sets, differ, long  []Evidence
	unset, equal, unfit []string // what is wrong, per item; the first is the one to say
	key                 secret.Secret
	ownDiffer           bool // the backend's own file holds both keys, and they differ
}

// readEnvs reads every .env file of the tree, and the backend's own wherever it
// is, as the backend's reader would.
func readEnvs(run *steps.Run, t repo.Tree) envs {
	var e envs
	p := run.Project
	own := resolved(p.EnvFile.Path)
	found := false
	for _, path := range t.Files[repo.EnvFile] {
		isOwn := resolved(path) == own
		found = found || isOwn
		e.read(run, path, isOwn)
	}
	if !found {
		e.read(run, p.EnvFile.Path, true)
	}
	return e
}

// fromElsewhere judges a key that no file of variables gives, such as that of a
// container's environment: no .env needs to hold it then. It reports whether that is so.
func (e *envs) fromElsewhere(run *steps.Run) bool {
	keys, err := run.Home().Keys()
	source := run.Project.Source
	if err != nil || !run.Home().Here() || !keys.OnlyEnvironment() && source.Kind == "" {
		return false
	}
	from, seen := "the environment", Evidence{Check: "environment"}
	if !keys.OnlyEnvironment() {
		switch source.Kind {
		case steps.ValueFile:
			from, seen = run.Project.Rel(source.File), Evidence{File: run.Project.Rel(source.File)}
		case steps.FromCode:
			return e.fromCode(run)
		case steps.Literal:
			e.unset = append(e.unset, fmt.Sprintf("the key is written in %s:%d", run.Project.Rel(source.File), source.Line))
			return true
		case steps.OwnCode, steps.NoTokens, steps.KeyPair:
			e.unset = append(e.unset, "the settings have no JWT_SECRET_KEY")
			return true
		case steps.NothingReads:
			e.unset = append(e.unset, "nothing gives the backend JWT_SECRET_KEY, and nothing here reads a .env")
			return true
		case steps.Launched, steps.Unseen:
			e.unset = append(e.unset, "nothing gives the backend JWT_SECRET_KEY, and a key in a .env would not be it")
			return true
		}
	}
	saying := func(text string) Evidence {
		ev := seen
		ev.Text = text
		return ev
	}
	e.key = keys.Key.Secret
	codes := run.Judge(e.key, keys.Rivals()...)
	has := func(c finding.Code) bool { return slices.Contains(codes, c) }
	switch {
	case has(finding.JWTKeyMissing), has(finding.JWTKeyEmpty), has(finding.JWTKeyPlaceholder):
		e.unset = append(e.unset, from+" sets JWT_SECRET_KEY to no key")
		return true
	case has(finding.JWTKeyEqualsSecretKey):
		e.equal = append(e.equal, "the two keys are equal in "+from)
	}
	e.sets = append(e.sets, saying(from+" sets JWT_SECRET_KEY, and no file of the backend does"))
	if source.Kind == steps.ValueFile && !keys.OnlyEnvironment() {
		e.sets[len(e.sets)-1].Text = "holds JWT_SECRET_KEY, and the settings read it there"
	}
	switch {
	case has(finding.JWTKeyTooShort):
		e.unfit = append(e.unfit, fmt.Sprintf("the key in %s has %d characters", from, e.key.Len()))
	case has(finding.JWTKeyWeak):
		e.unfit = append(e.unfit, "the key in "+from+" can be guessed")
	default:
		e.long = append(e.long, saying(fmt.Sprintf("%d characters, in %s", e.key.Len(), from)))
	}
	return true
}

// fromCode takes what the settings told of a key that only they can fetch.
func (e *envs) fromCode(run *steps.Run) bool {
	if !run.Home().Sealed() {
		e.unset = append(e.unset, "the settings fetch no good key")
		return true
	}
	e.sets = append(e.sets, Evidence{Text: "the settings fetch JWT_SECRET_KEY themselves", Check: "settings"})
	e.long = append(e.long, Evidence{Text: fmt.Sprintf("%d characters, as Django has it", run.Project.Facts.Key.Length), Check: "settings"})
	return true
}

func resolved(path string) string {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		return r
	}
	return path
}

// read judges one file. Of a file that sets no SECRET_KEY nothing is asked,
// unless it is the backend's own or sets JWT_SECRET_KEY.
func (e *envs) read(run *steps.Run, path string, own bool) {
	if own && e.fromElsewhere(run) {
		return
	}
	rel := run.Project.Rel(path)
	reader := envfile.Decouple
	if len(run.Project.EnvFile.Readers) > 0 {
		reader = run.Project.EnvFile.Readers[0]
	}
	as := run.Project.ReadAs(path, reader)
	data, err := file.ReadSmall(path)
	if err != nil {
		e.unset = append(e.unset, rel+" cannot be read: "+whyUnread(err))
		return
	}
	vars, err := envfile.Read(reader, data, run.LookupEnv)
	if err != nil {
		e.unset = append(e.unset, rel+" cannot be read "+as)
		return
	}
	get := func(name string) (secret.Secret, string) {
		v, ok := vars.Says(name)
		if !ok || steps.IsReference(v) {
			return secret.Secret{}, ""
		}
		return run.Secret(v), v
	}
	key, keyText := get(run.Names().Key)
	secretKey, secretText := get(run.Names().SecretKey)
	if own {
		e.key = key
	}
	if !own && !secretKey.Set() && !key.Set() {
		return
	}
	if !own && steps.Placeholder(keyText) && steps.Placeholder(secretText) {
		return // a template under another name: both keys are to be filled in
	}
	e.judge(rel, as, lineOf(data, run.Names().Key), run.Judge(key, secretKey), key, secretKey, own)
}

func (e *envs) judge(rel, as string, line int, codes []finding.Code, key, secretKey secret.Secret, own bool) {
	has := func(c finding.Code) bool { return slices.Contains(codes, c) }
	switch {
	case has(finding.JWTKeyMissing):
		what := " sets no JWT_SECRET_KEY"
		if line > 0 {
			what = " sets no JWT_SECRET_KEY, " + as + ", though a line names it"
		}
		e.unset = append(e.unset, rel+what)
		return
	case has(finding.JWTKeyEmpty):
		e.unset = append(e.unset, rel+" has an empty JWT_SECRET_KEY")
		return
	case has(finding.JWTKeyPlaceholder):
		e.unset = append(e.unset, rel+" holds a placeholder, not a key")
	default:
		e.sets = append(e.sets, Evidence{Text: "sets JWT_SECRET_KEY, " + as, File: rel, Line: line})
	}
	switch {
	case has(finding.JWTKeyEqualsSecretKey):
		e.equal = append(e.equal, "the two keys are equal in "+rel)
	case secretKey.Set():
		e.differ = append(e.differ, Evidence{Text: "holds two keys that differ, " + as, File: rel, Line: line})
		e.ownDiffer = e.ownDiffer || own
	}
	switch {
	case has(finding.JWTKeyTooShort):
		e.unfit = append(e.unfit, fmt.Sprintf("the key in %s has %d characters", rel, key.Len()))
	case has(finding.JWTKeyWeak):
		e.unfit = append(e.unfit, "the key in "+rel+" can be guessed")
	case !has(finding.JWTKeyPlaceholder):
		e.long = append(e.long, Evidence{Text: fmt.Sprintf("has %d characters", key.Len()), File: rel, Line: line})
	}
}

// lineOf is the last line that sets a name, 0 when none does.
func lineOf(data []byte, name string) int {
	last := 0
	for _, l := range envfile.Parse(data).Lines() {
		if l.Kind == envfile.Assignment && l.Name == name && !l.Inside {
			last = l.Num
		}
	}
	return last
}

// whyUnread says in a few words why a file could not be read. It names no path,
// since the caller does.
func whyUnread(err error) string {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "it does not exist, or links to nothing"
	case errors.Is(err, fs.ErrPermission):
		return "this user may not read it"
	case errors.As(err, &path):
		return path.Err.Error()
	}
	return err.Error()
}
