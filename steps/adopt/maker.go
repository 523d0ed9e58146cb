package adopt

import (
	"bytes"
	"context"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// Maker offers the edit that the project was looked at with.
var Maker = steps.Maker{Codes: []finding.Code{finding.SettingsNotUpgraded, finding.SigningKeyInCode}, Make: offer}

func offer(_ context.Context, run *steps.Run, found []finding.Finding, d *steps.Draft) error {
	a := run.Adopted
	if a == nil {
		return nil
	}
	rel := run.Project.Rel(a.File)
	now, err := d.Read(a.File)
	if err != nil {
		return err
	}
	if bytes.Equal(now, a.Is) {
		return nil // it is written
	}
	if !bytes.Equal(now, a.Was) {
		return steps.Fail(finding.New(finding.EnvFileChanged, rel+" was changed after keysplit looked at it.").At(rel, 0))
	}
	why := prose.Say("The settings require %s, and sign with it instead of SECRET_KEY.", run.Names().Key)
	if a.Literal {
		why = prose.Say("The settings require %s. The key that was in their text is in git's history for good: it signs nothing any more, and everyone has to log in again.", run.Names().Key)
	}
	add, err := require(run, a, d)
	if err != nil {
		return err
	}
	if !add.Empty() {
		why = why.Then(add)
	}
	if len(a.LeftOut) > 0 {
		var names []string
		for _, path := range a.LeftOut {
			names = append(names, run.Project.Rel(path))
		}
		why = why.Then(prose.Say("Other settings do not load this file. Make the same change there: %s.", strings.Join(names, ", ")))
	}
	_, err = d.Offer(steps.Edit{
		ID: string(finding.SettingsNotUpgraded) + " " + rel, File: a.File, Is: a.Is, Refuses: true, Needed: true, Why: why, Closes: found,
		Diff: steps.DiffOf(a.Was, a.Is, func(line string) (text, note string) { return Shown(run)(line), "" }),
	})
	return err
}

// literal is a text in quotes.
var literal = lazyregexp.New(`"[^"\n]{8,}"|'[^'\n]{8,}'`)

// Shown makes lines of the settings fit to be shown: a text in quotes may be a secret,
// unless it has spaces or is made of letters and dots alone, as names are.
func Shown(run *steps.Run) func(line string) string {
	return func(line string) string {
		return run.Redactor.Show(secret.Said(literal.ReplaceAllStringFunc(line, func(text string) string {
			if word := text[1 : len(text)-1]; strings.ContainsAny(word, " \t") || strings.Trim(strings.ToLower(word), "abcdefghijklmnopqrstuvwxyz_.") == "" {
				return text
			}
			return text[:1] + "••••" + text[:1]
		})))
	}
}
