package vendor

import (
	"dj/keysplit/steps/sys/shell"
)

// Extra are two further variables for the place that has the key: those of a grace
// period. Their names are as the backend has them in its environment.
type Extra struct {
	SecretName string // of a secret value
	File       string // a file of mode 0600 whose whole content is that value
	PlainName  string // of one that is no secret
	Plain      string
}

// fed is a command line that reads a file.
func fed(file string, words ...string) string { return command(words...) + " < " + shell.Join(file) }

func command(words ...string) string { return "    " + shell.Join(words...) }
