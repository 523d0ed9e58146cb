package restart

import (
	"os"
	"testing"

	"dj/keysplit/steps/stepstest"
)

func TestMain(m *testing.M) {
	stepstest.Waiting()
	if err := os.Setenv(passwordVariable, "of this shell"); err != nil { // which no program that we start may see
		panic(err)
	}
	os.Exit(m.Run())
}
