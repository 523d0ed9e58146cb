package finding

import "fmt"

// rules are what is said of a key that breaks one, behind the words for the key.
var rules = map[Code]string{
	JWTKeyMissing:         "is not set.",
	JWTKeyEmpty:           "is there, but empty.",
	JWTKeyEqualsSecretKey: "equals SECRET_KEY.",
	JWTKeyPlaceholder:     "is a placeholder, not a key.",
	JWTKeyWeak:            "can be guessed.",
}

// Broken is the sentence about a rule that a key breaks: key says which key, and
// least how many characters it must have.
func Broken(rule Code, key string, least int) string {
	if rule == JWTKeyTooShort {
		return fmt.Sprintf("%s is shorter than %d characters.", key, least)
	}
	return key + " " + rules[rule]
}
