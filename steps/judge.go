package steps

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/secret"
)

// publicKeys are SHA-256 sums of values that were published in documentation
// and example files of this upgrade. They are known to everyone, so a plain
// hash hides them well enough: it only keeps the values out of this source.
var publicKeys = map[string]finding.Code{
	// The output sample of the upgrade guide, 64 characters.
	"73fac44710609522706fa4726a5e2e367cb7b44132c0a0f9a3d47d5d7eb2cc8a": finding.JWTKeyWeak,
	// The placeholder of the project's .env.example, 66 characters.
	"2a1caa83eb7afa5369c3cb695ab367becda19867ce1fc2bd8ba63831959cd0b0": finding.JWTKeyPlaceholder,
}

// placeholderWords are what people put where a value belongs. Six letters and
// more are looked for anywhere, without regard to case. The shorter ones must
// stand between separators, or be all there is.
var placeholderWords = lazyregexp.New(`(?i)` +
	`required|generate|change[-_ ]?(me|this|it)|changeme|placeholder|example|throwaway|replace[-_ ]|` +
	`insert[-_ ]|secret-key-here|key[-_]here|not[-_]for[-_]production|only[-_]for[-_]|for[-_]testing|` +
	`(^|[-_ <])(your|dummy|todo|fixme)[-_ ]|xxxxxx+|^(todo|fixme|tbd|none|null|undefined|secret|dummy)$|` +
	`^<.*>$|^\$\{.*\}$|^\{\{.*\}\}$`)

// placeholderCompany are words that a placeholder has beside one of placeholderWords.
var placeholderCompany = lazyregexp.New(`(?i)` +
	`secret|here|token|random|string|character|long|django|super|value|prod|with|this|from|please|passw|default|` +
	`sample|test|fifty|least|must|should|name|local|` +
	`(^|[-_ ])(key|jwt|the|set|new|own|put|and|for|min|run|use|dev|app)([-_ ]|$)`)

// Placeholder reports whether the value stands where a real key belongs. A word of
// eight characters is in one random key of some ten thousand million, and enough. A
// shorter one, such as -your_ or xxxxxx, is in one of some million: in a value that is
// long enough for a key it counts where the rest is none that chance made.
func Placeholder(value string) bool {
	switch {
	case publicKeys[digest(value)] == finding.JWTKeyPlaceholder:
		return true
	case !placeholderWords.MatchString(value):
		return false
	case len(value) < MinKeyLength:
		return true
	}
	short := true
	rest := placeholderWords.ReplaceAllStringFunc(value, func(word string) string {
		short = short && len(word) < 8
		return " "
	})
	return !short || weak(strings.TrimSpace(rest)) || placeholderCompany.MatchString(rest)
}

func digest(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

// JudgeKey applies the rules to a key and returns the codes that it breaks, the
// gravest first, none for a good key. others are the secrets it must differ
// from; unset ones do not count. An unset key is missing.
func JudgeKey(key secret.Secret, others ...secret.Secret) []finding.Code {
	if !key.Set() {
		return []finding.Code{finding.JWTKeyMissing}
	}
	value := key.Reveal()
	if strings.TrimSpace(value) == "" {
		return []finding.Code{finding.JWTKeyEmpty}
	}
	var codes []finding.Code
	for _, o := range others {
		if key.Equal(o) {
			codes = append(codes, finding.JWTKeyEqualsSecretKey)
			break
		}
	}
	switch {
	case Placeholder(value):
		codes = append(codes, finding.JWTKeyPlaceholder)
	case publicKeys[digest(value)] != "" || weak(value):
		codes = append(codes, finding.JWTKeyWeak)
	}
	if key.Len() < MinKeyLength {
		codes = append(codes, finding.JWTKeyTooShort)
	}
	return codes
}

// weak looks for structure that a random key does not have. Each bound leaves
// room for keys of 50 characters and more from any usual alphabet, hexadecimal
// included: of these, one in two million has a stretch of 8, one in some hundred
// million one of 10.
func weak(value string) bool {
	return distinctRunes(value) < 8 || longestStep(value) >= 10 || repeats(value) || words(value)
}

func distinctRunes(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// longestStep is the length of the longest stretch whose characters are all
// alike, or go up or down by one: "aaaaaaaa", "12345678", "hgfedcba".
func longestStep(s string) int {
	r := []rune(s)
	longest, run := 0, 1
	for i := 1; i < len(r); i++ {
		d := r[i] - r[i-1]
		if d < -1 || d > 1 {
			run = 1
			continue
		}
		if i >= 2 && run > 1 && r[i-1]-r[i-2] != d {
			run = 1
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// repeats reports whether the value is a shorter one written again and again.
func repeats(s string) bool {
	for n := 1; n <= len(s)/2; n++ {
		if strings.HasPrefix(s, s[n:]) {
			return true
		}
	}
	return false
}

// words reports whether the value is made of words: pieces between separators of
// one kind, nearly all of them letters in one case, with a vowel. In a random
// key the pieces mix cases and digits, or the separators differ.
func words(s string) bool {
	isSeparator := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	first := strings.IndexFunc(s, isSeparator)
	if first < 0 || strings.ContainsFunc(s, func(r rune) bool { return isSeparator(r) && r != rune(s[first]) }) {
		return false
	}
	pieces := strings.FieldsFunc(s, isSeparator)
	letters, inWords := 0, 0
	for _, p := range pieces {
		letters += len(p)
		onlyLetters := !strings.ContainsFunc(p, func(r rune) bool { return !unicode.IsLetter(r) })
		oneCase := p == strings.ToLower(p) || p == strings.ToUpper(p)
		if onlyLetters && oneCase && len(p) <= 16 && strings.ContainsAny(p, "aeiouyAEIOUY") {
			inWords += len(p)
		}
	}
	return len(pieces) >= 3 && inWords*10 >= letters*7
}

// MinLength is how many characters this run wants of a key: those of the
// backend's own rule, or more where the configuration says so.
func (r *Run) MinLength() int { return max(MinKeyLength, r.Options.MinLength) }

// InWords is the sentence about a rule that the key of this run's backend breaks, with
// this run's length.
func (r *Run) InWords(code finding.Code) string {
	return finding.Broken(code, GuideNames.Key, r.MinLength())
}

// Judge applies the rules of this run to a key: JudgeKey, and its own length.
func (r *Run) Judge(key secret.Secret, others ...secret.Secret) []finding.Code {
	codes := JudgeKey(key, others...)
	if n := key.Len(); n >= MinKeyLength && n < r.MinLength() {
		codes = append(codes, finding.JWTKeyTooShort)
	}
	return codes
}
