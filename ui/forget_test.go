package ui

import "testing"

// A form that was closed, by its end or by esc, holds no password any more.
func TestAClosedFormForgetsThePassword(t *testing.T) {
	screen, ok := newSmokeTest().(*smokeTestScreen)
	if !ok {
		t.Fatal("the smoke test has another screen")
	}
	screen.name.set([]rune("ada"))
	screen.password.set([]rune(fresh()))
	screen.close()
	if !screen.password.empty() || !screen.name.empty() {
		t.Error("what was typed is kept")
	}
}
