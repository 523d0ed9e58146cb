package envfile

import (
	"bufio"
	"bytes"
	"strings"
	"unicode"
)

// readDocker models docker run --env-file: no quotes, no comments after a
// value, no expansion. A name without = is taken from the environment. Lines
// of 64 KiB and more are refused, as are names with a space or a tab.
func readDocker(data []byte, env environ) (Vars, error) {
	if err := checkUTF8(DockerEnvFile, data); err != nil {
		return nil, err
	}
	vars := varsOf(data)
	num := 0
	for rest := bytes.TrimPrefix(data, utf8BOM); len(rest) > 0; {
		num++
		raw, after, _ := bytes.Cut(rest, []byte{'\n'})
		if len(raw) >= bufio.MaxScanTokenSize {
			return nil, &ReadError{DockerEnvFile, num, "the line is too long"}
		}
		rest = after
		line := strings.TrimLeftFunc(string(bytes.TrimSuffix(raw, []byte{'\r'})), unicode.IsSpace)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		switch {
		case name == "":
			return nil, &ReadError{DockerEnvFile, num, "no name before the ="}
		case strings.ContainsAny(name, " \t"):
			return nil, &ReadError{DockerEnvFile, num, "white space in a name"}
		case ok:
			vars.set(name, value)
		default:
			if value, ok := env(name); ok {
				vars.set(name, value)
			}
		}
	}
	return vars, nil
}
