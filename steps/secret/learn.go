package secret

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"dj/keysplit/steps/internal/lazyregexp"
)

// sensitive are the names whose values Django hides (its own pattern), and those of
// addresses, which may hold a password.
var sensitive = lazyregexp.New(`(?i)API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|DSN|URL`)

// Sensitive reports whether a variable or setting of that name counts as a secret.
func Sensitive(name string) bool { return sensitive.MatchString(name) }

var (
	// credentials finds the password of an address. It may hold any character,
	// also those that end it for a parser.
	credentials = lazyregexp.New(`(?i)\b[a-z][a-z0-9+.-]*://[^\s/:@]*:(\S+)@`)
	host        = lazyregexp.New(`(?i)://(?:\S*@)?([a-z0-9-]+(?:\.[a-z0-9-]+)*)(:\d+)?(?:[/?#"'\s,]|$)`)
	separators  = lazyregexp.New(`[\s,;|]+`)
	variable    = lazyregexp.New(`^(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{1,12}|[a-z]+(?:_[a-z]+)+)$`)
	setting     = lazyregexp.New(`^\s*([A-Z][A-Z0-9_]+)\s*(?::[^=]*)?=[^=]`)
	inline      = lazyregexp.New(`\s#+\s*`)
	assignment  = lazyregexp.New(`(\w+)["']?\s*(?:[:=,]|\bdefault\s*=)`)
	moduleName  = lazyregexp.New(`^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*\.[A-Za-z][A-Za-z_]*$`)
	literal     = lazyregexp.New(`"((?:[^"\\\n]|\\.)+)"|'((?:[^'\\\n]|\\.)+)'`)
)

func (r *Redactor) index() *index {
	if r.known == nil {
		r.known = &index{pieces: map[uint64]level{}, short: map[string]bool{}, names: map[string]bool{"secret_key": true, "jwt_secret_key": true}, marks: map[string]map[[8]byte]bool{}, seen: map[string]bool{}}
	}
	return r.known
}

// LearnFile makes every value and every comment of a file of settings a secret to
// Show, and every name of a variable in it no secret. However its reader reads it:
// each line is taken in each way.
func (r *Redactor) LearnFile(data []byte) {
	text := strings.ToValidUTF8(string(decoded(data)), "\uFFFD")
	for line := range strings.Lines(text) {
		line = strings.Trim(line, "\ufeff \t\r\n\x00")
		body := strings.TrimSpace(strings.TrimLeft(line, "# "))
		name, content, assigned := strings.Cut(body, "=")
		name = strings.TrimSpace(strings.TrimPrefix(name, "export "))
		known := assigned && variable.MatchString(name)
		if known && !Sensitive(name) && moduleName.MatchString(strings.TrimSpace(content)) {
			r.Allow(name, content)
			continue
		}
		switch {
		case body != line:
			r.learn(body, comment, false)
		case !known:
			r.learn(body, value, false)
		}
		if !known {
			continue
		}
		r.Allow(name)
		content = strings.TrimSpace(content)
		parts := inline.Split(content, 2)
		for _, v := range append(parts[:1:1], content) {
			from := value
			if len(parts) > 1 && v == content {
				from = comment // the value alone is learned beside it
			}
			r.learn(v, from, Sensitive(name))
			r.learn(strings.Trim(v, `"'`), from, Sensitive(name))
		}
		if len(parts) > 1 {
			r.learn(parts[1], comment, false)
		}
	}
}

// decoded turns UTF-16 with a byte order mark into UTF-8, as far as that is ASCII:
// what PowerShell writes.
func decoded(data []byte) []byte {
	at := -1
	if len(data) > 1 && data[0] == 0xff && data[1] == 0xfe {
		at = 0
	} else if len(data) > 1 && data[0] == 0xfe && data[1] == 0xff {
		at = 1
	}
	if at < 0 {
		return data
	}
	out := make([]byte, 0, len(data)/2)
	for i := 2 + at; i < len(data); i += 2 {
		out = append(out, data[i])
	}
	return out
}

// LearnVariables makes the values of an environment (NAME=value) secrets to Show
// where the name or a password in it says so, and all names no secret.
func (r *Redactor) LearnVariables(environ []string) {
	for _, pair := range environ {
		name, content, _ := strings.Cut(pair, "=")
		r.Allow(name)
		if Sensitive(name) || credentials.MatchString(content) {
			r.learn(content, value, true)
		}
	}
}

// LearnSource makes the literals of a source file secrets to Show that stand on a
// line behind a name which says so, and the names of settings no secret: PASSWORD_HASHERS
// has one in it where a password is "password".
func (r *Redactor) LearnSource(text string) {
	for line := range strings.Lines(text) {
		if m := setting.FindStringSubmatch(line); m != nil {
			r.Allow(m[1])
		}
		for _, m := range literal.FindAllStringSubmatchIndex(line, -1) {
			text := ""
			if m[2] >= 0 {
				text = line[m[2]:m[3]]
			} else {
				text = line[m[4]:m[5]]
			}
			if variable.MatchString(text) {
				continue
			}
			named := false
			for _, a := range assignment.FindAllStringSubmatch(line[:m[0]], -1) {
				named = named || Sensitive(a[1])
			}
			if named && !moduleName.MatchString(text) || credentials.MatchString(text) {
				r.learn(text, value, false)
			}
		}
	}
}

// LearnMarks makes secrets known that somebody else has, by the first 8 bytes of the
// SHA-256 of a key and every 8 bytes of a secret in lower case.
func (r *Redactor) LearnMarks(key string, sums []byte) {
	x := r.index()
	x.mu.Lock()
	defer x.mu.Unlock()
	for sum := range slices.Chunk(sums, 8) {
		if len(sum) < 8 {
			return
		}
		if x.marks[key] == nil {
			x.marks[key] = map[[8]byte]bool{}
		}
		x.marks[key][[8]byte(sum)] = true
	}
}

// learn makes a value a secret. whole says that it, and each part of it, is one
// also when it is shorter than 8 characters.
func (r *Redactor) learn(text string, from level, whole bool) {
	x := r.index()
	for _, m := range host.FindAllStringSubmatch(text, -1) {
		r.Allow(m[1], m[2])
	}
	if filepath.IsAbs(text) {
		if _, err := os.Lstat(text); err == nil {
			r.Allow(text) // the name of a file
			return
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.learn(text, from, whole)
}

func (x *index) learn(text string, from level, whole bool) {
	key := fmt.Sprint(from, whole, text)
	if text == "" || x.seen[key] {
		return
	}
	x.seen[key] = true
	for _, f := range forms(text) {
		x.cut(f, from)
	}
	var parts []string
	if whole {
		parts = append(separators.Split(text, -1), text)
	}
	for _, m := range credentials.FindAllStringSubmatch(text, -1) {
		parts = append(parts, m[1])
		for _, decode := range decoders[:2] {
			if plain, err := decode(m[1]); err == nil {
				parts = append(parts, plain)
			}
		}
	}
	for _, p := range parts {
		for _, bare := range []string{p, strings.Trim(p, `"'[]{}`)} {
			low := lowerASCII(bare)
			if len(bare) >= shortest && len(bare) < window && !words()[low] {
				x.short[low] = true
			}
		}
	}
	var v any
	if (text[0] == '[' || text[0] == '{') && json.Unmarshal([]byte(text), &v) == nil {
		x.leaves(v, from, whole)
	}
}

// leaves learns the texts of a JSON value.
func (x *index) leaves(v any, from level, whole bool) {
	switch v := v.(type) {
	case string:
		x.learn(v, from, whole)
	case []any:
		for _, inner := range v {
			x.leaves(inner, from, whole)
		}
	case map[string]any:
		for _, inner := range v {
			x.leaves(inner, from, whole)
		}
	}
}

// forms are the ways in which programs quote a value: as it is, unquoted or decoded,
// and each of these escaped and encoded.
func forms(text string) []string {
	out := []string{text}
	if len(text) > 1<<16 {
		return out
	}
	for _, decode := range decoders {
		if plain, err := decode(text); err == nil && !slices.Contains(out, plain) {
			out = append(out, plain)
		}
	}
	for _, plain := range out {
		out = append(out, Inert(plain))
		quoted := strconv.Quote(plain)
		asJSON, _ := json.Marshal(plain) // a string always has a form
		out = append(out, quoted[1:len(quoted)-1], string(asJSON[1:len(asJSON)-1]), url.QueryEscape(plain), url.PathEscape(plain), hex.EncodeToString([]byte(plain)))
		for shift := range min(3, len(plain)) { // base64 has three faces, by what stands before
			out = append(out, base64.RawStdEncoding.EncodeToString([]byte(plain[shift:])), base64.RawURLEncoding.EncodeToString([]byte(plain[shift:])))
		}
	}
	return out
}

var decoders = []func(string) (string, error){
	url.QueryUnescape, url.PathUnescape,
	func(s string) (string, error) { return strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`) },
	func(s string) (string, error) { b, err := hex.DecodeString(s); return string(b), err },
	func(s string) (string, error) {
		b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
		return string(b), err
	},
	func(s string) (string, error) {
		b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
		return string(b), err
	},
}
