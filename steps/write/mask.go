package write

import (
	"fmt"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
)

// dots stand for a value, always as many, so that not even its length shows.
const dots = "••••••••••••••••"

// mask renders a change for the screen: names are shown and values are not,
// but for a placeholder, which is public by its nature.
func mask(c envfile.Change, of steps.Names, key secret.Secret) []steps.DiffLine {
	var out []steps.DiffLine
	add := func(num int, op string, lines [][]byte) {
		for i, line := range lines {
			text, note := maskLine(string(line), of, key)
			out = append(out, steps.DiffLine{Line: num + i, Op: op, Text: text, Note: note})
		}
	}
	for _, d := range c.Diff {
		// The line above got nothing but the line end that it lacked.
		if d.FinalNewline {
			continue
		}
		add(d.Num, "-", d.Removed)
		add(d.NewNum, "+", d.Added)
	}
	return out
}

func maskLine(line string, of steps.Names, key secret.Secret) (text, note string) {
	line = strings.TrimRight(line, "\r\n")
	parsed := envfile.Parse([]byte(line)).Lines()
	if len(parsed) == 0 {
		return "", ""
	}
	l := parsed[0]
	switch {
	case l.Kind == envfile.Comment || l.Kind == envfile.Blank:
		return secret.Inert(line), ""
	case l.Kind == envfile.Bare:
		return dots, "a value without a name"
	}
	name := secret.Inert(l.Name)
	if l.Export {
		name = "export " + name
	}
	switch {
	case l.Value == "":
		return name + "=", "empty"
	case l.Value == key.Reveal():
		return name + "=" + dots, fmt.Sprintf("%d characters, fingerprint %s", key.Len(), key.Fingerprint())
	case strings.Contains(l.Value, of.Key+"="):
		return name + "=" + dots + of.Key + "=" + dots, "two settings on one line"
	case of.IsKey(l.Name) && steps.Placeholder(l.Value) && !strings.Contains(l.Value, " "):
		return name + "=" + shorten(secret.Inert(l.Value), 28), "placeholder, public"
	}
	return name + "=" + dots, ""
}

func shorten(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
