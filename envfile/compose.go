package envfile

import (
	"bytes"
	"fmt"
	"sort"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/sirupsen/logrus"
)

// compose-go warns of variables that are not set, on a logger that it shares with whoever imports it.
func init() { logrus.SetLevel(logrus.PanicLevel) }

// readCompose asks compose-go itself, which docker compose reads .env and env_file with. The process environment beats the
// lines above in what it expands. Its error is not passed on: it quotes the line.
func readCompose(data []byte, env environ) (Vars, error) {
	if line := tooDeep(data); line > 0 {
		return nil, &ReadError{Compose, line, "${variables} that are nested too deep"}
	}
	if line := tooManyReferences(data); line > 0 {
		return nil, &ReadError{Compose, line, tooMany}
	}
	got, err := composeVars(data, env)
	if err != nil {
		return nil, &ReadError{Compose, composeLine(data, env, err), "a name, a quote or a ${variable} that it does not accept"}
	}
	vars := make(Vars, len(got))
	for name, value := range got {
		vars.set(name, value)
	}
	return vars, nil
}

// deepest bounds the levels of nested ${variables} times the bytes of a file: compose-go looks at all of the rest again
// for each level, which took it more than a minute for a file of 1 MiB.
const deepest = 32 << 20

// tooDeep returns the line, from 1, of the first ${variable} that is nested deeper than compose-go can read in time, 0
// for none.
func tooDeep(data []byte) int {
	depth, line := 0, 1
	for i, c := range data {
		switch {
		case c == '\n':
			line++
		case c == '{' && i > 0 && data[i-1] == '$':
			if depth++; depth*len(data) > deepest {
				return line
			}
		case c == '}':
			depth = max(0, depth-1)
		}
	}
	return 0
}

func composeVars(data []byte, env environ) (map[string]string, error) {
	return dotenv.UnmarshalBytesWithLookup(bytes.TrimPrefix(uncommented(data), utf8BOM), dotenv.LookupFn(env))
}

// composeLine returns the line that makes compose-go refuse the file. It names a line itself where that is none of an
// expansion, but of an open quote the last that it read.
func composeLine(data []byte, env environ, err error) int {
	file := Parse(data)
	num := 0
	if _, scanErr := fmt.Sscanf(err.Error(), "line %d:", &num); scanErr == nil {
		num = min(num, file.Len())
		if open := bytes.IndexByte(file.marks[:num], unbalanced); open >= 0 {
			return open + 1
		}
		return num
	}
	return 1 + sort.Search(file.Len()-1, func(i int) bool {
		_, sooner := composeVars(data[:file.starts[i+1]], env)
		return sooner != nil && sooner.Error() == err.Error()
	})
}

// nameLength returns the length of the variable name that s begins with.
func nameLength(s string) int {
	n := 0
	for n < len(s) && IsName(s[n:n+1]) || n > 0 && n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
