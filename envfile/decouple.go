package envfile

import "strings"

// readDecouple models python-decouple: lines, the first =, white space and one
// pair of outer quotes dropped. It knows no export, no comment after a value,
// no escapes, no expansion and no values of several lines.
func readDecouple(data []byte) (Vars, error) {
	text, err := pythonText(Decouple, data)
	if err != nil {
		return nil, err
	}
	vars := varsOf(data)
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimFunc(line, pythonSpace)
		key, value, ok := strings.Cut(line, "=")
		if !ok || line[0] == '#' {
			continue
		}
		vars.set(strings.TrimFunc(key, pythonSpace), unquote(strings.TrimFunc(value, pythonSpace)))
	}
	return vars, nil
}
