package steps

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/sys/shell"
)

// Source is where the backend that runs here gets its key from, where that is no file of
// variables. The zero Source is such a file, or the environment.
type Source struct {
	Kind   SourceKind
	File   string // of one value, with the literal, or with the code that makes tokens; that the settings read the key from, or open for other variables; absolute
	Line   int    // in that file, 0 where none is known
	Switch string // a variable with which the settings would load a .env, of nothing that reads one; "" for none
	Target string // the place that a compose service gets its variables from, as --target has it, likewise

	SecretKey KeyFacts // of nothing that reads, or of an unseen key: where SECRET_KEY is from, where that is no variable
	Fetches   bool     // of nothing that reads: by their text, the settings fetch the key, too
	Given     bool     // of an unseen key: as a variable of the environment it is seen
	Pair      string   // of a key pair: its algorithm, or JWK_URL
	PerUser   string   // of the project's own code: the setting that gives each user a key, "" for none
}

// namedBy reports whether the environment has the path of the file for the key.
func (s Source) namedBy(r *Run) bool {
	path, set := r.LookupEnv(r.Names().Key)
	return s.Kind == ValueFile && set && SameFile(path, s.File)
}

// SplitsNothing reports whether no key of the settings signs tokens: nothing makes any, a
// key pair signs them, or the project's own code chooses the key.
func (s Source) SplitsNothing() bool {
	return s.Kind == NoTokens || s.Kind == KeyPair || s.Kind == OwnCode
}

// SourceKind names a kind of Source.
type SourceKind string

// The kinds.
const (
	ValueFile    SourceKind = "value-file" // a file that holds no more than the key
	FromCode     SourceKind = "code"       // the settings fetch or compute it
	Literal      SourceKind = "literal"    // it stands in the settings, which read no variable for it
	OwnCode      SourceKind = "own-code"   // the project's own code makes tokens, and the settings have no key for it
	NoTokens     SourceKind = "no-tokens"  // nothing that is known makes tokens
	KeyPair      SourceKind = "key-pair"   // no shared key signs tokens, by the settings' text
	NothingReads SourceKind = "none"       // the settings read the environment alone, and no file gives it variables
	Launched     SourceKind = "launched"   // another program gives the backend its variables, and no file has them
	Unseen       SourceKind = "unseen"     // the settings read a file of variables, and would not see the key in it
)

// given is a key that the backend gets from something that keysplit does not write.
type given struct {
	ownFile
	source Source
}

func (given) File() string { return "" }

// Files are those that the key's evidence rests on.
func (g given) Files() []string {
	if g.source.Kind == ValueFile {
		return []string{g.source.File}
	}
	return nil
}

// Keys reads a file of one value, and the environment. What the settings fetch, only
// they know.
func (g given) Keys() (Keys, error) {
	r := g.run
	keys, err := ReadKeys(r, envfile.Shell, nil)
	if g.source.Kind != ValueFile || err != nil {
		return keys, err
	}
	data, err := file.ReadSmall(g.source.File)
	if errors.Is(err, os.ErrNotExist) {
		return keys, nil
	}
	if err != nil {
		return keys, err
	}
	if value := strings.TrimSpace(string(data)); value != "" {
		keys.Key = Setting{Secret: r.Secret(value), Source: "value-file"}
		keys.InFile = keys.Key
	}
	return keys, nil
}

func (g given) Found() (Keys, error) { return g.Keys() }

// Sealed reports whether the settings have a good key that only they can read: its
// length and that it differs is what Django told.
func (g given) Sealed() bool {
	f := g.run.Project.Facts
	return g.source.Kind == FromCode && f != nil && f.State == "ok" && f.Key.Set && f.Key.Length >= g.run.MinLength() && !f.SigningEqualsSecretKey
}

func (g given) what() string {
	if g.source.File != "" {
		return g.run.Project.Rel(g.source.File)
	}
	return "the settings"
}

// Takes is a *Failure: a key in a .env would never be read.
func (g given) Takes(Keys) error { return Fail(g.run.Untaken(g.source).WithSeverity(finding.Error)) }

// Untaken says where a key has to be set that no .env brings to the backend.
func (r *Run) Untaken(s Source) finding.Finding {
	f := finding.New(finding.EnvFileUnread, "")
	switch s.Kind {
	case ValueFile:
		rel := r.Project.Rel(s.File)
		f = finding.New(finding.EnvFileUnread, "The settings read the key from "+rel+", which holds no more than that. A .env would not be read.").At(rel, 0)
		folder := filepath.Dir(FromHere(s.File))
		return f.WithFix(finding.Do("Write a new key there: %s. Then run `keysplit` again.",
			finding.Command("(umask 077; mkdir -p "+shell.Join(folder)+"; python -c 'import secrets; print(secrets.token_urlsafe(64))' > "+shell.Join(FromHere(s.File))+")")))
	case FromCode:
		if s.File != "" {
			return r.besideIt(finding.New(finding.EnvFileUnread, "The settings read JWT_SECRET_KEY from "+r.Project.Rel(s.File)+" in a way of their own. A .env would not be read."), s)
		}
		return finding.New(finding.EnvFileUnread, "The settings fetch JWT_SECRET_KEY themselves. A .env would not be read.").At(r.Project.Rel(r.Project.SettingsFile), 0).
			WithFix(finding.Do("Set a new key where the settings fetch it from, then run `keysplit` again; `keysplit upgrade --help` lists the places that keysplit can write to."))
	case Literal:
		return finding.New(finding.SigningKeyInCode, "").At(r.Project.Rel(s.File), s.Line).
			WithFix(finding.Do("Let the settings read it in its place: %s. Then run `keysplit` again: the steps make a new key. Never use this one again.", r.reads()))
	case NoTokens:
		return finding.New(finding.TokenPackage, "keysplit found nothing in this project that makes tokens: no simplejwt, no django-ninja-jwt, no PyJWT with a shared key. There is nothing to split.").WithSeverity(finding.Warning).
			WithFix(finding.Do("If there are no tokens, there is nothing to do. If there are, say which variable holds their key, in keysplit.toml: key = \"NAME\". Then run `keysplit` again."))
	case KeyPair:
		facts := Facts{Tokens: TokenFacts{Algorithm: s.Pair, JWK: s.Pair == "JWK_URL"}}
		return facts.NotShared().At(r.Project.Rel(r.Project.SettingsFile), 0)
	case OwnCode:
		if s.PerUser != "" {
			return finding.New(finding.TokenPackage, s.PerUser+" gives each user a key, by code of the project. No shared key signs tokens: there is nothing to split.").At(r.Project.Rel(s.File), s.Line).
				WithSeverity(finding.Warning).WithFix(finding.Do("If that is intended, there is nothing to do."))
		}
		f := ownTokens(r.Project.Rel(s.File), s.Line)
		f.Message = prose.Say("%s They have no JWT_SECRET_KEY: a key in a .env would not be read.", f.Message)
		return f.WithSeverity(finding.Error).WithFix(finding.Do("Let the settings read it: JWT_SECRET_KEY = %s, and let %s sign and verify with that. "+
			"Where it has a key of its own already, say the name of its variable in keysplit.toml: key = \"NAME\". Then run `keysplit` again.", r.reads(), f.File))
	}
	switch {
	case s.Kind == Unseen:
		return r.unseen(f, s)
	case s.Kind == NothingReads && s.SecretKey.Source != "":
		return r.besideIt(f, s)
	}
	return r.keptBy(f, s)
}

// unseen is the finding of a file that the settings open for other variables.
func (r *Run) unseen(f finding.Finding, s Source) finding.Finding {
	rel := r.Project.Rel(s.File)
	f.Message = prose.Say("keysplit tried a key in %s: the settings open that file, and do not read JWT_SECRET_KEY from it.", rel)
	f = f.At(rel, 0)
	switch {
	case s.Given:
		return f.WithFix(finding.Do("The settings read JWT_SECRET_KEY from the environment alone: set it where the backend is started, or let them read it as they read SECRET_KEY. Then run `keysplit` again."))
	case s.SecretKey.File == "":
		return f.WithFix(finding.Do("Let the settings read JWT_SECRET_KEY as they read SECRET_KEY. Then run `keysplit` again."))
	}
	return r.besideIt(f, s)
}

// besideIt says where the key belongs with settings that get their secrets in a way of
// their own, which keysplit does not write.
func (r *Run) besideIt(f finding.Finding, s Source) finding.Finding {
	path := s.SecretKey.File
	if s.Kind == FromCode {
		path = s.File
	}
	rel, one := r.Project.Rel(path), finding.Command("python -c 'import secrets; print(secrets.token_urlsafe(64))'")
	where := finding.Do("The settings fetch their secrets themselves: put JWT_SECRET_KEY where they fetch those from.")
	switch {
	case s.Kind == FromCode:
		where = finding.Do("Put a new key into %s.", rel)
	case s.Fetches:
		where = finding.Do("Run keysplit where the settings can fetch JWT_SECRET_KEY. If there is none yet, put it where they fetch it from.")
	case s.SecretKey.Source == "value-file":
		where = finding.Do("The settings read SECRET_KEY from %s, which holds no more than that: put JWT_SECRET_KEY into such a file, where they look for it.", rel)
	case path != "":
		where = finding.Do("The settings read SECRET_KEY from %s: put JWT_SECRET_KEY there too%s.", rel, r.unprefixed(path))
	}
	if path != "" {
		f = f.At(rel, 0)
	}
	if s.Kind == NothingReads {
		f.Message = prose.Say("The settings get their secrets in a way of their own, and nothing here loads a .env: a key in a .env would never be read.")
	}
	return f.WithFix(finding.Do("%s To make one: %s. Then run `keysplit` again.", where, one))
}

// unprefixed says how the key is called in a file of a form of its own, where a prefix that
// its variable has is left out, as SECRET_KEY's is; "" where it is called as the variable.
func (r *Run) unprefixed(path string) string {
	names := r.Names()
	prefix, ok := strings.CutSuffix(names.SecretKey, GuideNames.SecretKey)
	data, err := file.ReadSmall(path)
	if !ok || prefix == "" || !strings.HasPrefix(names.Key, prefix) || err != nil || bytes.Contains(data, []byte(names.SecretKey)) {
		return ""
	}
	return ", without " + prefix + ", which only environment variables have"
}

// reads is how the settings read the variable of the key, by their own reader.
func (r *Run) reads() string {
	name := r.Names().Key
	switch readers := r.Project.EnvFile.Readers; {
	case len(readers) > 0 && readers[0] == envfile.Decouple:
		return "config(\"" + name + "\")"
	case len(readers) > 0 && readers[0] == envfile.DjangoEnviron:
		return "env(\"" + name + "\")"
	}
	return "os.environ[\"" + name + "\"]"
}

// Brings reports whether the backend gets this very key from the file of one value, or
// from the environment.
func (g given) Brings(key secret.Secret) (string, bool) {
	keys, err := g.Keys()
	if err != nil || !keys.Key.Secret.Equal(key) {
		return "", false
	}
	if keys.Key.Source == "environment" {
		return "the environment", true
	}
	return g.what(), true
}

func (g given) Kept() prose.Text {
	return prose.Say("The key that the backend gets from %s is good. It stays.", g.what())
}

func (g given) ReadBy(envfile.Dialect) string { return g.what() }

func (g given) Witnesses() []prose.Text {
	lines := []prose.Text{prose.Say("What the backend gets from %s", g.what())}
	if g.run.Django != nil {
		lines = append(lines, djangoWitness)
	}
	return lines
}
