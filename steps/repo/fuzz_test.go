package repo

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// FuzzEdit edits files of any content: without what was inserted, the file is as it was.
func FuzzEdit(f *testing.F) {
	for _, text := range []string{
		"env:\n  SECRET_KEY: ${{ secrets.SECRET_KEY }}\n", "services:\r\n  web:\r\n    environment:\r\n      - SECRET_KEY=${SECRET_KEY}",
		"- name: SECRET_KEY\n  valueFrom:\n    secretKeyRef:\n      name: a\n      key: SECRET_KEY\n", "SECRET_KEY=\n", "export SECRET_KEY='x' # y\n",
		"{\"SECRET_KEY\": {\"generator\": \"secret\"}}", "\xff\x00SECRET_KEY:\r\r\n", "/.venv\n!*.env\n", "[env]\nSECRET_KEY = 'x'\n",
	} {
		for _, file := range []string{".github/workflows/ci.yml", "backend/.env.example", "compose.yaml", "tox.ini", "pyproject.toml", "README.md"} {
			f.Add(file, []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, file string, data []byte) {
		for _, code := range []finding.Code{ci, compose, kubernetes, sample, docs, ignored} {
			e := wordsOf(steps.GuideNames).edit(finding.New(code, "").At(file, 0), data)
			if e == nil {
				continue
			}
			onlyInserts(t, e, data)
			if isYAML(file) && runs(code) && code != ignored && len(e.done) > 0 {
				sameButKey(t, data, e.data)
			}
		}
	})
}

// onlyInserts takes what was inserted out again.
func onlyInserts(t *testing.T, e *edited, data []byte) {
	t.Helper()
	was := slices.Clone(e.data)
	slices.SortFunc(e.done, func(a, b insertion) int { return b.at - a.at })
	for _, in := range e.done {
		was = slices.Delete(was, in.at, in.at+len(in.text))
	}
	if !bytes.Equal(was, data) {
		t.Errorf("other bytes were changed:\n%s\nbecame\n%s", data, e.data)
	}
}

// sameButKey compares two YAML files by another way than the program does: with every alias followed and every entry of
// JWT_SECRET_KEY left out.
func sameButKey(t *testing.T, before, after []byte) {
	t.Helper()
	b, err := parseYAML(before)
	if err != nil {
		t.Errorf("a file that does not parse was edited: %v\n%s", err, before)
		return
	}
	a, err := parseYAML(after)
	if err != nil {
		t.Errorf("no longer YAML: %v\n%s\nbecame\n%s", err, before, after)
		return
	}
	if fmt.Sprint(plain(b, 0)) != fmt.Sprint(plain(a, 0)) {
		t.Errorf("something else was changed:\n%s\nbecame\n%s", before, after)
	}
}

func plain(nodes []*yaml.Node, depth int) (out []string) {
	for _, n := range nodes {
		n = target(n)
		kids := slices.Clone(n.Content)
		for i := 0; i < len(kids); i++ {
			k := kids[i]
			switch {
			case n.Kind == yaml.MappingNode && i%2 == 0 && k.Value == steps.GuideNames.Key:
				kids = slices.Delete(kids, i, i+2)
				i--
			case n.Kind == yaml.SequenceNode && (wordsOf(steps.GuideNames).itemSets.MatchString(target(k).Value) && wordsOf(steps.GuideNames).mentions.MatchString(target(k).Value) || named(k)):
				kids = slices.Delete(kids, i, i+1)
				i--
			}
		}
		if depth > 30 {
			return nil
		}
		out = append(out, fmt.Sprint(n.Kind, n.Tag, n.Value, n.Anchor, plain(kids, depth+1)))
	}
	return out
}

func named(n *yaml.Node) bool {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if (n.Content[i].Value == "name" || n.Content[i].Value == "key") && n.Content[i+1].Value == steps.GuideNames.Key {
			return true
		}
	}
	return false
}

// FuzzStructured edits compose files and workflows that are made of all that YAML has: anchors and merge keys, block and
// flow style, values on several lines, comments. The input chooses among it.
func FuzzStructured(f *testing.F) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		choices := make([]byte, 400)
		for i := range choices {
			choices[i] = byte(r.Uint32())
		}
		f.Add(choices)
	}
	f.Fuzz(editStructured)
}

func editStructured(t *testing.T, choices []byte) {
	g := &writer{choices: choices}
	file, code := "compose.yaml", compose
	if g.may(4) {
		file, code = ".github/workflows/ci.yml", ci
	}
	data := []byte(g.file(code == compose))
	before, args := environments(data)
	e := wordsOf(steps.GuideNames).edit(finding.New(code, "").At(file, 0), data)
	onlyInserts(t, e, data)
	if len(e.done) == 0 {
		return
	}
	sameButKey(t, data, e.data)
	after, argsAfter := environments(e.data)
	if argsAfter > args {
		t.Errorf("the key became a build argument:\n%s\nbecame\n%s", data, e.data)
	}
	if code != compose || before == nil || after == nil {
		return
	}
	whole := Read(steps.GuideNames, true, file, e.data, nil).Lacks() == 0
	for name, was := range before {
		now := after[name]
		for variable, value := range was {
			if variable != steps.GuideNames.Key && !reflect.DeepEqual(now[variable], value) {
				t.Errorf("%s of %s was changed:\n%s\nbecame\n%s", variable, name, data, e.data)
			}
		}
		_, secret := was[steps.GuideNames.SecretKey]
		_, key := now[steps.GuideNames.Key]
		if whole && secret && !key {
			t.Errorf("%s lacks the key, and nothing says so:\n%s\nbecame\n%s", name, data, e.data)
		}
	}
	if bytes.Contains(e.data, []byte(throwaway)) {
		t.Errorf("a value for tests in a compose file:\n%s", e.data)
	}
}

// environments are what each service gets, as the YAML library merges it, and how many builds get the key; nil for what
// compose refuses.
func environments(data []byte) (out map[string]map[string]any, args int) {
	var file struct {
		Services map[string]struct {
			Environment any
			Build       struct{ Args map[string]any }
		}
	}
	if yaml.Unmarshal(data, &file) != nil {
		return nil, 0
	}
	out = map[string]map[string]any{}
	for name, s := range file.Services {
		out[name] = map[string]any{}
		switch env := s.Environment.(type) {
		case map[string]any:
			out[name] = env
		case []any:
			for _, one := range env {
				variable, value, _ := strings.Cut(fmt.Sprint(one), "=")
				out[name][variable] = value
			}
		}
		if _, there := s.Build.Args[steps.GuideNames.Key]; there {
			args++
		}
	}
	return out, args
}

// writer writes random YAML.
type writer struct {
	choices []byte
	b       strings.Builder
	maps    int // anchors of mappings so far
	flow    int // how deep in {...} or [...]
}

func (g *writer) pick(n int) int {
	if len(g.choices) == 0 {
		return 0
	}
	c := int(g.choices[0])
	g.choices = g.choices[1:]
	return c % n
}

func (g *writer) may(oneIn int) bool { return g.pick(oneIn) == 1 }

func (g *writer) of(words ...string) string { return words[g.pick(len(words))] }

func (g *writer) file(compose bool) string {
	top, inside := "services", "environment"
	if !compose {
		top, inside = "jobs", "env"
	}
	for range g.pick(3) {
		g.b.WriteString(fmt.Sprintf("x-%d:%s&m%d", g.maps, g.of(" ", "\n  "), g.maps))
		g.variables("  ", true)
		g.maps++
	}
	if g.may(4) {
		g.b.WriteString("x-log: &log {driver: local}\n")
	}
	log := strings.Contains(g.b.String(), "&log")
	g.b.WriteString(top + ":\n")
	for i := range 1 + g.pick(4) {
		g.b.WriteString(fmt.Sprintf("  s%d:%s\n    image: a\n", i, g.of("", " # c", fmt.Sprintf(" &s%d", i))))
		if log && g.may(2) {
			g.b.WriteString("    logging: *log\n")
		}
		if i > 0 && g.may(4) && strings.Contains(g.b.String(), fmt.Sprintf("&s%d", i-1)) {
			g.b.WriteString(fmt.Sprintf("    <<: *s%d\n", i-1))
		}
		if g.may(6) {
			g.b.WriteString("    build:\n      context: .\n      args:")
			g.variables("        ", true)
		}
		if !g.may(5) {
			g.b.WriteString("    " + inside + ":")
			g.variables("      ", false)
		}
		if g.may(4) {
			g.b.WriteString("    # the end\n\n")
		}
	}
	text := g.b.String()
	if g.may(5) {
		text = strings.TrimRight(text, "\n")
	}
	if g.may(5) {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return text
}

// variables writes a mapping or a list behind a colon or an anchor.
func (g *writer) variables(indent string, mapping bool) {
	names := []string{"SECRET_KEY", "DEBUG", "A", "JWT_SECRET_KEY", "PATH"}[:3+g.pick(3)]
	if g.may(2) {
		slices.Reverse(names)
	}
	eol := g.of("\n", " # c\n", "  \n")
	switch g.pick(6) {
	case 0, 1:
		g.b.WriteString(eol)
		for _, name := range names {
			quote := g.of("", "", "", `"`, "'")
			g.b.WriteString(indent + quote + name + quote + g.of(":", ":", " :"))
			g.value(indent)
		}
		if g.maps > 0 && g.may(3) {
			g.b.WriteString(indent + fmt.Sprintf("<<: %s\n", g.of("*m0", "[*m0]")))
		}
	case 2:
		g.b.WriteString(" {")
		g.flow++
		sep := g.of(", ", ",\n"+indent, " ,")
		for i, name := range names {
			if i > 0 {
				g.b.WriteString(sep)
			}
			g.b.WriteString(name + g.of(": x", ": 'a, b'", ": \"}\"", ": ", ": a b", ": \"a\n"+indent+" b\""))
		}
		g.flow--
		g.b.WriteString(g.of("}", " }", ",}", "\n"+indent+"}") + eol)
	case 3:
		if g.maps > 0 {
			g.b.WriteString(g.of(" *m0", "\n"+indent+"<<: *m0") + "\n")
			return
		}
		fallthrough
	case 4:
		if mapping {
			g.b.WriteString("\n" + indent + "SECRET_KEY: x\n")
			return
		}
		g.b.WriteString(eol)
		dash := g.of(indent, strings.TrimSuffix(indent, "  "))
		for _, name := range names {
			g.b.WriteString(dash + g.of("- ", "-   ") + g.of(name+"=x y", name, `"`+name+`=a #b"`, "'"+name+"=c'", name+"=x # c", name+"=a\n"+indent+"   b", ">-\n"+indent+"  "+name+"=x") + "\n")
		}
	case 5:
		if mapping {
			g.b.WriteString(" {SECRET_KEY: x}\n")
			return
		}
		g.b.WriteString(" [" + g.of("", "\n"+indent) + `"` + strings.Join(names, g.of(`=x", "`, `=x",`+"\n"+indent+`"`)) + g.of(`=z"]`, `=z" ]`, `=z",]`) + "\n")
	}
}

// value writes a value behind a colon.
func (g *writer) value(indent string) {
	deeper := "\n" + indent + "  "
	g.b.WriteString(g.of("", " x", " x # c", " 'a''b'", ` "a\"b: c"`, " >-"+deeper+"a"+deeper+"b", " |"+deeper+"SECRET_KEY: a"+deeper+"# no comment",
		" |+"+deeper+"a\n\n", " >"+deeper+"a\n\n"+indent+"    b\n", " a"+deeper+"b c", ` "a`+deeper+`b"`, ` "a`+"\nb\"", " !!str x", " &v"+fmt.Sprint(len(g.choices))+" x",
		" ${A:-b}", " ~", deeper+"x", " |2"+deeper+" a", " 'é ü'", "\tx", " '{{ x }}'", " a#b", " ''") + "\n")
}

// A small file must not take long, whatever is in it.
func TestHostileYAMLTakesNoTime(t *testing.T) {
	t.Parallel()
	merges, bomb := "a0: &a0 {A: b}\n", "b0: &b0 [SECRET_KEY=x]\n"
	for i := range 25 {
		merges += fmt.Sprintf("a%d: &a%d {<<: [*a%d, *a%d, *a%d]}\n", i+1, i+1, i, i, i)
		bomb += fmt.Sprintf("b%d: &b%d [*b%d, *b%d, *b%d]\n", i+1, i+1, i, i, i)
	}
	for name, text := range map[string]string{
		"merges":   merges + "services:\n" + strings.Repeat("  s: {environment: {<<: *a25, SECRET_KEY: x}}\n", 500),
		"aliases":  bomb + "services: {web: {environment: *b25}}\n",
		"itself":   "services: &s\n  web: *s\n  environment: &e {SECRET_KEY: x, <<: *e}\n",
		"depth":    "services: {web: {environment: " + strings.Repeat("[", 9000) + strings.Repeat("SECRET_KEY, ", 60) + strings.Repeat("]", 9000) + "}}\n",
		"blocks":   deepBlocks(900) + "\n",
		"places":   "services:\n" + strings.Repeat("  s:\n    environment:\n      SECRET_KEY: x\n", 1500),
		"one text": "services:\n  web:\n    command: " + strings.Repeat("SECRET_KEY ", 90_000) + "\n",
		"quotes":   "services: {web: {environment: [" + strings.Repeat("'", 90_001) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_ = IsCompose("a.yml", []byte(text))
			_ = Read(steps.GuideNames, true, "compose.yaml", []byte(text), nil).Lacks()
			_ = wordsOf(steps.GuideNames).edit(finding.New(compose, "").At("compose.yaml", 0), []byte(text))
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("it took %v", took)
			} else {
				t.Log(took)
			}
		})
	}
}

func deepBlocks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "environment:\n")
	}
	return b.String() + strings.Repeat(" ", n) + "SECRET_KEY: x"
}
