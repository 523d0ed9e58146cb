package envfile

import (
	"maps"
	"strings"
)

// readDjangoEnviron models django-environ's read_env, and then the env(NAME)
// that follows: a value that begins with $ is looked up as the name of another
// variable, where the process environment beats the file. Version 0.11 ends a
// value at a comment, and no other does; where that makes a difference the value
// of the others is Stated.
func readDjangoEnviron(data []byte, env environ) (Vars, error) {
	text, err := pythonText(DjangoEnviron, data)
	if err != nil {
		return nil, err
	}
	vars := varsOf(data)
	older := map[string]string{} // what version 0.11 reads, where that differs
	for line := range strings.FieldsFuncSeq(text, pythonLineBreak) {
		key, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if !ok || !environName(key) {
			continue
		}
		now := environValue(value)
		vars.set(key, now)
		if old := environValue(environUncommented(value)); old != now {
			older[key] = old
		} else {
			delete(older, key)
		}
	}
	for key, v := range vars {
		if _, set := env(key); !set && strings.IndexByte(v.Value, 0) >= 0 { // in the value that counts: the environment takes none
			return nil, &ReadError{DjangoEnviron, lineAt(data, strings.IndexByte(string(data), 0)), "a NUL character in a value"}
		}
	}
	environFollow(vars, older, env)
	return vars, nil
}

// environFollow replaces what env(NAME) would look up under another name, and marks what version 0.11 reads otherwise.
func environFollow(vars Vars, older map[string]string, env environ) {
	refers := func(value string) bool { return strings.HasPrefix(value, "$") }
	found := Vars{}
	for key, v := range vars {
		old, differs := older[key]
		if !differs && !refers(v.Value) {
			continue
		}
		if !differs {
			old = v.Value
		}
		was := environProxy(old, len(vars), env, func(name string) (string, bool) {
			if old, ok := older[name]; ok {
				return old, true
			}
			v, ok := vars[name]
			return v.Value, ok
		})
		now := environProxy(v.Value, len(vars), env, func(name string) (string, bool) {
			v, ok := vars[name]
			return v.Value, ok
		})
		if found[key] = now; now.State == Known && now != was {
			found[key] = Var{Value: now.Value, State: Stated}
		}
	}
	maps.Copy(vars, found)
}

// pythonLineBreak has every character at which Python's str.splitlines splits.
func pythonLineBreak(r rune) bool {
	switch r {
	case '\n', '\v', '\f', '\r', 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029:
		return true
	}
	return false
}

// environName accepts a leading digit, unlike IsName.
func environName(key string) bool { return key != "" && IsName("_"+key) }

// environUncommented takes the comment off a value as version 0.11 does.
func environUncommented(v string) string {
	if inner, ok := environSingle(v); ok {
		return "'" + inner + "'"
	}
	v, _, _ = strings.Cut(v, "#")
	return v
}

func environValue(v string) string {
	if n := len(v); n >= 2 && v[0] == '\'' && v[n-1] == '\'' {
		v = v[1 : n-1]
	}
	if n := len(v); n < 2 || v[0] != '"' || v[n-1] != '"' {
		return v
	}
	v = v[1 : len(v)-1]
	if strings.IndexByte(v, '\\') < 0 {
		return v
	}
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) {
			if i++; strings.IndexByte("rnt", v[i]) >= 0 {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(v[i])
	}
	return b.String()
}

// environSingle takes the text between single quotes: up to the last quote
// that only white space and perhaps a comment follow.
func environSingle(v string) (string, bool) {
	v = strings.TrimLeftFunc(v, pythonSpace)
	if v == "" || v[0] != '\'' {
		return "", false
	}
	for end := strings.LastIndexByte(v, '\''); end > 0; end = strings.LastIndexByte(v[:end], '\'') {
		rest := strings.TrimLeftFunc(v[end+1:], pythonSpace)
		if rest == "" || rest[0] == '#' {
			return v[1:end], true
		}
	}
	return "", false
}

// environProxy follows $NAME to the value it stands for, in a file of n names. A name that is not
// set, and a circle, raise an error in env(NAME).
func environProxy(value string, n int, env, file environ) Var {
	for range n + 1 {
		if !strings.HasPrefix(value, "$") {
			return Var{Value: value}
		}
		name := strings.TrimLeft(value, "$")
		next, ok := env(name)
		if !ok {
			if next, ok = file(name); !ok {
				return Var{State: Raises}
			}
		}
		value = next
	}
	return Var{State: Raises}
}
