package restart

import "strings"

// Check tells whether a --restart value can be understood, before anything is
// done. Its error wraps steps.ErrUsage.
func Check(spec string) error {
	_, err := (&Step{}).way(spec)
	return err
}

// Ways lists the forms of --restart, as they are written.
func Ways() string { return strings.Join(forms(), ", ") }

func forms() []string {
	var out []string
	for _, w := range ways {
		if w.argument != "" {
			out = append(out, w.name+":"+w.argument)
		} else {
			out = append(out, w.name)
		}
	}
	return out
}
