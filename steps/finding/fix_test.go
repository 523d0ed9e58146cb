package finding

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"dj/keysplit/steps/prose"
)

// The JSON has the text as it is read, and the command beside it.
func TestFixInJSON(t *testing.T) {
	out, err := json.Marshal(New(LineGlued, ""))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got["fix"] != "Run: keysplit upgrade. It splits the line." || got["command"] != "keysplit upgrade" || got["code"] != "line-glued" {
		t.Errorf("%s", out)
	}
	if out, _ := json.Marshal(New(QuoteUnbalanced, "")); strings.Contains(string(out), "command") {
		t.Errorf("a fix without a command: %s", out)
	}
	var back Finding
	if err := json.Unmarshal(out, &back); err != nil || back.Fix.Rendered() != got["fix"] {
		t.Errorf("read back %q, %v", back.Fix, err)
	}
}

// Every command of the catalogue is told from its prose, and each of its words in
// capitals is a placeholder or the name of a variable.
func TestCommandsOfTheCatalogue(t *testing.T) {
	plain := regexp.MustCompile(`\bkeysplit (upgrade|rollback|grace|check|report|explain)\b|keysplit again\b|: (ls|git|chmod|unset) \S+`)
	capitals := regexp.MustCompile(`\b[A-Z][A-Z_]+\b`)
	said := map[Code]string{ // what is no advice to run it, or has no file to name
		LoginWithheld:       "keysplit upgrade",
		EnvFileTrackedByGit: ": git rm",
		EnvFilePermissions:  ": chmod 600",
	}
	for code, page := range catalogue() {
		for _, p := range page.Fix.Parts() {
			if found := plain.FindString(p.Text); found != "" && !p.Command && found != said[code] {
				t.Errorf("%s: %q is prose", code, found)
			}
			for _, word := range capitals.FindAllString(p.Text, -1) {
				if p.Command && prose.Say("%s", prose.Command(word)).Command() != "" && word != "JWT_SECRET_KEY" {
					t.Errorf("%s: what is %s in %q?", code, word, p.Text)
				}
			}
		}
	}
}
