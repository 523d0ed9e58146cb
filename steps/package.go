package steps

import (
	"fmt"

	"dj/keysplit/steps/finding"
)

// untested are the packages whose tokens a server cannot be asked about, as far as
// keysplit knows them, by what there is to say.
var untested = map[string]string{
	"graphql-jwt": "Tokens are made by django-graphql-jwt. Its two keys are compared, and which of them a running server signs with is not tested: keysplit sends no GraphQL.",
	"drf-jwt":     "Tokens are made by drf-jwt. Which key signs them is tested, and whether a token can be refreshed is not.",
}

// MadeBy is the finding of tokens that simplejwt does not make: it names what does, and
// what cannot be proved there.
func (p *Project) MadeBy() (f finding.Finding, found bool) {
	facts := p.Facts
	if facts == nil {
		return f, false
	}
	if facts.Package == "pyjwt" {
		at := p.Rel(facts.TokensFile)
		if facts.TokensLine > 0 {
			at = fmt.Sprintf("%s:%d", at, facts.TokensLine)
		}
		f = finding.New(finding.TokenPackage, "Tokens are made by the project's own code, with PyJWT. The settings do not tell which key it signs with.").
			At(p.Rel(facts.TokensFile), facts.TokensLine).WithSeverity(finding.Warning)
		return f.WithFix(finding.Do("Look at %s: it must sign and verify with JWT_SECRET_KEY, and not with SECRET_KEY. A real login can show it: `keysplit upgrade --username NAME --login PATH`", at)), true
	}
	says, found := untested[facts.Package]
	if !found {
		return f, false
	}
	return finding.New(finding.TokenPackage, says).At(p.Rel(facts.SettingsFile), 0), true
}

// Asks reports whether a server can be asked about the tokens that these facts are
// about: keysplit knows what they look like, or where they are used.
func (f *Facts) Asks() bool {
	return f == nil || f.Package != "graphql-jwt" && f.Package != "pyjwt" || f.Routes.Login+f.Routes.Verify+f.Routes.Protected != ""
}
