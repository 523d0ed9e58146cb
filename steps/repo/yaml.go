package repo

import (
	"bytes"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"dj/keysplit/steps/internal/lazyregexp"
)

// form is how a file names a variable.
type form int

const (
	pair    form = iota // SECRET_KEY: x
	item                // - SECRET_KEY=x, or - SECRET_KEY
	command             // - export SECRET_KEY=x
	entry               // - name: SECRET_KEY, with where the value is from
	text                // inside a script or another text
)

// frame is one mapping, sequence or scalar as it counts where it is used: what is used in two places has two.
type frame struct {
	up       *frame
	name     string     // the key it is under; "" for an item and for a document
	node     *yaml.Node // never an alias
	build    bool       // it is for the build of an image
	all      bool       // it may get any variable that is named in the file: a whole Secret, what another file has
	envFiles []string   // the files that it gets variables from, as they are written
	extends  []string   // the services or jobs beside it that it extends
	takes    []taken    // the services of other compose files that it extends
	includes []string   // the compose files that a file takes in
	below    map[string]*frame
}

// named is the frame's name, and that of the list for an item.
func (f *frame) named() string {
	for f != nil && f.name == "" {
		f = f.up
	}
	if f == nil {
		return ""
	}
	return f.name
}

// setting is one of the two names, where it counts.
type setting struct {
	key    bool // JWT_SECRET_KEY
	form   form
	node   *yaml.Node // the name of a pair, an item or a text, as it is in the file
	parent *yaml.Node // the mapping or sequence that node is in
	value  *yaml.Node // of a pair; of an entry the whole item
	in     *frame     // what it is set for
	line   int        // from 1
}

// maxVisits is how many nodes are looked at in one file. Aliases make a small file a large one.
const maxVisits = 200_000

// reader finds the settings of one file.
type reader struct {
	*vocabulary
	lines    [][]byte
	settings []setting
	visits   int
	open     []*yaml.Node // the anchors that are being followed
}

// parseYAML parses every document of a file. A byte order mark is no part of it.
func parseYAML(data []byte) (docs []*yaml.Node, err error) {
	defer func() {
		if recover() != nil { // a fault of the library is no reason to end
			docs, err = nil, errors.New("it cannot be parsed")
		}
	}()
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return nil, errors.New("it is not UTF-8")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		doc := new(yaml.Node)
		if err := decoder.Decode(doc); errors.Is(err, io.EOF) {
			return docs, nil
		} else if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
}

// parsed is a file of YAML, and both names in it.
type parsed struct {
	docs     []*yaml.Node
	roots    []*frame
	settings []setting
}

// parseFile finds both names in all documents. In each of them, what only others use (x-common, .job) counts where it
// is used, and by itself where nothing uses it.
func (v *vocabulary) parseFile(data []byte) (*parsed, error) {
	docs, err := parseYAML(data)
	if err != nil {
		return nil, err
	}
	r := &reader{vocabulary: v, lines: bytes.Split(data, []byte("\n"))}
	var roots []*frame
	for _, doc := range docs {
		if len(doc.Content) == 0 {
			continue
		}
		root := &frame{node: target(doc.Content[0])}
		roots = append(roots, root)
		r.visit(root, doc.Content[0], doc, func(name string) bool { return !isTemplate(name) })
		used := map[*yaml.Node]bool{}
		for _, s := range r.settings {
			used[s.node] = true
		}
		if root.node.Kind == yaml.MappingNode {
			first := len(r.settings)
			r.visit(root, doc.Content[0], doc, isTemplate)
			r.settings = append(r.settings[:first], slices.DeleteFunc(r.settings[first:], func(s setting) bool { return used[s.node] })...)
		}
	}
	if r.visits > maxVisits {
		return nil, errors.New("its aliases expand to too much")
	}
	return &parsed{docs, roots, r.settings}, nil
}

// isTemplate reports whether a top-level name is that of something to be used by others: an extension of compose, a
// hidden job of GitLab.
func isTemplate(name string) bool {
	return strings.HasPrefix(name, "x-") || strings.HasPrefix(name, ".")
}

// target is what an alias stands for.
func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// member is a pair of a mapping, with the mapping it is written in.
type member struct{ key, value, in *yaml.Node }

// members are the pairs of a mapping and of what it merges. What it says itself goes before what it merges, wherever the
// << is, and of several that are merged the first one with a name counts: https://yaml.org/type/merge.html.
func members(n *yaml.Node) []member {
	left := maxMerges
	return appendMembers(nil, map[string]bool{}, n, &left)
}

// maxMerges is how many mappings one mapping merges.
const maxMerges = 100

func appendMembers(out []member, seen map[string]bool, n *yaml.Node, left *int) []member {
	if n = target(n); n.Kind != yaml.MappingNode || *left == 0 {
		return out
	}
	*left--
	first := len(out)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i]; !isMerge(k) && !seen[k.Value] {
			out = append(out, member{k, n.Content[i+1], n})
		}
	}
	for _, m := range out[first:] {
		seen[m.key.Value] = true // here, so that a name that is there twice counts twice
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		from := target(n.Content[i+1])
		if from.Kind != yaml.SequenceNode {
			out = appendMembers(out, seen, from, left)
			continue
		}
		for _, one := range from.Content {
			out = appendMembers(out, seen, one, left)
		}
	}
	return out
}

func isMerge(key *yaml.Node) bool { return key.Kind == yaml.ScalarNode && key.Tag == "!!merge" }

// child is the frame of a member.
func (f *frame) child(m member) *frame {
	c := &frame{up: f, name: m.key.Value, node: target(m.value), build: f.build || isBuildArgument(m.key.Value, f)}
	if f.below == nil {
		f.below = map[string]*frame{}
	}
	f.below[c.name] = c
	return c
}

// isBuildArgument reports whether what is under a name is for the build of an image. That is no place for the key: it
// stays in the image, and what starts Django there is in the Dockerfile.
func isBuildArgument(name string, in *frame) bool {
	return name == "args" && in.name == "build" || slices.Contains([]string{"build-args", "build_args", "buildArgs", "build-arg"}, name)
}

// visit finds the settings in a frame, whose node stands in a parent as n. Of the top level, only names that wanted
// accepts are followed.
func (r *reader) visit(f *frame, n, parent *yaml.Node, wanted func(name string) bool) {
	if r.visits++; r.visits > maxVisits {
		return
	}
	if n.Kind == yaml.AliasNode {
		if slices.Contains(r.open, f.node) {
			return
		}
		r.open = append(r.open, f.node)
		defer func() { r.open = r.open[:len(r.open)-1] }()
	}
	switch f.node.Kind {
	case yaml.MappingNode:
		for _, m := range members(f.node) {
			r.visits++
			f.borrow(m)
			if f.up == nil && !wanted(m.key.Value) {
				continue
			}
			if k := m.key; k.Kind == yaml.ScalarNode && r.isName(k.Value) {
				r.add(setting{key: r.IsKey(k.Value), form: pair, node: k, parent: m.in, value: m.value, in: f, line: k.Line})
			} else if name, ok := strings.CutPrefix(k.Value, "envkey_"); ok && r.isName(name) { // SpicyPizza/create-envfile
				r.add(setting{key: r.IsKey(name), form: text, node: k, parent: m.in, in: f, line: k.Line})
			}
			r.visit(f.child(m), m.value, m.in, wanted)
		}
	case yaml.SequenceNode:
		for _, n := range f.node.Content {
			r.visit(&frame{up: f, node: target(n), build: f.build}, n, f.node, wanted)
		}
	case yaml.ScalarNode:
		if f.up != nil {
			r.scalar(f, n, parent)
		}
	}
}

func (r *reader) add(s setting) { r.settings = append(r.settings, s) }

func (v *vocabulary) isName(text string) bool { return v.IsSecretKey(text) || v.IsKey(text) }

// scalar finds the settings in a scalar.
func (r *reader) scalar(f *frame, n, parent *yaml.Node) {
	value := f.node.Value
	if !r.In([]byte(value)) {
		return
	}
	s := setting{form: text, node: n, parent: parent, in: f.up, line: n.Line}
	if m := r.itemSets.FindStringSubmatch(value); m != nil && f.up.node.Kind == yaml.SequenceNode {
		s.form, s.key = item, m[2] != ""
		if m[1] != "" {
			s.form = command
		}
		r.add(s)
		return
	}
	if r.isName(value) {
		if f.name == "name" && f.up.isStep() {
			return
		}
		s.key = r.IsKey(value)
		for at := f.up; at != nil && at.up != nil; at = at.up {
			if at.up.node.Kind != yaml.SequenceNode {
				continue
			}
			if at == f.up && (f.name == "name" || f.name == "key" || f.name == "option_name") && n.Kind == yaml.ScalarNode {
				s.form, s.value = entry, at.node
			}
			s.in, s.parent = at.up, at.up.node // the item is the variable
			break
		}
		r.add(s)
		return
	}
	r.texts(f, s, value)
}

// inText reports whether a line of a text sets SECRET_KEY: as a script does, as JSON, or
// in a list of variables that are passed through.
func (r *reader) inText(f *frame, line string) bool {
	return r.inScript(line) || r.sets.inJSON.MatchString(line) ||
		environmentName.MatchString(f.named()) && slices.ContainsFunc(strings.FieldsFunc(line, func(c rune) bool { return c == ',' || c == ' ' }), r.IsSecretKey)
}

// texts finds the settings in a script, a command or another text.
func (r *reader) texts(f *frame, s setting, value string) {
	secret, key := false, false
	for line := range strings.Lines(value) {
		line = uncommented(strings.TrimSpace(line))
		secret = secret || r.inText(f, line)
		key = key || r.mentions.MatchString(line)
	}
	if secret && !f.isProse() {
		s.line = r.lineWith(s.node.Line, func(line string) bool { return r.inText(f, line) })
		r.add(s)
	}
	if !key {
		return
	}
	s.key, s.line = true, r.lineWith(s.node.Line, r.mentions.MatchString)
	if toFile.MatchString(value) { // for the steps that follow
		for at := f.up; at != nil; at = at.up {
			if at.node.Kind == yaml.SequenceNode && at.up != nil {
				s.in = at.up
				break
			}
		}
	}
	r.add(s)
}

// toFile is what a script writes for the steps after it.
var toFile = lazyregexp.New(`_ENV\b|>\s*["']?\S*\.env\b|\btee\s.*\.env\b`)

// lineWith is the first line at or below one that matches.
func (r *reader) lineWith(from int, what func(line string) bool) int {
	for i := from; i <= len(r.lines); i++ {
		if what(uncommented(strings.TrimSpace(string(r.lines[i-1])))) {
			return i
		}
	}
	return from
}

func uncommented(line string) string {
	if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "//") {
		return ""
	}
	line, _, _ = strings.Cut(line, " #")
	return strings.TrimRight(line, " \t")
}

// isYAML reports whether a file is YAML, by its name. Elastic Beanstalk's has another ending.
func isYAML(file string) bool {
	ext := path.Ext(file)
	return ext == ".yml" || ext == ".yaml" || ext == ".config" && strings.Contains("/"+file, "/.ebextensions/")
}
