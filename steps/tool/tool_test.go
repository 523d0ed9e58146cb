package tool

import (
	"errors"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/child"
)

// What the real programs say when they fail, as they print it to a pipe.
func TestWhatProgramsSay(t *testing.T) {
	for _, c := range []struct {
		program Program
		says    string
		code    steps.Code
	}{
		{Heroku, " ›   Error: not logged in\n", "tool-not-logged-in"},
		{Heroku, " ›   Error: Invalid credentials provided.\n ›\n ›   Error ID: unauthorized\n", "tool-not-logged-in"},
		{Heroku, "    Error: The token provided to HEROKU_API_KEY is invalid. Please \n    double-check that you have the correct token, or run `heroku login` \n    without HEROKU_API_KEY set.\n", "tool-not-logged-in"},
		{Heroku, "heroku: Press any key to open up the browser to login or q to exit\n    TypeError: process.stdin.setRawMode is not a function\n", "tool-not-logged-in"},
		{Heroku, " ›   Error: You do not have access to the app shop.\n ›\n ›   Error ID: forbidden\n", "access-denied"},
		{Heroku, " ›   Error: Couldn't \n ›   find that app.\n ›\n ›   Error ID: not_found\n", "place-not-found"},
		{Heroku, "    Error: connect ECONNREFUSED 127.0.0.1:9\n    Code: ECONNREFUSED\n", "place-unreachable"},
	} {
		err := c.program.Explain("a:b", child.Result{Code: 1, Stderr: []byte(c.says)})
		var failure *steps.Failure
		if !errors.As(err, &failure) || failure.Findings[0].Code != c.code {
			t.Errorf("%q: %v, want %s", c.says, err, c.code)
		}
	}
	err := Heroku.Explain("a:b", child.Result{Code: 7, Stderr: []byte("something of its own: s3cret")})
	var failure *steps.Failure
	if err == nil || errors.As(err, &failure) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("words that are not known: %v", err)
	}
}
