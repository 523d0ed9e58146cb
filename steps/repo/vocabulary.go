package repo

import (
	"regexp"
	"strings"
	"sync"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
)

// vocabulary is how the two keys are named, and what sets them, for one pair of names.
type vocabulary struct {
	steps.Names

	// required has compose stop where nothing sets the key: without the mark an unset variable becomes an empty one,
	// which wins over a good .env.
	required string
	// assignment is a line that sets SECRET_KEY: what stands before the name, a quote around the name, the sign with
	// its spaces, and the value.
	assignment *lazyregexp.Regexp
	// listed is an item of a list in TOML or an INI file, as pytest-env has it: with D: what is set already stays,
	// with R: it is no template.
	listed *lazyregexp.Regexp
	// entryStart is the first line of an item of a list that is a variable with where its value is from.
	entryStart *lazyregexp.Regexp
	// itemSets is an item that sets a variable, or passes one through.
	itemSets *lazyregexp.Regexp
	// sets finds SECRET_KEY where it gets a value. A reference such as secrets.SECRET_KEY and ${SECRET_KEY}, a name of a
	// step, a pattern or a message does not count.
	sets settingPatterns
	// mentions finds the key's own name.
	mentions *lazyregexp.Regexp

	around *Around
}

// beside is the vocabulary for files beside what is around them.
func (v *vocabulary) beside(around *Around) *vocabulary {
	with := *v
	with.around = around
	return &with
}

// vocabularies are those that were made, by their names: patterns are slow to make.
var vocabularies sync.Map

func wordsOf(names steps.Names) *vocabulary {
	if known, ok := vocabularies.Load(names); ok {
		return known.(*vocabulary)
	}
	pattern := func(text string) *lazyregexp.Regexp {
		if names.AnyCase {
			text = "(?i)" + text
		}
		return lazyregexp.New(strings.NewReplacer("SECRET_KEY", regexp.QuoteMeta(names.SecretKey), "THE_KEY", regexp.QuoteMeta(names.Key)).Replace(text))
	}
	v := &vocabulary{
		Names:      names,
		required:   "${" + names.Key + ":?}",
		assignment: pattern(`^(\s*(?:[-*$]\s+)?(?:export\s+|#\s?)?)(["']?)SECRET_KEY(["']?)(\s*[:=]\s*|\s+)(.*?)\s*$`),
		listed:     pattern(`^(\s*["']?(?:[DR]:)+|\s*["'])SECRET_KEY(\s*=\s*)([^"']*?)(["']\s*,|)\s*(?:#.*)?$`),
		entryStart: pattern(`^(\s*)-\s+\{?\s*["']?(?:name|key)["']?\s*:\s*["']?SECRET_KEY["']?(?:$|[\s,}])`),
		itemSets:   pattern(`^(export\s+)?(?:(THE_KEY)|SECRET_KEY)(?:=|$)`),
		sets:       settingsOf(pattern),
		mentions:   pattern(`(?:\b|\\n|\benvkey_)THE_KEY\b`),
	}
	known, _ := vocabularies.LoadOrStore(names, v)
	return known.(*vocabulary)
}
