package steps

import (
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// Setting is one variable as the backend would get it.
type Setting struct {
	Secret secret.Secret // unset when the variable is nowhere
	Source string        // "environment", "file", "place" (a target that is no file) or ""
}

// Empty reports whether the variable is there and holds nothing.
func (s Setting) Empty() bool { return s.Secret.Set() && s.Secret.Len() == 0 }

// Keys is the pair this program is about, as the files and the environment
// have it.
type Keys struct {
	Key       Setting  // JWT_SECRET_KEY
	SecretKey Setting  // SECRET_KEY
	InFile    Setting  // JWT_SECRET_KEY in the file alone, whatever the environment says
	Others    []Other  // the variables of Options.DistinctFrom, as far as they are set
	Unset     []string // the names of the others
	Quoted    bool     // the environment has the file's key, and quotes around it
}

// Other is one more variable that the key must differ from.
type Other struct {
	Name   string
	Secret secret.Secret
}

// Rivals are the secrets that the key must differ from.
func (k Keys) Rivals() []secret.Secret {
	all := []secret.Secret{k.SecretKey.Secret}
	for _, o := range k.Others {
		all = append(all, o.Secret)
	}
	return all
}

// EqualTo is the sentence about a key that equals one of its rivals.
func (k Keys) EqualTo(key secret.Secret) string {
	for _, o := range k.Others {
		if !key.Equal(k.SecretKey.Secret) && key.Equal(o.Secret) {
			return GuideNames.Key + " equals " + o.Name + "."
		}
	}
	return GuideNames.Key + " equals " + GuideNames.SecretKey + "."
}

// OnlyEnvironment reports whether the environment sets JWT_SECRET_KEY and the file does
// not, which is how a container gets it.
func (k Keys) OnlyEnvironment() bool {
	return k.Key.Source == "environment" && !k.InFile.Secret.Set()
}

// InForce is the key that counts: that of the file, whatever the environment says,
// or that of the environment where no file sets one.
func (k Keys) InForce() secret.Secret {
	if k.InFile.Secret.Set() {
		return k.InFile.Secret
	}
	return k.Key.Secret
}

// Shadowed is the finding of a variable of the environment that a key in the file
// could not get past.
func (k Keys) Shadowed() finding.Finding {
	switch {
	case k.Key.Secret.Len() == 0:
		return finding.New(finding.JWTKeyShadowed, "JWT_SECRET_KEY is set to an empty value in this shell, which overrides the file.")
	case k.OnlyEnvironment():
		return finding.New(finding.JWTKeyShadowed, "The environment sets JWT_SECRET_KEY, so a key in a file would never be read.").WithFix(MendEnvironment)
	}
	if k.Quoted {
		return finding.New(finding.JWTKeyShadowed, "The environment has the key of the file with its quotes, as Docker keeps them in an env file: with them it is another key.").
			WithFix(finding.Do("Take the quotes around the value out of the file, and start again what sets the variable."))
	}
	return finding.New(finding.JWTKeyShadowed, "")
}

// MendEnvironment is the fix for a key that the environment alone sets.
var MendEnvironment = finding.Do("Set a new key where that variable is set: on the hosting platform, in the container's environment, in the service's unit or in the shell's profile. keysplit makes one and puts it there where you name the place: `keysplit --target SPEC`. " +
	"Or take the variable out there and start `keysplit` again: the key then goes into the file.")

// ReadKeys reads both keys as dialect d would from the file's bytes. A variable
// of the environment beats the file, also when it is empty: that is what
// decouple, python-dotenv and django-environ do. It fails when that reader
// refuses the file as a whole.
func ReadKeys(run *Run, d envfile.Dialect, data []byte) (Keys, error) {
	vars, err := envfile.Read(d, data, run.LookupEnv)
	if err != nil {
		return Keys{}, err
	}
	file := func(name string) Setting {
		v, ok := vars.Says(name)
		if !ok || IsReference(v) {
			return Setting{}
		}
		return Setting{Secret: run.Secret(v), Source: "file"}
	}
	spelled := func(name string) []string {
		if run.Names().AnyCase {
			return []string{name, strings.ToUpper(name), strings.ToLower(name)}
		}
		return []string{name}
	}
	effective := func(name string) Setting {
		for _, name := range spelled(name) {
			if v, ok := run.LookupEnv(name); ok && !IsReference(v) {
				return Setting{Secret: run.Secret(v), Source: "environment"}
			}
		}
		return file(name)
	}
	names := run.Names()
	keys := Keys{
		Key:       effective(names.Key),
		SecretKey: effective(names.SecretKey),
		InFile:    file(names.Key),
	}
	if v, ok := run.LookupEnv(names.Key); ok && keys.InFile.Secret.Set() {
		inner := strings.Trim(v, `"'`)
		keys.Quoted = inner != v && run.Secret(inner).Equal(keys.InFile.Secret)
	}
	for _, name := range run.Options.DistinctFrom {
		switch s := effective(name); {
		case name == names.SecretKey:
		case s.Secret.Len() > 0:
			keys.Others = append(keys.Others, Other{name, s.Secret})
		default:
			keys.Unset = append(keys.Unset, name)
		}
	}
	return keys, nil
}
