package demo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
)

// settings is what settings.py makes of .env.
type settings struct {
	secretKey string
	key       string // JWT_SECRET_KEY
	keySet    bool
	debug     bool
}

// refusal is why settings.py does not load.
type refusal struct {
	state string // as in steps.Facts
	text  string // the last line of the traceback
	nth   int    // the raise statement of settings.py that it comes from, from 1; 0 for none
}

// evaluate reads .env as python-decouple does and applies the rules of
// settings.py. The refusal is nil when the settings load; what could be read is
// returned all the same.
func evaluate(root string) (settings, *refusal) {
	s, r := read(root)
	if r == nil {
		r = s.rules()
	}
	return s, r
}

// read reads .env. A missing file is an empty one: decouple then has the
// environment only.
func read(root string) (settings, *refusal) {
	data, err := os.ReadFile(filepath.Join(root, ".env"))
	if err != nil && !os.IsNotExist(err) {
		return settings{}, &refusal{"error", "PermissionError: .env cannot be read.", 0}
	}
	vars, err := envfile.Read(envfile.Decouple, data, nil)
	if err != nil {
		return settings{}, &refusal{"error", "UnicodeDecodeError: .env cannot be decoded.", 0}
	}
	var s settings
	var found bool
	s.key, s.keySet = vars.Get(steps.GuideNames.Key)
	if s.secretKey, found = vars.Get(steps.GuideNames.SecretKey); !found {
		return s, &refusal{"error", "decouple.UndefinedValueError: SECRET_KEY not found. Declare it as envvar or define a default value.", 0}
	}
	debug, _ := vars.Get("DEBUG")
	switch strings.ToLower(debug) {
	case "true", "1", "yes", "y", "on", "t":
		s.debug = true
	case "false", "0", "no", "n", "off", "f", "":
	default:
		// The real text quotes the value, which may be a key that was glued to it.
		return s, &refusal{"error", "ValueError: Invalid truth value for DEBUG.", 0}
	}
	return s, nil
}

// rules are the three of the guide, with its words.
func (s settings) rules() *refusal {
	const class = "django.core.exceptions.ImproperlyConfigured: "
	switch {
	case s.key == "":
		return &refusal{"key-missing", class + "JWT_SECRET_KEY environment variable is required.", 1}
	case s.key == s.secretKey:
		return &refusal{"key-equal", class + "JWT_SECRET_KEY must be different from SECRET_KEY.", 2}
	case len([]rune(s.key)) < steps.MinKeyLength:
		return &refusal{"key-short", class + "JWT_SECRET_KEY must be at least 50 characters.", 3}
	}
	return nil
}

// signingKey is the key that signs tokens; the code from before the change
// falls back to SECRET_KEY.
func (s settings) signingKey() string {
	if s.key == "" {
		return s.secretKey
	}
	return s.key
}

// traceback is what a refused start prints, like Python.
func (r *refusal) traceback(root string) string {
	manage := filepath.Join(root, "manage.py")
	file := filepath.Join(root, "plants", "settings.py")
	var b strings.Builder
	fmt.Fprintf(&b, "Traceback (most recent call last):\n  File %q, line 12, in <module>\n    main()\n", manage)
	if line := raiseLine(file, r.nth); line > 0 {
		fmt.Fprintf(&b, "  File %q, line %d, in <module>\n    raise ImproperlyConfigured(\n", file, line)
	}
	b.WriteString(r.text + "\n")
	return b.String()
}

func raiseLine(file string, nth int) int {
	data, _ := os.ReadFile(file) // of what cannot be read no line is named
	for i, line := range strings.Split(string(data), "\n") {
		if strings.Contains(line, "raise ImproperlyConfigured(") {
			if nth--; nth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
