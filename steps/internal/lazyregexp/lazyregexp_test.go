package lazyregexp

import (
	"reflect"
	"regexp"
	"slices"
	"testing"
)

// Nothing is compiled before it is used, and what cannot be compiled panics then.
func TestCompiledWhenUsed(t *testing.T) {
	wrong := New("(")
	if good := New("^a(b+)"); !good.MatchString("abb") || good.FindStringSubmatch("abb")[1] != "bb" || good.MatchString("b") {
		t.Error("it is not the expression that was given")
	}
	defer func() {
		if recover() == nil {
			t.Error("an expression that is wrong was used")
		}
	}()
	wrong.MatchString("")
}

// A text that has none of the literals has no match, whatever the expression.
func TestLiterals(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		`(?m)^[ \t]*(?:from|import)[ \t]+decouple\b`: {"decouple"},
		`\b(?:abcd_ef|abcd_gh)\b`:                    {"abcd_"},
		`(ab|cde)+x{0,2}`:                            {"ab", "cde"},
		`(?:ab)?c`:                                   {"c"},
		`(?i)jwt|KEY`:                                nil,
		`(?i)jwt.*(?-i:KEY)`:                         {"KEY"},
		`x*|y`:                                       nil,
		`(?:ab){2,}`:                                 {"ab"},
		`[a-z]+`:                                     nil,
	} {
		if got := literalsOf(text); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func FuzzAsRegexp(f *testing.F) {
	for _, text := range []string{`\bab(c|d)e?`, `(?i)ab|cd`, `(?m)^a+b{2,3}$`, `(?:x|yz)(?:q|)`, `\x{130}k`, `a\Qb.c\E`} {
		f.Add(text, "abce yzq aabb kK\nab.c")
	}
	f.Fuzz(func(t *testing.T, text, s string) {
		want, err := regexp.Compile(text)
		if err != nil {
			t.Skip()
		}
		got := New(text)
		if got.MatchString(s) != want.MatchString(s) || got.Match([]byte(s)) != want.MatchString(s) || got.ReplaceAllString(s, "-") != want.ReplaceAllString(s, "-") ||
			!reflect.DeepEqual(got.FindAllStringSubmatchIndex(s, -1), want.FindAllStringSubmatchIndex(s, -1)) {
			t.Errorf("%q in %q: not as regexp has it", text, s)
		}
	})
}
