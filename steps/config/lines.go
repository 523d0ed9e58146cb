package config

import (
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// lines are the 1-based lines of a TOML document on which its values are, by their
// dotted key. An element of a list has its index as one more part. A table has the
// line of its header; one that is only implied has none.
type lines map[string]int

// dotted joins the parts of a key. A NUL cannot be in one: TOML forbids it.
func dotted(parts ...string) string { return strings.Join(parts, "\x00") }

// linesOf reads the lines of a document. It stops where that is no TOML.
func linesOf(data []byte) lines {
	all := lines{}
	var p unstable.Parser
	p.Reset(data)
	var table []string
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			var line int
			table, line = keyOf(&p, e.Key())
			all[dotted(table...)] = line
		case unstable.KeyValue:
			all.add(&p, table, e)
		}
	}
	return all
}

// keyOf returns the parts of a key and the line that it begins on.
func keyOf(p *unstable.Parser, key unstable.Iterator) (parts []string, line int) {
	for key.Next() {
		node := key.Node()
		if line == 0 {
			line = p.Shape(node.Raw).Start.Line
		}
		parts = append(parts, string(node.Data))
	}
	return parts, line
}

// add takes up one key with its value, in the table of that name.
func (l lines) add(p *unstable.Parser, table []string, e *unstable.Node) {
	key, line := keyOf(p, e.Key())
	path := append(append([]string{}, table...), key...)
	l[dotted(path...)] = line
	switch value := e.Value(); value.Kind {
	case unstable.InlineTable:
		for it := value.Children(); it.Next(); {
			l.add(p, path, it.Node())
		}
	case unstable.Array:
		i := 0
		for it := value.Children(); it.Next(); i++ {
			if node := it.Node(); node.Raw.Length > 0 {
				l[dotted(append(path, strconv.Itoa(i))...)] = p.Shape(node.Raw).Start.Line
			}
		}
	}
}
