package steps

import (
	"bytes"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/sys/shell"
)

// Manager is a program that owns a file of variables: what stands there is a reference
// or ciphertext, and the program gives the backend the values when it starts.
type Manager struct {
	Name string
	run  []string // the command before the backend's; FILE stands for the file
	word bool     // it takes the backend's command as one word
	set  string   // how it takes a new value, as finding.Do; FILE likewise
	fill string   // the command that makes a .env of a template, MADE for it; FILE likewise

	value *lazyregexp.Regexp // a value of its kind
	marks []string           // how names begin that it writes into the file
}

// managers are known by what they write into a file of variables: 1Password's secret
// references (developer.1password.com/docs/cli/secret-references), dotenvx
// (dotenvx.com/docs), sops (getsops.io/docs), and references of other programs.
var managers = []*Manager{
	{Name: "1Password", run: []string{"op", "run", "--env-file=FILE", "--"}, set: "Make a field for it in 1Password, then add a line to FILE: JWT_SECRET_KEY=op://VAULT/ITEM/FIELD",
		fill: "op inject -f -i FILE -o MADE", value: lazyregexp.New(`^(?:\{\{\s*)?op://`)},
	{Name: "dotenvx", run: []string{"dotenvx", "run", "-f", "FILE", "--"}, set: "Set it with: `dotenvx set JWT_SECRET_KEY VALUE -f FILE`",
		value: lazyregexp.New(`^encrypted:`), marks: []string{"DOTENV_PUBLIC_KEY"}},
	{Name: "sops", run: []string{"sops", "exec-env", "FILE"}, word: true, set: "Add it with: `sops edit FILE`",
		value: lazyregexp.New(`^ENC\[`), marks: []string{"sops_mac", "sops_version", "sops_lastmodified"}},
	{Name: "Vault", run: []string{"vault-env"}, set: "Put it into Vault, then add its reference to FILE", value: lazyregexp.New(`^(?:>>)?vault:`)},
	{Name: "vals", run: []string{"vals", "exec", "-f", "FILE", "--"}, set: "Put it where the others are, then add its reference to FILE", value: lazyregexp.New(`^ref\+`)},
	{Name: "another program", set: "Put it where the others are, then add its reference to FILE", value: lazyregexp.New(`^(?:arn:aws:|(?:aws|gcp|azure|ssm|sm|bws|keeper|infisical|doppler|pass|akv|awssm|gsm|keyring|bitwarden|secret)[a-z0-9+.-]*://)`)},
}

// IsReference reports whether a value is no key but a reference to one, or ciphertext.
func IsReference(value string) bool { return managerOf(value) != nil }

func managerOf(value string) *Manager {
	for _, m := range managers {
		if m.value.MatchString(strings.TrimSpace(value)) {
			return m
		}
	}
	return nil
}

// ManagerOf is the program that owns a file of variables, by its bytes; nil for none.
func ManagerOf(names Names, data []byte) *Manager {
	for _, l := range envfile.Parse(data).Lines() {
		if l.Kind != envfile.Assignment || l.Inside {
			continue
		}
		for _, m := range managers {
			for _, mark := range m.marks {
				if strings.HasPrefix(l.Name, mark) {
					return m
				}
			}
		}
		if m := managerOf(strings.Trim(strings.TrimSpace(l.Value), `"'`)); m != nil && (names.IsKey(l.Name) || names.IsSecretKey(l.Name)) {
			return m
		}
	}
	return nil
}

// OwnerOf is the program that owns a committed file, of variables or in a form of its own;
// nil for none.
func OwnerOf(names Names, data []byte, variables bool) *Manager {
	switch {
	case IsEncrypted(data):
		return managerOf("ENC[")
	case variables:
		return ManagerOf(names, data)
	}
	return nil
}

// Command is a command of keysplit, given what the program resolves. "" where how that
// is done is not known.
func (m *Manager) Command(file string, words ...string) finding.Command {
	if len(m.run) == 0 {
		return ""
	}
	var all []string
	for _, w := range m.run {
		all = append(all, strings.ReplaceAll(w, "FILE", file))
	}
	if m.word {
		return finding.Shell(append(all, strings.Join(words, " "))...)
	}
	return finding.Shell(append(all, words...)...)
}

// Set says how the program takes the key.
func (m *Manager) Set(file string) prose.Text {
	return finding.Do(strings.ReplaceAll(m.set, "FILE", file))
}

// Owned is the finding of a file that another program owns: without what that resolves,
// the backend has no key. there reports that the file names the key.
func (r *Run) Owned(there bool) finding.Finding {
	env := r.Project.EnvFile
	rel, m, at := r.Project.Rel(env.Owned), env.Owner, FromHere(env.Owned)
	template, _ := file.ReadSmall(env.Owned) // nothing where it cannot be read
	f := finding.New(finding.EnvFileManaged, rel+" holds references or ciphertext, which "+m.Name+" resolves when the backend starts. keysplit does not write to it.").At(rel, 0)
	as := prose.Text{}
	if command := m.Command(at, "keysplit", "check"); env.Owned != env.Path && m.fill != "" && (env.Exists || bytes.Contains(template, []byte("{{"))) {
		as = finding.Do("Make %s of it again: %s.", r.Project.Rel(env.Path), finding.Command(strings.NewReplacer("FILE", shell.Join(at), "MADE", shell.Join(FromHere(env.Path))).Replace(m.fill)))
	} else if command != "" {
		as = finding.Do("Run keysplit as you run the backend: %s.", command)
	}
	switch {
	case there && !as.Empty():
		return f.WithFix(as)
	case there:
		return f.WithFix(finding.Do("Run keysplit as you run the backend, with what resolves them."))
	}
	fix := finding.Do("%s.", m.Set(at))
	if !as.Empty() {
		fix = finding.Do("%s. %s", m.Set(at), as)
	}
	return f.WithFix(fix)
}
