package smoketest

import (
	"encoding/json"
	"slices"
	"sort"
)

// tokens collects every JWT of an answer, from its body and its cookies. A test token that
// comes back is none of the server's.
func (s *session) tokens(a answer) []seenToken {
	var found []seenToken
	var body any
	if json.Unmarshal(a.body, &body) == nil {
		s.walk(body, "", 0, &found)
	}
	for i, c := range a.cookies {
		if i == maxCookies {
			break
		}
		if t, ok := readToken(s.run, c.Value); ok {
			t.cookie = c.Name
			found = append(found, t)
		}
	}
	return slices.DeleteFunc(found, func(t seenToken) bool { return s.sent[t.signature] })
}

func (s *session) walk(v any, key string, depth int, found *[]seenToken) {
	if depth > maxDepth || len(*found) >= maxTokens {
		return
	}
	switch v := v.(type) {
	case string:
		if t, ok := readToken(s.run, v); ok {
			t.key = key
			*found = append(*found, t)
		}
	case []any:
		for _, e := range v {
			s.walk(e, key, depth+1, found)
		}
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			s.walk(v[name], name, depth+1, found)
		}
	}
}

// pick takes the token of that kind, or else any that is not of the other kind.
func pick(all []seenToken, typeClaim, word string) (seenToken, bool) {
	if t, ok := pickNamed(all, typeClaim, word); ok {
		return t, true
	}
	for _, t := range all {
		if !t.named(typeClaim, "refresh") {
			return t, true
		}
	}
	return seenToken{}, false
}

func pickNamed(all []seenToken, typeClaim, word string) (seenToken, bool) {
	for _, t := range all {
		if t.named(typeClaim, word) {
			return t, true
		}
	}
	return seenToken{}, false
}
