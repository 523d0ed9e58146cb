package finding

import (
	"bytes"
	_ "embed"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"

	"dj/keysplit/steps/sys/shell"
)

//go:embed catalogue.toml
var pages []byte

// catalogue holds one page for every code: what it says, why it matters and what
// to do. It is read when it is first asked; --version needs none of it.
var catalogue = sync.OnceValue(func() map[Code]Page {
	var all map[Code]struct {
		Severity          Severity
		Message, Why, Fix string
		ByHand            string `toml:"by_hand"`
		Fixable, Edit     bool
	}
	// A mistake in it is one in the program: the first test that finds anything panics.
	if err := toml.NewDecoder(bytes.NewReader(pages)).DisallowUnknownFields().Decode(&all); err != nil {
		panic("catalogue.toml: " + err.Error())
	}
	out := make(map[Code]Page, len(all))
	for code, p := range all {
		fix := strings.ReplaceAll(p.Fix, "{unset}", "`"+shell.Unset("JWT_SECRET_KEY")+"`")
		if p.Message == "" {
			p.Message = Broken(code, "JWT_SECRET_KEY", 50)
		}
		out[code] = Page{Code: code, Severity: p.Severity, Message: p.Message, Why: p.Why, Fix: Do(fix), Fixable: p.Fixable, Edit: p.Edit, ByHand: p.ByHand}
	}
	return out
})
