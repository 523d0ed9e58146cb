package steps

import (
	"context"
	"fmt"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// Home is where the environment of a run keeps its key. A step asks it what it needs
// to know, and does not ask which kind it is.
//
// Of what a backend can get its key from (a file that its reader opens, the
// environment of its process, a file of one value, the settings' own code, another
// program that fills references in at the start, a place elsewhere, nothing yet) four
// kinds are told apart here: ownFile, the .env of this machine, which may not be there
// yet or be another program's, with the environment of this process over it;
// ownEnvironment, which alone sets the key; given, what keysplit does not write; and
// elsewhere, places that are none of this machine's business. A further
// kind is one more type with these methods, most of them those of ownFile, and a line in
// Run.Home.
type Home interface {
	// Here reports whether the backend of this environment runs on this machine, from
	// this project. Only then are the project's own Django, this shell and the servers
	// that run here witnesses of its key.
	Here() bool
	// Look asks what can only be asked, so that Keys is about now. What keeps it from
	// looking is a *Failure.
	Look(ctx context.Context) error
	// Keys are the keys in force: those of a file as it is now, those of a place as it
	// was at the last Look.
	Keys() (Keys, error)
	// Found are the keys in force as they were when preflight looked: what was
	// diagnosed is what is decided upon.
	Found() (Keys, error)
	// Sealed reports whether there is a key that nothing can read.
	Sealed() bool
	// Compares reports whether these keys can be told to differ without a server.
	Compares(k Keys) bool
	// Files are the files of this machine that the backend gets its key from, absolute.
	Files() []string
	// File is the one file that stands for them all, absolute; "" for none.
	File() string
	// Takes is nil where a key that keysplit writes would be read, given the keys that
	// were found; else a *Failure that says what to do instead.
	Takes(k Keys) error
	// Brings reports whether the backend gets this very key from something that keysplit
	// does not write, and what that is called, such as "the environment".
	Brings(key secret.Secret) (from string, ok bool)
	// Kept is the sentence about a good key in force, which stays.
	Kept() prose.Text
	// ReadBy is what the key in force is called where one reader of the file looks at it.
	ReadBy(reader envfile.Dialect) string
	// Witnesses say what a proof that the two keys differ rests on, one line each.
	Witnesses() []prose.Text
}

// Home is where this run's environment keeps its key.
func (r *Run) Home() Home {
	for _, t := range r.Targets {
		// Before the project is known, any file here may be its .env.
		if t.Local() && (r.Project == nil || SameFile(t.File(r), r.Project.EnvFile.Path)) {
			return r.own()
		}
	}
	if len(r.Targets) > 0 {
		return elsewhere{r}
	}
	return r.own()
}

// own is where the backend that runs here from this project gets its key.
func (r *Run) own() Home {
	file := ownFile{r}
	if r.Project == nil {
		return file
	}
	if keys, err := file.Keys(); err == nil && keys.OnlyEnvironment() && !r.Project.Source.namedBy(r) {
		return ownEnvironment{file}
	}
	if s := r.Project.Source; s.Kind != "" {
		return given{file, s}
	}
	return file
}

var djangoWitness = prose.Say("The settings as Django loads them, and Django's system checks")

// ownFile is the .env that the project's own Django reads here, also before it is made,
// with what the environment of this process has over it.
type ownFile struct{ run *Run }

func (ownFile) Here() bool                 { return true }
func (ownFile) Look(context.Context) error { return nil } // it is read each time
func (ownFile) Sealed() bool               { return false }
func (ownFile) Compares(Keys) bool         { return true } // Django does, where the file does not have both
func (o ownFile) File() string             { return o.run.Project.EnvFile.Path }
func (o ownFile) Files() []string          { return []string{o.File()} }

func (o ownFile) Keys() (Keys, error) {
	env := o.run.Project.EnvFile
	if len(env.Readers) == 0 {
		return Keys{}, fmt.Errorf("read %s: its reader is not known", env.Path)
	}
	at, err := envfile.Open(env.Path)
	if err != nil {
		return Keys{}, err
	}
	return ReadKeys(o.run, env.Readers[0], at.Data)
}

func (o ownFile) Found() (Keys, error) {
	env := o.run.Project.EnvFile
	var data []byte
	if env.At != nil && env.At.Exists {
		data = env.At.Data
	}
	keys, err := ReadKeys(o.run, env.Readers[0], data)
	if utf, from := envfile.Decoded(data); err != nil && from != "" { // as the plan of edits converts it
		keys, err = ReadKeys(o.run, env.Readers[0], utf)
	}
	if err != nil {
		return keys, fmt.Errorf("read %s: %w", env.Path, err)
	}
	return keys, nil
}

// Takes knows that a variable of the environment hides what the file says, unless the
// reader is one that lets the file win.
func (o ownFile) Takes(k Keys) error {
	if o.run.Project.EnvFile.Owner != nil {
		return Fail(o.run.Owned(o.run.Project.EnvFile.Names))
	}
	fileWins := o.run.Project.Facts != nil && o.run.Project.Facts.Key.Source == "file"
	if k.Key.Source == "environment" && !fileWins {
		return Fail(k.Shadowed())
	}
	return nil
}

func (ownFile) Brings(secret.Secret) (string, bool) { return "", false }
func (ownFile) Kept() prose.Text                    { return prose.Say("Your key in the file is good, so it stays.") }

func (o ownFile) ReadBy(reader envfile.Dialect) string {
	return "the file, " + o.run.Project.ReadAs(o.File(), reader)
}

func (o ownFile) Witnesses() []prose.Text {
	lines := []prose.Text{
		prose.Say("The file, %s", o.run.Project.ReadAs(o.File(), o.run.Project.EnvFile.Readers...)),
		prose.Say("The environment of this shell"),
	}
	if o.run.Django != nil {
		lines = append(lines, djangoWitness)
	}
	return lines
}

// ownEnvironment is the environment of this process where it sets the key and the file
// does not, which is how a container gets it. A good key there is kept, and no file is
// written for it.
type ownEnvironment struct{ ownFile }

func (o ownEnvironment) Brings(key secret.Secret) (string, bool) {
	keys, err := o.Keys()
	return "the environment", err == nil && keys.Key.Secret.Equal(key)
}

func (ownEnvironment) Kept() prose.Text {
	return prose.Say("The key that the environment sets is good. It stays.")
}

func (ownEnvironment) ReadBy(envfile.Dialect) string {
	return "the environment: no file sets the key"
}
