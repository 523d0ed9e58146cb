package preflight

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/sys/git"
)

// copiesAll is an instruction that copies the whole build context into an image.
var copiesAll = lazyregexp.New(`(?mi)^\s*(?:COPY|ADD)\s+(?:--\S+\s+)*(?:\./?|"\."|\[\s*"\./?"\s*,)\s`)

// inBuildContext tells which Dockerfile would copy the .env into an image: one in
// the .env's folder or above it that copies its whole context, with no line of
// .dockerignore that keeps the file out. A context that is named elsewhere, as in
// a compose file, is not known here.
func inBuildContext(p *steps.Project) (dockerfile string, found bool) {
	for _, dir := range upward(filepath.Dir(p.EnvFile.Path), p.TopLevel) {
		entries, _ := os.ReadDir(dir)
		rel, err := filepath.Rel(dir, p.EnvFile.Path)
		if err != nil || dockerIgnores(readSome(filepath.Join(dir, ".dockerignore")), filepath.ToSlash(rel)) {
			continue
		}
		for _, e := range entries {
			name := e.Name()
			if !steps.IsDockerfile(name) || strings.EqualFold(name, "dockerfile.dockerignore") {
				continue
			}
			if copiesAll.Match(readSome(filepath.Join(dir, name))) {
				return filepath.Join(dir, name), true
			}
		}
	}
	return "", false
}

// dockerIgnores reads the rules of a .dockerignore: the last one that matches the
// file, or a folder above it, counts. Source:
// https://docs.docker.com/build/concepts/context/#dockerignore-files
func dockerIgnores(rules []byte, rel string) bool {
	ignored := false
	for line := range bytes.Lines(rules) {
		rule := strings.TrimSpace(string(line))
		if rule == "" || rule[0] == '#' {
			continue
		}
		exception := rule[0] == '!'
		rule = strings.Trim(strings.TrimPrefix(strings.TrimPrefix(rule, "!"), "./"), "/")
		if rule == "" {
			continue
		}
		pattern := dockerPattern(rule)
		for at := rel; at != "."; at = filepath.ToSlash(filepath.Dir(at)) {
			if pattern.MatchString(at) {
				ignored = !exception
				break
			}
		}
	}
	return ignored
}

// dockerPattern makes a regular expression of a pattern: ** is any number of
// folders, * anything but a slash, ? one character.
func dockerPattern(rule string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`^`)
	for i := 0; i < len(rule); i++ {
		switch c := rule[i]; {
		case strings.HasPrefix(rule[i:], "**/"):
			b.WriteString(`(?:.*/)?`)
			i += 2
		case strings.HasPrefix(rule[i:], "**"):
			b.WriteString(`.*`)
			i++
		case c == '*':
			b.WriteString(`[^/]*`)
		case c == '?':
			b.WriteString(`[^/]`)
		default:
			b.WriteString(regexp.QuoteMeta(rule[i : i+1]))
		}
	}
	re, err := regexp.Compile(b.String() + `$`)
	if err != nil { // a rule that is no text
		return regexp.MustCompile(`$^`)
	}
	return re
}

// maxVersions is how many earlier versions of the .env are read from git.
const maxVersions = 50

// inHistory reports whether an earlier version of the .env that git still has holds
// the key that is in force now: it is then known to everyone with the repository.
func inHistory(ctx context.Context, p *steps.Project, key secret.Secret) bool {
	if key.Len() < minSearched || slices.Contains(steps.JudgeKey(key), finding.JWTKeyPlaceholder) {
		return false
	}
	rel, err := filepath.Rel(p.TopLevel, p.EnvFile.Path)
	if err != nil {
		return false
	}
	rel = filepath.ToSlash(rel)
	log, ok := git.Ask(ctx, p.TopLevel, nil, 64<<10, "rev-list", "--all", "-n", strconv.Itoa(maxVersions), "--", p.EnvFile.Path)
	if !ok || log.Code != 0 {
		return false
	}
	value := []byte(key.Reveal())
	for commit := range strings.FieldsSeq(string(log.Stdout)) {
		if ctx.Err() != nil {
			break
		}
		version, ok := git.Ask(ctx, p.TopLevel, nil, file.MaxRead, "cat-file", "blob", commit+":"+rel)
		if ok && version.Code == 0 && bytes.Contains(version.Stdout, value) {
			return true
		}
	}
	return false
}
