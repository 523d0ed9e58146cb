package smoketest

import (
	"net/http"
	"testing"
)

// The field that an answer asks for is found in the forms of the packages that answer so,
// and in no answer that is about something else.
func TestTheFieldThatIsAskedFor(t *testing.T) {
	t.Parallel()
	for body, c := range map[string]struct {
		status int
		want   string
	}{
		`{"refresh_token": ["This field is required."]}`:                                                         {http.StatusBadRequest, "refresh_token"},
		`{"status": 400, "errors": [{"message": "Required.", "code": "required", "param": "refresh_token"}]}`:    {http.StatusBadRequest, "refresh_token"},
		`{"detail": [{"type": "missing", "loc": ["body", "payload", "refreshToken"], "msg": "Field required"}]}`: {http.StatusUnprocessableEntity, "refreshToken"},
		`{"errors": [{"attr": "token", "detail": "Required."}]}`:                                                 {http.StatusBadRequest, "token"},
		`{"refresh": ["This field may not be blank."]}`:                                                          {http.StatusBadRequest, ""}, // it was sent
		`{"refresh_token": ["Not allowed."]}`:                                                                    {http.StatusUnauthorized, ""},
		`{"detail": "refresh_token"}`:                                                                            {http.StatusBadRequest, ""},
		`refresh_token`:                                                                                          {http.StatusBadRequest, ""},
	} {
		if got := wanted(answer{status: c.status, body: []byte(body)}, refreshFields, "refresh"); got != c.want {
			t.Errorf("%d %s: %q, want %q", c.status, body, got, c.want)
		}
	}
}
