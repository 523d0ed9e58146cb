package finding

import (
	"strings"
	"testing"

	"dj/keysplit/steps/prose"
)

func TestGroupsAreReadAsOneThing(t *testing.T) {
	t.Parallel()
	comment := func(line int) Finding {
		return New(ValueInlineComment, "").At(".env", line).WithSeverity(Error).Needed()
	}
	fs := []Finding{
		New(SecretKeyPlaceholder, "").At(".env", 3),
		comment(14), comment(61), comment(63), comment(62), comment(98),
		New(ValueInlineComment, "").At(".env", 20),
		New(JWTKeyMissing, "").At(".env", 0),
		New(CIMissingKey, "").At("a.yml", 2), New(CIMissingKey, "").At("b.yml", 3),
		New(DjangoCheckFailed, "one").At("settings.py", 0), New(DjangoCheckFailed, "two").At("settings.py", 0),
		New(DjangoNotRunnable, "").At("settings.py", 9),
	}
	want := []struct {
		code   Code
		places string
	}{
		{DjangoNotRunnable, "settings.py:9"}, {DjangoCheckFailed, "settings.py"}, {DjangoCheckFailed, "settings.py"},
		{ValueInlineComment, ".env:14, 61-63, 98"}, {JWTKeyMissing, ".env"},
		{SecretKeyPlaceholder, ".env:3"}, {ValueInlineComment, ".env:20"}, {CIMissingKey, "a.yml:2, b.yml:3"},
	}
	groups := Groups(fs)
	if len(groups) != len(want) {
		t.Fatalf("%d groups", len(groups))
	}
	for i, w := range want {
		if g := groups[i]; g.Code != w.code || g.Places() != w.places {
			t.Errorf("%d: %s %s, want %s %s", i, g.Code, g.Places(), w.code, w.places)
		}
	}
	// What is said of several is clean, too.
	two := []Finding{New(CIMissingKey, "").At("a.yml", 2), New(CIMissingKey, "This file sets SECRET_KEY, but not JWT_SECRET_KEY.").At("b.sh", 3)}
	for i := range two {
		two[i] = two[i].Clean(func(t prose.Text) prose.Text {
			return t.Clean(strings.NewReplacer("JWT_SECRET_KEY", "SHOP_KEY").Replace)
		})
	}
	if g := Groups(two); len(g) != 1 || strings.Contains(g[0].Message.Rendered()+g[0].Fix.Rendered(), "JWT_SECRET_KEY") || !strings.Contains(g[0].Message.Rendered(), "SHOP_KEY") {
		t.Errorf("%d groups: %s %s", len(g), g[0].Message, g[0].Fix)
	}
	// What is done about several is what is done about each: another fix is another thing.
	own := New(CIMissingKey, "").At("c.env", 1).WithFix(Do("Add it by its own command."))
	if g := Groups(append(two, own, own)); len(g) != 2 || g[1].Fix != own.Fix || g[1].Places() != "c.env:1" {
		t.Errorf("%d groups: %v", len(g), g)
	}
	for _, c := range []struct {
		fs     []Finding
		starts bool
		want   string
	}{
		{fs, false, "Not ready: 5 things stop the backend. keysplit fixes 2 of them."},
		{fs[1:8], false, "Not ready: 2 things stop the backend. keysplit fixes all of them."},
		{fs[7:8], true, "Not ready: 1 thing is wrong. keysplit fixes it."},
		{fs[12:], false, "Not ready: 1 thing stops the backend."},
		{fs[:1], true, ""},
	} {
		if got := Standing(c.fs, c.starts); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
