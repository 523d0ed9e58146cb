package preflight

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/sys/file"
)

// gluedName finds a name right behind another value. Behind an underscore it is
// the end of a longer name, and behind ? or & a part of an address.
func gluedName(names steps.Names) *regexp.Regexp {
	return regexp.MustCompile(`[A-Za-z0-9"')\]}.!-](` + regexp.QuoteMeta(names.Key) + `|` + regexp.QuoteMeta(names.SecretKey) + `)=`)
}

// inlineComment finds a comment as people write it behind a value.
var inlineComment = lazyregexp.New(`\s#`)

// lines looks at every line for what goes wrong when people append to a .env.
// vars is what the backend's reader has, nil when it refuses the file.
func (d *diagnosis) lines(of *envfile.File, vars envfile.Vars) {
	var spelled, sets []envfile.Line
	names := d.run.Names()
	glued := gluedName(names)
	armoured := false
	for _, l := range of.Lines() {
		text := strings.TrimSpace(l.Text())
		armoured = armoured || strings.Contains(text, "-----BEGIN ")
		if !l.Inside && !armoured {
			d.line(l, text, glued, vars)
			if l.Kind == envfile.Assignment && !isRest(l, text) {
				if strings.EqualFold(l.Name, names.Key) {
					spelled = append(spelled, l)
				}
				if names.IsKey(l.Name) && (!l.Export && !l.Colon || d.exports()) {
					sets = append(sets, l)
				}
			}
		}
		armoured = armoured && !strings.Contains(text, "-----END ")
		if l.Unbalanced && !l.Inside {
			d.add(finding.QuoteUnbalanced, fmt.Sprintf("Line %d opens a quote that is not closed.", l.Num), l.Num)
		}
	}
	d.unread(spelled, vars)
	for _, l := range sets[:max(len(sets)-1, 0)] {
		d.add(finding.JWTKeyDuplicate, fmt.Sprintf("JWT_SECRET_KEY is defined here and again on line %d, which is the one that counts.", sets[len(sets)-1].Num), l.Num)
	}
}

// line looks at one line by itself.
func (d *diagnosis) line(l envfile.Line, text string, glued *regexp.Regexp, vars envfile.Vars) {
	switch {
	case l.Kind == envfile.Bare:
		d.bare(l, text, true)
	case l.Kind == envfile.Comment:
		if m := glued.FindStringSubmatchIndex(text); m != nil && looksLikeKey(strings.Trim(text[m[1]:], `"'`)) {
			d.glued(l, text[m[2]:m[3]], false)
		}
	case l.Kind == envfile.Assignment && isRest(l, text):
		d.bare(l, text, false)
	case l.Kind == envfile.Assignment:
		if m := glued.FindStringSubmatch(l.Text()[strings.IndexAny(l.Text(), "=:")+1:]); m != nil {
			d.glued(l, m[1], m[1] == d.run.Names().Key)
		}
		d.comment(l, vars)
	}
}

// isRest reports whether a line is the rest of a key that was wrapped.
func isRest(l envfile.Line, text string) bool {
	return (strings.HasSuffix(text, "==") || !envfile.IsName(l.Name)) && wrappedKey(text)
}

// namesAnother reports whether the backend's reader takes the value of a name for the
// name of another variable, as django-environ does with one that begins with $.
func (d *diagnosis) namesAnother(of *envfile.File, name string) bool {
	found := false
	for _, l := range of.Lines() {
		if l.Kind == envfile.Assignment && l.Name == name {
			found = strings.HasPrefix(strings.Trim(strings.TrimSpace(l.Value), `"'`), "$")
		}
	}
	return found && d.reader() == envfile.DjangoEnviron
}

func anotherName(name string) string {
	return name + " begins with $, so django-environ takes the rest for the name of another variable, which is not set."
}

// exports reports whether the backend's reader knows the word export.
func (d *diagnosis) exports() bool { return d.reader() != envfile.Decouple }

func (d *diagnosis) glued(l envfile.Line, name string, fixable bool) {
	f := finding.New(finding.LineGlued, fmt.Sprintf("%s is glued to the end of line %d.", name, l.Num)).At(d.rel(), l.Num)
	if !fixable {
		f.Fixable = false
		f = f.WithFix(finding.Do("Put a line break in front of %s in that line.", name))
	}
	d.found = append(d.found, f)
}

func (d *diagnosis) bare(l envfile.Line, text string, fixable bool) {
	if fixable && !looksLikeKey(text) {
		return
	}
	f := finding.New(finding.LineBare, "").At(d.rel(), l.Num)
	if !fixable {
		f.Fixable = false
		f = f.WithFix(finding.Do("Remove that line: it is the rest of a key that was wrapped."))
	}
	d.found = append(d.found, f)
}

// looksLikeKey tells a raw key from other lines without a name: 32 characters
// and more of one piece, of mixed kinds.
func looksLikeKey(text string) bool {
	if len(text) < 32 || strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || r <= ' ' }) {
		return false
	}
	if strings.Contains(text, "://") || strings.HasPrefix(text, "/") || strings.HasPrefix(text, "-----") {
		return false
	}
	seen := map[rune]bool{}
	var lower, upper, digit bool
	for _, r := range text {
		seen[r] = true
		lower = lower || unicode.IsLower(r)
		upper = upper || unicode.IsUpper(r)
		digit = digit || unicode.IsDigit(r)
	}
	return len(seen) >= 10 && (digit && (lower || upper) || lower && upper && !strings.ContainsAny(text, " ."))
}

// wrappedKey is the last line of `openssl rand -base64 64`, which breaks its
// output after 64 characters. The = at its end makes it look like a setting.
func wrappedKey(text string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9+/]{16,64}==?$`).MatchString(text) &&
		strings.ContainsAny(text, "+/0123456789") && strings.ToUpper(text) != text
}

// comment reports a comment that the reader takes for a part of the value. When
// the settings turn the value into a number, the backend does not start.
func (d *diagnosis) comment(l envfile.Line, vars envfile.Vars) {
	value, ok := vars.Get(l.Name)
	if !ok || value == "" || !inlineComment.MatchString(value) || !inlineComment.MatchString(l.Value) || quotedWhole(l) {
		return
	}
	f := finding.New(finding.ValueInlineComment,
		fmt.Sprintf("The comment behind %s is part of its value for %s.", l.Name, d.reader())).At(d.rel(), l.Num)
	_, _, movable := l.Behind()
	switch {
	case d.castsToNumber(l.Name):
		f = f.WithSeverity(finding.Error).Needed().WithFix(finding.Do("Run: `keysplit upgrade`. It moves the comment to a line of its own."))
		f.Message = prose.Say("The comment behind %s is part of its value for %s, and the settings want a number or true/false there: the backend will not start.", l.Name, d.reader())
	case d.refuses[l.Num]:
		f = f.WithSeverity(finding.Error).Needed().WithFix(finding.Do("Run: `keysplit upgrade`. It moves the comment to a line of its own."))
		f.Message = prose.Say("The comment behind %s is part of its value for %s, and the settings refuse that: the backend will not start.", l.Name, d.reader())
	case movable && d.expected(l):
		f = f.OnRequest()
	default:
		movable = false // it may be meant as a part of the value
	}
	if !movable {
		f = f.NotFixable().WithFix(finding.Do("If it is a comment, move it to a line of its own, above the setting."))
	}
	d.found = append(d.found, f)
}

// expected reports whether the value in front of a comment is what belongs there by
// itself: a number, true or false, or what the example has, with a comment behind it too.
func (d *diagnosis) expected(l envfile.Line) bool {
	value, _, _ := l.Behind()
	if plainValue.MatchString(value) {
		return true
	}
	data, _ := file.ReadSmall(steps.SampleOf(d.project.EnvFile.Path)) // nothing where there is none
	for _, o := range envfile.Parse(data).Lines() {
		if _, _, commented := o.Behind(); commented && o.Name == l.Name {
			return true
		}
	}
	return false
}

var plainValue = lazyregexp.New(`^(?i:[+-]?\d+(?:\.\d+)?|true|false|yes|no|on|off)$`)

func quotedWhole(l envfile.Line) bool {
	_, value, _ := strings.Cut(l.Text(), "=")
	value = strings.TrimSpace(value)
	return len(value) >= 2 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0]
}

func (d *diagnosis) castsToNumber(name string) bool {
	cast := regexp.MustCompile(`['"]` + regexp.QuoteMeta(name) + `['"][^)\n]*cast\s*=\s*(?:int|float|bool)\b|` +
		`(?:int|float|bool)\(\s*['"]` + regexp.QuoteMeta(name) + `['"]`)
	for _, s := range d.sources {
		if cast.MatchString(s.text) {
			return true
		}
	}
	return false
}

// unread reports lines that a person meant for JWT_SECRET_KEY and the reader
// does not take for it.
func (d *diagnosis) unread(spelled []envfile.Line, vars envfile.Vars) {
	if _, ok := vars[d.run.Names().Key]; ok || vars == nil {
		return
	}
	for _, l := range spelled {
		how := "in another form"
		switch {
		case l.Num == 1 && finding.Has(d.found, finding.EncodingBOM):
			how = "behind a byte order mark"
		case l.Export:
			how = "behind export"
		case l.Colon:
			how = "with a colon"
		case l.Name != d.run.Names().Key:
			how = "in another case"
		case strings.Contains(l.Text(), d.run.Names().Key+" ") || strings.Contains(l.Text(), "= "):
			how = "with spaces around the ="
		}
		d.add(finding.KeyUnread, fmt.Sprintf("JWT_SECRET_KEY is on line %d %s, where %s does not see it.", l.Num, how, d.reader()), l.Num)
	}
}
