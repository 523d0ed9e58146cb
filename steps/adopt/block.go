package adopt

import (
	"fmt"
	"strings"

	"dj/keysplit/steps"
)

// manner is how one block is written: the place, one of its ways to read a variable, the
// name of the key's variable, and how many characters the key must have.
type manner struct {
	place
	way
	key   string
	least int
	grace [2]string // the variables of a grace period: the key, and until when
}

// quoted is a text in the quotes of the module.
func (m manner) quoted(text string) string { return m.Quote + text + m.Quote }

// reading is the expression that reads a variable, with none where it is not set.
func (m manner) reading(name, none string) string {
	switch m.Form {
	case "object":
		return m.Reading
	case "default":
		return fmt.Sprintf("%s(%s, default=%s)", m.Call, m.quoted(name), none)
	case "value":
		if name == m.Var || name == steps.GraceKeyName || name == steps.GraceUntilName { // what it is assigned to
			return fmt.Sprintf("%s(%s, environ_prefix=None)", m.Call, m.quoted(""))
		}
		return fmt.Sprintf("%s(%s, environ_name=%s, environ_prefix=None, late_binding=True)", m.Call, m.quoted(""), m.quoted(name))
	case "get":
		if none != "None" {
			return fmt.Sprintf("%s(%s, %s)", m.Call, m.quoted(name), none)
		}
	}
	return fmt.Sprintf("%s(%s)", m.Call, m.quoted(name))
}

// exception is what ImproperlyConfigured is called in the module, imported or not.
func (m manner) exception() string {
	if m.Raises != "" {
		return m.Raises
	}
	return "ImproperlyConfigured"
}

// imports are the statements that the module lacks.
func (m manner) imports() (lines []string) {
	for _, l := range []string{m.Import, m.Also} {
		if l != "" {
			lines = append(lines, l)
		}
	}
	if m.Raises == "" && m.Tail != "apps" {
		lines = append(lines, "from django.core.exceptions import ImproperlyConfigured")
	}
	return lines
}

// lines are the block: a key that is there, is not SECRET_KEY and is long enough, or the
// settings do not load. They are not indented by the place.
func (m manner) lines() []string {
	switch {
	case m.Tail == "apps":
		return m.graceLines()
	case m.Class:
		return m.classLines()
	}
	lines := []string{"# Tokens are signed with a key of their own."}
	if m.Setup != "" {
		lines = append(lines, m.Setup)
	}
	if m.Read {
		lines = append(lines, m.Var+" = "+m.reading(m.key, "None"))
	} else {
		lines = lines[:0] // the statement above reads it
	}
	lines = append(lines, m.checks(m.Var, 0)...)
	entry := m.quoted("SIGNING_KEY")
	switch m.Tail {
	case "entry":
		lines = append(lines, fmt.Sprintf("%s[%s] = %s", m.Dict, entry, m.Var))
	case "dictionary":
		lines = append(lines, "", fmt.Sprintf("%s = {%s: %s}", m.Dict, entry, m.Var))
	}
	return lines
}

// classLines are the block of class-based settings, whose values are there only once
// they are set up.
func (m manner) classLines() (lines []string) {
	name := m.Var
	if m.Form == "value" {
		lines = append(lines, "# Tokens are signed with a key of their own.", m.Var+" = "+m.reading(m.key, "None"), "")
		name = "cls." + m.Var
	}
	lines = append(lines, "@classmethod", "def post_setup(cls):", m.Unit+"super().post_setup()")
	if m.Form != "value" {
		name = "key"
		lines = append(lines, m.Unit+"# Tokens are signed with a key of their own.")
		if m.Setup != "" {
			lines = append(lines, m.Unit+m.Setup)
		}
		lines = append(lines, m.Unit+name+" = "+m.reading(m.key, "None"))
	}
	lines = append(lines, m.checks(name, 1)...)
	return append(lines, fmt.Sprintf("%scls.%s[%s] = %s", m.Unit, m.Dict, m.quoted("SIGNING_KEY"), name))
}

// checks refuse a key, at a depth of indentation.
func (m manner) checks(name string, depth int) (lines []string) {
	indent := strings.Repeat(m.Unit, depth)
	for _, c := range [][2]string{
		{"not " + name, m.key + " is required."},
		{name + " == " + m.Secret, m.key + " must differ from SECRET_KEY."},
		{fmt.Sprintf("len(%s) < %d", name, m.least), fmt.Sprintf("%s must have %d characters or more.", m.key, m.least)},
	} {
		lines = append(lines, indent+"if "+c[0]+":")
		raise := indent + m.Unit + "raise " + m.exception() + "("
		if len(m.Base)+len(raise)+len(c[1])+3 <= m.Limit {
			lines = append(lines, raise+m.quoted(c[1])+")")
		} else {
			lines = append(lines, raise, indent+m.Unit+m.Unit+m.quoted(c[1]), indent+m.Unit+")")
		}
	}
	return lines
}
