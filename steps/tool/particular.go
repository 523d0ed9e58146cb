package tool

import (
	"cmp"
	"fmt"
	"slices"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
)

// Message is something that a program says and the general signs would take for
// something else, or that has a fix of its own.
type Message struct {
	Code finding.Code
	Sign *lazyregexp.Regexp // finds it, in one line
	Said string             // our words for it, "" for the usual ones
	Fix  finding.Fix        // empty for the usual one
}

// anyones are messages that any service may have.
var anyones = []Message{
	{finding.PlaceUnreachable, lazyregexp.New(`(?i)rate limit|too many requests|\b429\b`), "it was asked too often in a short time, and has to wait.",
		finding.Do("This limit resets within an hour. Run `keysplit` again then.")},
}

// particularly makes the finding of a message that is known by itself.
func (t Program) particularly(spec string, stderr, stdout []byte) (finding.Finding, bool) {
	for _, m := range slices.Concat(t.Messages, anyones) {
		if !m.Sign.Match(stderr) && !m.Sign.Match(stdout) {
			continue
		}
		f := finding.New(m.Code, fmt.Sprintf("%s: %s", t.Name, cmp.Or(m.Said, Said[m.Code]))).At(spec, 0)
		switch {
		case !m.Fix.Empty():
			f = f.WithFix(m.Fix)
		case m.Code == finding.ToolNotLoggedIn:
			f = f.WithFix(finding.Do("Run: %s. Then run `keysplit` again.", t.Login))
		}
		return f, true
	}
	return finding.Finding{}, false
}
