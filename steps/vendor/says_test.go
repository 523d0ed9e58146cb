package vendor

import (
	"errors"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/tool"
)

// What the real programs say when they fail, as they print it to a pipe.
func TestWhatProgramsSay(t *testing.T) {
	for _, c := range []struct {
		program tool.Program
		says    string
		code    finding.Code
	}{
		{herokuProgram, " ›   Error: not logged in\n", "tool-not-logged-in"},
		{herokuProgram, " ›   Error: Invalid credentials provided.\n ›\n ›   Error ID: unauthorized\n", "tool-not-logged-in"},
		{herokuProgram, "    Error: The token provided to HEROKU_API_KEY is invalid. Please \n    double-check that you have the correct token, or run `heroku login` \n    without HEROKU_API_KEY set.\n", "tool-not-logged-in"},
		{herokuProgram, "heroku: Press any key to open up the browser to login or q to exit\n    TypeError: process.stdin.setRawMode is not a function\n", "tool-not-logged-in"},
		{herokuProgram, " ›   Error: You do not have access to the app shop.\n ›\n ›   Error ID: forbidden\n", "access-denied"},
		{herokuProgram, " ›   Error: Couldn't \n ›   find that app.\n ›\n ›   Error ID: not_found\n", "place-not-found"},
		{herokuProgram, "    Error: connect ECONNREFUSED 127.0.0.1:9\n    Code: ECONNREFUSED\n", "place-unreachable"},
		{railwayProgram, "Unauthorized. Please login with `railway login`\n", "tool-not-logged-in"},
		{railwayProgram, "Unauthorized. Please run `railway login` again.\n", "tool-not-logged-in"},
		{railwayProgram, "Invalid RAILWAY_TOKEN. Please check that it is valid and has access to the resource you're trying to use.\n", "tool-not-logged-in"},
		{railwayProgram, "Not signed in.\n", "tool-not-logged-in"},
		{railwayProgram, "You do not have access to this resource.\n", "access-denied"},
		{railwayProgram, "Environment \"vault\" is restricted. Ask a workspace admin for access, or choose an unrestricted environment.\n", "access-denied"},
		{railwayProgram, "Service 'nothing' not found\n", "place-not-found"},
		{railwayProgram, "No linked project found. Run railway link to connect to a project\n", "place-not-found"},
		{railwayProgram, "The service specified doesn't exist in the current environment\n", "place-not-found"},
		{railwayProgram, "Failed to fetch: error sending request for url (http://127.0.0.1:1/)\n", "place-unreachable"},
		{railwayProgram, "You are being ratelimited. Try again in 30 seconds\n", "place-unreachable"},
		{flyProgram, "Error: No access token available. Please login with 'flyctl auth login'\n", "tool-not-logged-in"},
		{flyProgram, "Error: failed retrieving current user: You must be authenticated to view this.\n", "tool-not-logged-in"},
		{flyProgram, "Error: failed to list app secrets: unauthorized (Request ID: 01A-ams)\n", "tool-not-logged-in"},
		{flyProgram, "Error: smoke checks for 148ed1 failed: the app appears to be crashing\nCheck its logs: here's the last lines below, or run 'fly logs -i 148ed1':\n  HTTP 401 Unauthorized\n", "restart-failed"},
		{flyProgram, "Error: failed to list app secrets: forbidden\n", "access-denied"},
		{flyProgram, "Error: Could not find App \"nothing\"\n", "place-not-found"},
	} {
		err := c.program.Explain("a:b", child.Result{Code: 1, Stderr: []byte(c.says)})
		var failure *steps.Failure
		if !errors.As(err, &failure) || failure.Findings[0].Code != c.code {
			t.Errorf("%q: %v, want %s", c.says, err, c.code)
		}
	}
	err := herokuProgram.Explain("a:b", child.Result{Code: 7, Stderr: []byte("something of its own: s3cret")})
	var failure *steps.Failure
	if err == nil || errors.As(err, &failure) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("words that are not known: %v", err)
	}
}
