package envfile

import "fmt"

// The types that hold a file's content show none of it when they are printed,
// whatever the verb, so that a value does not end up in a log by accident.

// Format prints the state of a variable, not its value.
func (v Var) Format(s fmt.State, _ rune) {
	names := [...]string{"****", "(no value)", "(raises an error)", "(not known)", "(stated)"}
	fmt.Fprint(s, names[v.State])
}

// Format prints the number and the name of the line.
func (l Line) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "line %d %s", l.Num, l.Name) }

// Format prints the number of lines.
func (f *File) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "a file of %d lines", f.Len()) }

// Format prints the name that is set.
func (op Set) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "set %s", op.Name) }

// Format prints the numbers of lines taken out and put in.
func (d LineDiff) Format(s fmt.State, _ rune) {
	fmt.Fprintf(s, "line %d: %d removed, %d added", d.Num, len(d.Removed), len(d.Added))
}

// Format prints the changes without their text.
func (c Change) Format(s fmt.State, _ rune) { fmt.Fprint(s, c.Diff) }
