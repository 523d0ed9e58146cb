package restart

import (
	"strings"
	"testing"

	"dj/keysplit/steps"
)

// Why a server has to be started again is said by what it is.
func TestWhyAServerDoesNotReload(t *testing.T) {
	t.Parallel()
	for command, says := range map[string]string{
		"python manage.py runserver --noreload": "without the autoreloader",
	} {
		if got := (staleServer{Server: steps.Server{Command: command}}).reason(); !strings.Contains(got, says) {
			t.Errorf("%s: %s", command, got)
		}
	}
	if got := (staleServer{Server: steps.Server{Command: "gunicorn --reload"}, inherits: true}).reason(); !strings.Contains(got, "in its environment") {
		t.Error(got)
	}
}
