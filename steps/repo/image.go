package repo

import (
	"bytes"
	"strings"

	"dj/keysplit/steps/internal/lazyregexp"
)

var (
	// A simple command that starts Django through an interpreter: what is set before it,
	// the interpreter with what runs it, and manage.py.
	imageCommand = lazyregexp.New(`(?:^|&&|;|\|\|)[ \t]*((?:[A-Za-z_]\w*=(?:"[^"]*"|'[^']*'|[^\s"';&|]*)[ \t]+)*)((?:[\w./-]+[ \t]+){0,3}?[\w./-]*python[\d.]*)[ \t]+\S*manage\.py[ \t]+[a-z]`)
	imageRun     = lazyregexp.New(`(?i)^\s*RUN\s(?:[ \t]*--[\w-]+=\S+)*`)
)

// editImage gives each RUN of a Dockerfile that starts Django a key of its own, made there
// and then: it is set for that command alone, and no layer of the image has it.
func (v *vocabulary) editImage(data []byte) *edited {
	e := &edited{data: data}
	at, inRun, given := 0, false, false
	for l := range bytes.Lines(data) {
		line := strings.TrimRight(string(l), "\r\n")
		from := 0
		if m := imageRun.FindStringIndex(line); m != nil && !inRun {
			inRun, given, from = true, false, m[1]
		}
		given = given || strings.Contains(line, v.Key)
		if inRun && !given && !strings.HasPrefix(strings.TrimSpace(line), "#") && !runsElsewhere.MatchString(line) {
			if m := imageCommand.FindStringSubmatchIndex(line[from:]); m != nil {
				start, python := from+m[2], line[from+m[4]:from+m[5]]
				e.insert(insertion{at + start, v.Key + `="$(` + python + ` -c 'import secrets; print(secrets.token_urlsafe(64))')" `})
				at += len(e.done[len(e.done)-1].text)
			}
		}
		inRun = inRun && strings.HasSuffix(strings.TrimRight(line, " \t"), "\\")
		at += len(l)
	}
	return e
}
