package repo

import (
	"path"
	"slices"
	"strings"

	"dj/keysplit/steps/internal/lazyregexp"
)

// ofSamples are files in a folder that is called one of samples.
var ofSamples = lazyregexp.New(`(?:^|/)(?:[\w-]*(?:sample|example|template)[\w-]*env[\w-]*|\.?envs?[\w-]*(?:sample|example|template)s?|\.?envs?/(?:sample|example|template)s?)/(?:[^/]+/)*[\w-]*\.[\w-]+$|` +
	`(?:^|/)\.?envs?(?:\.d)?/(?:[^/]+/)*[\w.-]+\.(?:dist|example|sample|template)(?:/[\w.-]+)?$`)

// IsSample reports whether a file, by its path below the top level, is one of settings that
// is made to be copied: .env.example, env.template, .envrc.sample, example.env,
// sample_env_files/production/.django.
func IsSample(rel string) bool {
	if rel = strings.ToLower(rel); !strings.Contains(rel, "env") || helmHelper.MatchString(rel) {
		return false
	}
	if ofSamples.MatchString(rel) {
		return true
	}
	base := path.Base(rel)
	parts := strings.FieldsFunc(base, func(r rune) bool { return strings.ContainsRune(".-_", r) })
	isPart := func(words ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return slices.Contains(words, part) })
	}
	return isPart("env", "envs", "envrc", "dotenv", "environment", "environ", "flaskenv") && isPart("example", "examples", "template", "sample", "dist", "tmpl", "tpl", "default", "defaults", "skel")
}
