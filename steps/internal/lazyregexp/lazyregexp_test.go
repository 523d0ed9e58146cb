package lazyregexp

import "testing"

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
