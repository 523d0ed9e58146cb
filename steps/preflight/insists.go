package preflight

import (
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
)

// In these, KEY_VARIABLE stands for the key's name in force.
const (
	readsKey  = `(?:\b(?:config|env|env\.str|env\.get_value|require_env|get_env_variable|get_env_value)\(\s*['"]KEY_VARIABLE['"]\s*(?:,\s*cast\s*=\s*\w+\s*)?\)|\benviron\[\s*['"]KEY_VARIABLE['"]\s*\])`
	stopsLoad = `(?m)^if not (?:\w+\.)?(?:JWT_SECRET_KEY|KEY_VARIABLE)[^\n]*:[ \t]*\n(?:[^\n]*\n){0,2}?[ \t]+raise\b`
	hasScheme = `\bKEY_VARIABLE\s*=\s*\(`
)

// mayNotRun begins a block whose code does not run each time.
var mayNotRun = lazyregexp.New(`^\s*(?:if|elif|else|def|async|try|except|finally|for|while|with|match|case)\b`)

// insists reports whether the settings' own text leaves no doubt that they do not load
// without the key. manage.py may choose between several modules: then nothing is known.
func insists(p *steps.Project, sources []source) bool {
	named := map[string]bool{}
	for _, s := range sources {
		if s.path != p.ManagePy {
			continue
		}
		for _, where := range []*lazyregexp.Regexp{settingsSet, settingsCall} {
			for _, m := range where.FindAllStringSubmatch(s.text, -1) {
				named[m[1]] = true
			}
		}
	}
	if len(named) > 1 {
		return false
	}
	names := p.Names.Or(steps.GuideNames)
	reads, stops, scheme := inForce(names, readsKey), inForce(names, stopsLoad), inForce(names, hasScheme)
	found := false
	for _, s := range sources {
		if scheme.MatchString(s.text) {
			return false
		}
		if stops.MatchString(s.text) {
			found = true
		}
		for _, at := range reads.FindAllStringIndex(s.text, -1) {
			found = found || runsAlways(s.text, at[0]) && !assignsTo(s.text[at[1]:])
		}
	}
	return found
}

// assignsTo reports whether what was found is set there, and not read.
func assignsTo(rest string) bool {
	rest = strings.TrimLeft(rest, " \t")
	return strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, "==")
}

// runsAlways reports whether the code at an offset is in no block that may not run.
func runsAlways(text string, at int) bool {
	lines := strings.Split(text[:at], "\n")
	indent := indentation(lines[len(lines)-1] + "x")
	if mayNotRun.MatchString(lines[len(lines)-1]) {
		return false
	}
	for i := len(lines) - 2; i >= 0 && indent > 0; i-- {
		line := lines[i]
		if strings.TrimSpace(line) == "" || indentation(line) >= indent {
			continue
		}
		if indent = indentation(line); mayNotRun.MatchString(line) {
			return false
		}
	}
	return true
}

func indentation(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }
