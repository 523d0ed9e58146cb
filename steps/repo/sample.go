package repo

import (
	"slices"
	"strings"
)

// IsSample reports whether a file, by its name without folders, is one of settings that
// is made to be copied: .env.example, env.template, .envrc.sample, example.env.
func IsSample(base string) bool {
	if base = strings.ToLower(base); !strings.Contains(base, "env") {
		return false
	}
	parts := strings.FieldsFunc(base, func(r rune) bool { return strings.ContainsRune(".-_", r) })
	isPart := func(words ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return slices.Contains(words, part) })
	}
	return isPart("env", "envs", "envrc", "dotenv", "environment", "environ", "flaskenv") && isPart("example", "examples", "template", "sample", "dist", "tmpl", "tpl", "default", "defaults", "skel")
}
