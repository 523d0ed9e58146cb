package steps

import (
	"strings"
	"testing"
)

// Why there is nothing to split, and what is left to do, is said as it is.
func TestTokensThatNoSharedKeySigns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		facts Facts
		says  string
		fix   bool
	}{
		"a key pair":         {Facts{Tokens: TokenFacts{Algorithm: "RS256"}}, "signed with RS256: a key pair", false},
		"keys of an address": {Facts{Tokens: TokenFacts{Algorithm: "RS256", JWK: true}}, "fetched from an address (JWK_URL)", false},
		"the key is wanted":  {Facts{State: "key-missing", Tokens: TokenFacts{Algorithm: "ES256"}}, "signed with ES256", true},
	} {
		f := c.facts.NotShared()
		if !strings.Contains(f.Message.Rendered(), c.says) || strings.Contains(f.Fix.Rendered(), "take that out of the settings") != c.fix {
			t.Errorf("%s: %q, %q", name, f.Message.Rendered(), f.Fix.Rendered())
		}
	}
}
