package vendor

import (
	"fmt"

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
func fed(file string, words ...string) string { return "    " + shell.Fed(file, words...) }

func command(words ...string) string { return "    " + shell.Join(words...) }

// readsDevStdin refuses a program that reads a value from the file /dev/stdin, on a
// system that has none: the value would have to be an argument, or a file on the disk.
func readsDevStdin(program, system string) error {
	if system != "windows" {
		return nil
	}
	return fmt.Errorf("keysplit gives %s the key as /dev/stdin, and Windows has none: run keysplit in WSL, or name the place manual and set the key by hand", program)
}
