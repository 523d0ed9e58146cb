package steps

import (
	"fmt"

	"dj/keysplit/steps/finding"
)

// untested are the packages whose tokens a server cannot be asked about, as far as
// keysplit knows them, by what there is to say.
var untested = map[string]string{
	"graphql-jwt":      "Tokens are made by django-graphql-jwt. Its two keys are compared, and which of them a running server signs with is not tested: keysplit sends no GraphQL.",
	"allauth-headless": "Tokens are made by allauth (headless). Which key signs them is tested with the tokens of a login: without one keysplit cannot make a test token, since each names a session.",
	"drf-jwt":          "Tokens are made by drf-jwt. Which key signs them is tested, and whether a token can be refreshed is not.",
}

// MadeBy is the finding of tokens that simplejwt does not make: it names what does, and
// what cannot be proved there.
func (p *Project) MadeBy() (f finding.Finding, found bool) {
	facts := p.Facts
	if facts == nil {
		return f, false
	}
	if facts.Package == "pyjwt" {
		return ownTokens(p.Rel(facts.TokensFile), facts.TokensLine), true
	}
	says, found := untested[facts.Package]
	if !found {
		return f, false
	}
	return finding.New(finding.TokenPackage, says).At(p.Rel(facts.SettingsFile), 0), true
}

// ownTokens is the finding of tokens that the project's own code makes, in a file relative
// to the project.
func ownTokens(rel string, line int) finding.Finding {
	at := rel
	if line > 0 {
		at = fmt.Sprintf("%s:%d", at, line)
	}
	return finding.New(finding.TokenPackage, "Tokens are made by the project's own code, with PyJWT. The settings do not tell which key it signs with.").
		At(rel, line).WithSeverity(finding.Warning).
		WithFix(finding.Do("Look at %s: it must sign and verify with JWT_SECRET_KEY, and not with SECRET_KEY. A real login can show it: `keysplit upgrade --username NAME --login PATH`", at))
}

// SplitsNothing reports whether no shared key of the settings signs tokens, so that no
// place needs one.
func (p *Project) SplitsNothing() bool {
	return p.Source.SplitsNothing() || p.Facts != nil && !p.Facts.Tokens.Shared()
}

// Asks reports whether a server can be asked about the tokens that these facts are
// about: keysplit knows what they look like, or where they are used.
func (f *Facts) Asks() bool {
	return f == nil || f.Package != "graphql-jwt" && f.Package != "pyjwt" || f.Routes.Login+f.Routes.Verify+f.Routes.Protected != ""
}
