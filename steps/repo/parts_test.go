package repo

import (
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"

	"dj/keysplit/steps"
)

// A file is one of compose by its services, where each has an image or is built.
func TestWhatIsAComposeFile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"services:\n  web:\n    image: x\n":                           true,
		"name: shop\nservices:\n  web:\n    build: .\n":               true,
		"services:\n  web:\n    port: 80\n":                           false,
		"x:\n  web:\n    image: a\nservices:\n  web:\n    port: 80\n": false,
		"jobs: {}\nservices:\n  web:\n    image: x\n":                 false,
		"a: 1\n---\nservices:\n  web:\n    image: x\n":                false,
		"# services:\n": false,
	} {
		if got := IsCompose("a.yml", []byte(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

// What an edit of YAML adds is an entry of the key, and of no other variable.
func TestAnEntryOfTheKey(t *testing.T) {
	t.Parallel()
	v := wordsOf(steps.GuideNames)
	docs := func(items string) []*yaml.Node {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte("env:\n- {name: A, value: b}\n"+items), &doc); err != nil {
			t.Fatal(err)
		}
		return []*yaml.Node{&doc}
	}
	for added, want := range map[string]bool{
		"- {name: JWT_SECRET_KEY, value: x}\n": true, "- {name: TOKEN, value: x}\n": false,
		"- {key: JWT_SECRET_KEY, value: x}\n": true, "- {value: JWT_SECRET_KEY, name: x}\n": false,
		"- JWT_SECRET_KEY=x\n": true, "- TOKEN=x\n": false, "": false,
	} {
		if got := v.addsEntry(docs(""), docs(added)); got != want {
			t.Errorf("%q: %t", added, got)
		}
	}
}

func TestThePathsOfAnEnvFileOrInclude(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"a.env": {"a.env"}, "[a.env, b.env]": {"a.env", "b.env"}, "[a.env, {path: b.env, required: false}]": {"a.env", "b.env"}, "{format: raw}": nil,
	} {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(text), &n); err != nil {
			t.Fatal(err)
		}
		if got := paths(n.Content[0]); !slices.Equal(got, want) {
			t.Errorf("%s: %q", text, got)
		}
	}
}

// Where a value ends is known only where the text is what was parsed.
func TestWhereAValueEnds(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		n    yaml.Node
		want int
	}{
		"*name # c\n":   {yaml.Node{Kind: yaml.AliasNode, Value: "name"}, 5},
		"*other\n":      {yaml.Node{Kind: yaml.AliasNode, Value: "name"}, 0},
		"plain # c\n":   {yaml.Node{Kind: yaml.ScalarNode, Value: "plain"}, 5},
		"'it''s' # c\n": {yaml.Node{Kind: yaml.ScalarNode, Style: yaml.SingleQuotedStyle, Value: "it's"}, 7},
		"\"open\n":      {yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: "open x"}, 0},
		"!tag plain\n":  {yaml.Node{Kind: yaml.ScalarNode, Value: "plain"}, 0},
		"|\n  a text\n": {yaml.Node{Kind: yaml.ScalarNode, Style: yaml.LiteralStyle, Value: "a text\n"}, 0},
	} {
		if got := (&spot{data: []byte(text)}).scalarEnd(0, &c.n); got != c.want {
			t.Errorf("%q: %d, want %d", text, got, c.want)
		}
	}
}
