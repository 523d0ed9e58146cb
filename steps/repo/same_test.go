package repo

import (
	"testing"

	"dj/keysplit/steps"
)

// The two keys are the same where both are given one value, or where the signing key is given what SECRET_KEY is.
func TestSameValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		line int
	}{
		"one literal":                 {"SECRET_KEY: abc\nJWT_SECRET_KEY: abc\n", 2},
		"two literals":                {"SECRET_KEY: abc\nJWT_SECRET_KEY: def\n", 0},
		"one secret":                  {"env:\n  SECRET_KEY: ${{ secrets.A }}\n  JWT_SECRET_KEY: ${{ secrets.A }}\n", 3},
		"two secrets":                 {"env:\n  SECRET_KEY: ${{ secrets.A }}\n  JWT_SECRET_KEY: ${{ secrets.B }}\n", 0},
		"the secret of that name":     {"env:\n  JWT_SECRET_KEY: ${{ secrets.SECRET_KEY }}\n", 2},
		"its own secret":              {"env:\n  JWT_SECRET_KEY: ${{ secrets.JWT_SECRET_KEY }}\n", 0},
		"that name, and another":      {"env:\n  SECRET_KEY: ${{ secrets.A }}\n  JWT_SECRET_KEY: ${{ secrets.SECRET_KEY }}\n", 0},
		"the variable of that name":   {"environment:\n  - JWT_SECRET_KEY=${SECRET_KEY:?}\n", 2},
		"in the form of Azure":        {"JWT_SECRET_KEY: $(SECRET_KEY)\n", 1},
		"as a fallback":               {"JWT_SECRET_KEY=${JWT_SECRET_KEY:-$SECRET_KEY}\n", 1},
		"passed on":                   {"- SECRET_KEY\n- JWT_SECRET_KEY\n", 0},
		"the nearest counts":          {"SECRET_KEY: abc\n\n\n\nJWT_SECRET_KEY: abc\nSECRET_KEY: def\n", 0},
		"a later line":                {"JWT_SECRET_KEY: def\n\n\n\nSECRET_KEY: abc\nJWT_SECRET_KEY: abc\n", 6},
		"a command":                   {"SECRET_KEY=$(openssl rand)\nJWT_SECRET_KEY=$(openssl rand)\n", 0},
		"a placeholder":               {"SECRET_KEY=change-me\nJWT_SECRET_KEY=change-me\n", 0},
		"one key of one Secret":       {"- name: SECRET_KEY\n  valueFrom:\n    secretKeyRef: {name: a, key: k}\n- name: JWT_SECRET_KEY\n  valueFrom:\n    secretKeyRef: {name: a, key: k}\n", 4},
		"two keys of one Secret":      {"- name: SECRET_KEY\n  valueFrom:\n    secretKeyRef: {name: a, key: k}\n- name: JWT_SECRET_KEY\n  valueFrom:\n    secretKeyRef: {name: a, key: j}\n", 0},
		"one key of two Secrets":      {"- name: SECRET_KEY\n  valueFrom:\n    secretKeyRef: {name: a, key: k}\n- name: JWT_SECRET_KEY\n  valueFrom:\n    secretKeyRef: {name: b, key: k}\n", 0},
		"one value of items":          {"- name: SECRET_KEY\n  value: abc\n- name: JWT_SECRET_KEY\n  value: abc\n", 3},
		"two values of items":         {"- name: SECRET_KEY\n  value: abc\n- name: JWT_SECRET_KEY\n  value: def\n", 0},
		"another name in a list":      {"- name: OTHER\n  value: abc\n- name: JWT_SECRET_KEY\n  value: abc\n", 0},
		"in a comment":                {"SECRET_KEY: abc\n# JWT_SECRET_KEY: abc\nJWT_SECRET_KEY: def # abc\n", 0},
		"a template of one property":  {"SECRET_KEY: {{ .Values.key }}\nJWT_SECRET_KEY: {{ .Values.key }}\n", 2},
		"a template of two":           {"SECRET_KEY: {{ .Values.key }}\nJWT_SECRET_KEY: {{ .Values.jwt }}\n", 0},
		"the end of a longer name":    {"SECRET_KEY: abc\nMY_JWT_SECRET_KEY: abc\n", 0},
		"the name in quotes, as JSON": {"{\"SECRET_KEY\": \"abc\", \"JWT_SECRET_KEY\": \"abc\"}\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := TwinsOf(steps.GuideNames).Same([]byte(c.text)); got != c.line {
				t.Errorf("line %d, want %d:\n%s", got, c.line, c.text)
			}
		})
	}
	for anyCase, want := range map[bool]int{false: 0, true: 2} {
		names := steps.GuideNames
		names.AnyCase = anyCase
		if got := TwinsOf(names).Same([]byte("secret_key: abc\nJwt_Secret_Key: abc\n")); got != want {
			t.Errorf("names in any case %t: line %d, want %d", anyCase, got, want)
		}
	}
}

// An anchor that holds an alias of itself is read once.
func TestACircleOfAliases(t *testing.T) {
	t.Parallel()
	v := wordsOf(steps.GuideNames)
	f, err := v.parseFile([]byte("services:\n  web: &web\n    environment:\n      SECRET_KEY: a\n    again: *web\n"))
	if err != nil || len(f.settings) > 3 {
		t.Errorf("%d settings, %v", len(f.settings), err)
	}
	for _, s := range f.settings {
		if s.line != 4 || s.key {
			t.Errorf("%+v", s)
		}
	}
}
