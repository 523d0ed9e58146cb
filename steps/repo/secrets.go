package repo

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
)

var (
	// What goes through the files of a container's secrets, and what exports by a name that
	// is in a variable.
	eachSecret = lazyregexp.New(`\bfor\s+\w+\s+in\s+[^;\n]*/run/secrets(?:/\*|/?\s*\)|/?["']?\s*(?:;|$))`)
	exportsOne = lazyregexp.New(`\b(?:export|declare -x)\s+["']?\$[\w({]`)
)

// ExportsSecrets reports whether a script exports a variable for each secret that a container
// is given.
func ExportsSecrets(data []byte) bool {
	return bytes.Contains(data, []byte("/run/secrets")) && eachSecret.Match(data) && exportsOne.Match(data)
}

// SecretAlone is the first line, from 1, at which a service of a compose file is given a
// secret that is called as SECRET_KEY and none that is called as JWT_SECRET_KEY; 0 for none.
func SecretAlone(names steps.Names, name string, data []byte) int {
	if !isYAML(name) || !bytes.Contains(data, []byte("secrets:")) || !bytes.Contains(data, []byte("services:")) ||
		!bytes.Contains(bytes.ReplaceAll(bytes.ToLower(data), []byte("-"), []byte("_")), []byte(strings.ToLower(names.SecretKey))) {
		return 0 // as nearly every file
	}
	docs, err := parseYAML(data)
	if err != nil || len(docs) == 0 || len(docs[0].Content) == 0 {
		return 0
	}
	for _, top := range members(target(docs[0].Content[0])) {
		if top.key.Value != "services" {
			continue
		}
		for _, service := range members(top.value) {
			if line := secretAlone(names, service.value); line > 0 {
				return line
			}
		}
	}
	return 0
}

// secretAlone is that of one service.
func secretAlone(names steps.Names, service *yaml.Node) (line int) {
	called := func(text, as string) bool { return strings.EqualFold(strings.ReplaceAll(text, "-", "_"), as) }
	for _, of := range members(service) {
		if of.key.Value != "secrets" {
			continue
		}
		for _, one := range target(of.value).Content {
			secret := target(one).Value
			for _, m := range members(one) {
				if m.key.Value == "target" || m.key.Value == "source" && secret == "" {
					secret = target(m.value).Value
				}
			}
			switch {
			case called(secret, names.Key):
				return 0
			case line == 0 && called(secret, names.SecretKey):
				line = one.Line
			}
		}
	}
	return line
}
