package write

import (
	"fmt"
	"strings"

	"dj/keysplit/steps"
)

// Extra are two further variables for the place that has the key: those of a grace
// period. Their names are as the backend has them in its environment.
type Extra struct {
	SecretName string // of a secret value
	File       string // a file of mode 0600 whose whole content is that value
	PlainName  string // of one that is no secret
	Plain      string
}

// Steps are what a person does to bring them to the place of a target: commands of
// the place's own program that take the secret from its file, so that it is on no
// command line, as indented lines below a sentence. keysplit does not do that
// itself: a place is written to for the one key, and so is a rollback of it.
func (x Extra) Steps(t steps.Target) []string {
	switch t := t.(type) {
	case *remote:
		return append([]string{"For " + t.spec + ":"}, t.extra(x)...)
	case *manual:
		return []string{
			"In " + t.place() + ":",
			"    set " + x.SecretName + " to the whole content of " + x.File,
			"    set " + x.PlainName + " to " + x.Plain,
		}
	}
	return nil
}

// fed is a command line that reads a file.
func fed(file string, words ...string) string { return command(words...) + " < " + steps.Line(file) }

func command(words ...string) string { return "    " + steps.Line(words...) }

func (k *kubernetes) extra(x Extra) []string {
	name := func(variable string) string { return strings.ToLower(strings.ReplaceAll(variable, "_", "-")) }
	patch := fmt.Sprintf(`{"data":{"%s":"%%s"},"stringData":{"%s":"%s"}}`, name(x.SecretName), name(x.PlainName), x.Plain)
	return []string{
		// printf is a part of the shell: what it is given is on no command line.
		fmt.Sprintf("    printf '%s' \"$(base64 < %s | tr -d '\\n')\" | %s", patch, steps.Line(x.File),
			steps.Line(k.args("kubectl", "patch", "secret", k.name, "--type", "merge", "--patch-file", "/dev/stdin")...)),
		fmt.Sprintf("    and give the containers both, as %s and %s, where they get %s from this Secret", x.SecretName, x.PlainName, k.key),
	}
}

func (v *vault) extra(x Extra) []string {
	return []string{command("vault", "kv", "patch", "-mount="+v.mount, v.path, x.SecretName+"=@"+x.File, x.PlainName+"="+x.Plain)}
}

func (a *aws) extra(x Extra) []string {
	if a.key != "" {
		return []string{
			fmt.Sprintf("    add to the JSON object of the secret: %s, the whole content of %s, and %s, %s", x.SecretName, x.File, x.PlainName, x.Plain),
			"    aws secretsmanager has no command for one key: do it in the console, or read the secret, change it and put it back",
		}
	}
	return []string{
		// An ARN is no name; what stands at its end is.
		command("aws", "secretsmanager", "create-secret", "--name", a.id[strings.LastIndexByte(a.id, ':')+1:]+"-previous", "--secret-string", "file://"+x.File),
		fmt.Sprintf("    and give the backend that secret as %s, and %s=%s", x.SecretName, x.PlainName, x.Plain),
	}
}

func (h *heroku) extra(x Extra) []string {
	return []string{
		command("heroku", "config:edit", x.SecretName, "--app", h.app) + "   (paste the whole content of " + x.File + ")",
		command("heroku", "config:set", x.PlainName+"="+x.Plain, "--app", h.app),
	}
}

func (g *github) extra(x Extra) []string {
	set := func(name string, more ...string) []string {
		return append(append([]string{"gh", "secret", "set", name}, g.place()...), more...)
	}
	return []string{fed(x.File, set(x.SecretName)...), command(set(x.PlainName, "--body", x.Plain)...)}
}

func (r *railway) extra(x Extra) []string {
	return []string{
		fed(x.File, append([]string{"railway", "variable", "set", x.SecretName, "--stdin"}, r.place()...)...),
		command(append([]string{"railway", "variable", "set", x.PlainName + "=" + x.Plain}, r.place()...)...),
	}
}

func (f *fly) extra(x Extra) []string {
	return []string{fmt.Sprintf("    printf '%%s=%%s\\n' %s \"$(cat %s)\" %s %s | %s", x.SecretName, steps.Line(x.File), x.PlainName, steps.Line(x.Plain),
		steps.Line("fly", "secrets", "import", "--app", f.app))}
}
