package preflight

import (
	"regexp"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
)

var (
	secretKeyLine   = lazyregexp.New(`(?m)^[ \t]*SECRET_KEY[ \t]*(?::[^=\n]*)?=[ \t]*(.*)$`)
	wholeLiteral    = lazyregexp.New(`^[rbuRBU]?(?:"([^"\n]*)"|'([^'\n]*)')\s*$`)
	literalSigns    = lazyregexp.New(`['"](?:SIGNING_KEY|JWT_SECRET_KEY)['"]\s*:\s*[rbuRBU]?(?:"[^"\n]+"|'[^'\n]+')\s*[,}\n]`)
	signsWithSecret = lazyregexp.New(`['"](?:SIGNING_KEY|JWT_SECRET_KEY)['"]\s*:\s*(?:settings\.)?SECRET_KEY\b`)
	overrides       = lazyregexp.New(`load_dotenv\([^\n]*override\s*=\s*True|read_env\([^\n]*overwrite\s*=\s*True`)
)

// In these, SECRET_VARIABLE and KEY_VARIABLE stand for the names in force.
const (
	defaultValue = `['"]SECRET_VARIABLE['"]\s*,\s*(?:default\s*=\s*)?(?:"([^"\n]*)"|'([^'\n]*)')`
	anyDefault   = `['"]SECRET_VARIABLE['"]\s*,`
	readsSecret  = `['"]SECRET_VARIABLE['"]` // #nosec G101 -- a pattern of a name, no value

	// A fallback that replaces the signing key, and one that stands in the
	// reading of the key itself.
	fallsBack = `\[\s*['"]SIGNING_KEY['"]\s*\]\s*=\s*(?:settings\.)?SECRET_KEY\b|` +
		`['"]KEY_VARIABLE['"]\s*,\s*(?:default\s*=\s*)?SECRET_KEY\b|` +
		`JWT_SECRET_KEY\s*=\s*SECRET_KEY\b|` +
		`['"]KEY_VARIABLE['"][^\n]*\)\s*or\s+(?:SECRET_KEY\b|[^\n]*['"]SECRET_VARIABLE['"])`
	keyInCode    = `['"]KEY_VARIABLE['"]\s*,\s*(?:default\s*=\s*)?['"][^'"\n]{8,}['"]|(?m:^)[ \t]*JWT_SECRET_KEY[ \t]*=[ \t]*['"]`
	raisesForKey = `\braise\s+\w+[^\n]*(?:\n[^\n]*){0,3}?(?:JWT_SECRET_KEY|KEY_VARIABLE)`
)

// inForce is one of those patterns for the names of a project.
func inForce(names steps.Names, pattern string) *lazyregexp.Regexp {
	return lazyregexp.New(strings.NewReplacer("SECRET_VARIABLE", regexp.QuoteMeta(names.SecretKey), "KEY_VARIABLE", regexp.QuoteMeta(names.Key)).Replace(pattern))
}

// literalSecretKey finds a SECRET_KEY in the settings' own text. The source is
// empty when the settings take it from elsewhere or do not name it; the value is
// empty when some code makes it.
func literalSecretKey(names steps.Names, sources []source) (value string, s source, line int) {
	defaultValue, anyDefault, readsSecret := inForce(names, defaultValue), inForce(names, anyDefault), inForce(names, readsSecret)
	for i := len(sources) - 1; i >= 0; i-- {
		text := sources[i].text
		for _, m := range secretKeyLine.FindAllStringSubmatchIndex(text, -1) {
			right := strings.TrimSpace(text[m[2]:m[3]])
			at := strings.Count(text[:m[2]], "\n") + 1
			if l := wholeLiteral.FindStringSubmatch(right); l != nil {
				return l[1] + l[2], sources[i], at
			}
			// The call may go on in the following lines.
			rest := text[m[2]:min(len(text), m[2]+400)]
			if l := defaultValue.FindStringSubmatch(rest); l != nil && l[1]+l[2] != "" {
				return l[1] + l[2], sources[i], at
			}
			if anyDefault.MatchString(rest) || !readsSecret.MatchString(rest) {
				return "", sources[i], at
			}
		}
	}
	return "", source{}, 0
}

// fileWins reports whether the reader is told to let the file beat the
// environment, against what readers do by themselves.
func fileWins(sources []source) bool {
	for _, s := range sources {
		if overrides.MatchString(s.text) {
			return true
		}
	}
	return false
}

// keyIsInCode reports whether the settings' own text holds a value for the key.
func keyIsInCode(names steps.Names, sources []source) bool {
	keyInCode := inForce(names, keyInCode)
	for _, s := range sources {
		if keyInCode.MatchString(s.text) {
			return true
		}
	}
	return false
}

// judgeText adds what the settings' own text tells, where they do not run.
func (d *diagnosis) judgeText() {
	p := d.project
	if f, found := signingKeyInCode(d.run, d.sources); found {
		// No .env would be read for it.
		p.Findings = append(slices.DeleteFunc(p.Findings, func(f finding.Finding) bool {
			return f.Code == finding.JWTKeyMissing || f.Code == finding.EnvFileMissing
		}), f)
	}
	if f, found := notUpgraded(p, d.sources); found {
		p.Findings = append(p.Findings, f)
	}
	d.judgeSigning()
	sayUntilThen(p.Findings)
}

// signingKeyInCode finds a key of tokens that stands in the settings' own text.
func signingKeyInCode(run *steps.Run, sources []source) (finding.Finding, bool) {
	for _, s := range sources {
		if at := literalSigns.FindStringIndex(s.text); at != nil {
			line := strings.Count(s.text[:at[0]], "\n") + 1
			return run.Untaken(steps.Source{Kind: steps.Literal, File: s.path, Line: line}), true
		}
	}
	return finding.Finding{}, false
}

// notUpgraded looks for code that signs tokens with SECRET_KEY when the key is
// missing. It speaks only where the text leaves no doubt.
func notUpgraded(p *steps.Project, sources []source) (finding.Finding, bool) {
	raisesForKey, fallsBack := inForce(p.Names, raisesForKey), inForce(p.Names, fallsBack)
	raises := false
	for _, s := range sources {
		raises = raises || raisesForKey.MatchString(s.text)
	}
	for _, s := range sources {
		at := fallsBack.FindStringIndex(s.text)
		if at == nil && !raises {
			at = signsWithSecret.FindStringIndex(s.text)
		}
		if at != nil {
			line := strings.Count(s.text[:at[0]], "\n") + 1
			return finding.New(finding.SettingsNotUpgraded, "").At(p.Rel(s.path), line), true
		}
	}
	n := namingOf(sources)
	if secret := n.filling(settingIs("SECRET_KEY"), trail{}); secret != "" && !raises {
		if s, at, ok := n.signsWith(secret); ok {
			return finding.New(finding.SettingsNotUpgraded, "").At(p.Rel(s.path), strings.Count(s.text[:at], "\n")+1), true
		}
	}
	return finding.Finding{}, false
}
