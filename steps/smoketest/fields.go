package smoketest

import (
	"encoding/json"
	"net/http"
	"slices"
)

// nameFields are the fields for the name of an account, of which a login may want
// another one than the user model says; refreshFields are those for the token that a
// refresh trades in.
var (
	nameFields    = []string{"username", "email", "login", "identifier", "phone", "phone_number"}
	refreshFields = []string{"refresh", "refresh_token", "refreshToken", "token"}
)

// wanted is the one of the fields that an answer asks for in place of the one that was
// sent, "" for none: an answer about its fields (400 or 422) comes before anything is
// tried with what is in them.
func wanted(a answer, fields []string, sent string) string {
	var body any
	if a.status != http.StatusBadRequest && a.status != http.StatusUnprocessableEntity || json.Unmarshal(a.body, &body) != nil {
		return ""
	}
	asked := askedFields(body, 0)
	for _, name := range fields {
		if name != sent && slices.Contains(asked, name) {
			return name
		}
	}
	return ""
}

// askedFields are the fields that an answer is about: the names of its own (Django REST
// framework), a param or field of its errors (allauth, and others), or the end of a place
// (django-ninja).
func askedFields(v any, depth int) (names []string) {
	if depth > maxDepth {
		return nil
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			names = append(names, askedFields(e, depth+1)...)
		}
	case map[string]any:
		for name, about := range v {
			text, isText := about.(string)
			place, isPlace := about.([]any)
			switch {
			case isText && slices.Contains([]string{"param", "field", "attr"}, name):
				names = append(names, text)
			case isPlace && name == "loc" && len(place) > 0:
				if last, ok := place[len(place)-1].(string); ok {
					names = append(names, last)
				}
			default:
				names = append(append(names, name), askedFields(about, depth+1)...)
			}
		}
	}
	return names
}
