package steps

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"dj/keysplit/envfile"
)

// Compare is what differs between two versions of a file, in whole lines.
func Compare(was, is []byte) (out []envfile.LineDiff) {
	a, b := slices.Collect(bytes.Lines(was)), slices.Collect(bytes.Lines(is))
	from := 0
	for from < min(len(a), len(b)) && bytes.Equal(a[from], b[from]) {
		from++
	}
	end := 0
	for end < min(len(a), len(b))-from && bytes.Equal(a[len(a)-1-end], b[len(b)-1-end]) {
		end++
	}
	x, y := a[from:len(a)-end], b[from:len(b)-end]
	next := envfile.LineDiff{}
	flush := func() {
		out = append(out, apart(next)...)
		next = envfile.LineDiff{}
	}
	kept := common(x, y)
	for i, j := 0, 0; i < len(x) || j < len(y); {
		if len(kept) > 0 && kept[0] == [2]int{i, j} {
			flush()
			kept, i, j = kept[1:], i+1, j+1
			continue
		}
		if len(next.Removed)+len(next.Added) == 0 {
			next.Num, next.NewNum = from+i+1, from+j+1
		}
		if i < len(x) && (len(kept) == 0 || i < kept[0][0]) {
			next.Removed, i = append(next.Removed, x[i]), i+1
		} else {
			next.Added, j = append(next.Added, y[j]), j+1
		}
	}
	flush()
	return out
}

// apart makes a change of its own of the line end that the last line of a file gets.
func apart(c envfile.LineDiff) (out []envfile.LineDiff) {
	parts := []envfile.LineDiff{c}
	n := len(c.Removed) - 1
	if n >= 0 && n < len(c.Added) && onlyEnd(c.Removed[n], c.Added[n]) {
		parts = []envfile.LineDiff{
			{Num: c.Num, NewNum: c.NewNum, Removed: c.Removed[:n], Added: c.Added[:n]},
			{Num: c.Num + n, NewNum: c.NewNum + n, Removed: c.Removed[n:], Added: c.Added[n : n+1], FinalNewline: true},
			{Num: c.Num + n + 1, NewNum: c.NewNum + n + 1, Added: c.Added[n+1:]},
		}
	}
	for _, p := range parts {
		if len(p.Removed)+len(p.Added) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// onlyEnd reports whether all that a line got is the line end that it lacked.
func onlyEnd(was, is []byte) bool {
	return !bytes.HasSuffix(was, []byte("\n")) && bytes.Equal(was, bytes.TrimRight(is, "\r\n"))
}

// maxCommon is how many pairs of lines are compared at most. Two versions of a file that
// differ in more are shown as one change.
const maxCommon = 4 << 20

// common is the longest common subsequence of two lists of lines: the pairs of indices,
// in order.
func common(x, y [][]byte) (pairs [][2]int) {
	if len(x) == 0 || len(y) == 0 || len(x)*len(y) > maxCommon {
		return nil
	}
	wide := len(y) + 1
	longest := make([]int32, (len(x)+1)*wide) // of the lines from i and from j on
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if bytes.Equal(x[i], y[j]) {
				longest[i*wide+j] = longest[(i+1)*wide+j+1] + 1
			} else {
				longest[i*wide+j] = max(longest[(i+1)*wide+j], longest[i*wide+j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case bytes.Equal(x[i], y[j]):
			pairs = append(pairs, [2]int{i, j})
			i, j = i+1, j+1
		case longest[(i+1)*wide+j] >= longest[i*wide+j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}

// around is how many lines a diff shows before and after a change.
const around = 2

// DiffOf shows what differs between two versions of a file, with two lines around each
// change. A line has the number that it has afterwards, one that goes the one it had. show
// makes a line, without its line end, fit to be shown, and says in a note what it hides.
func DiffOf(was, is []byte, show func(line string) (text, note string)) (out []DiffLine) {
	old := slices.Collect(bytes.Lines(was))
	last := 0 // of old, the number of the last line that was shown
	add := func(num int, op string, lines [][]byte) {
		for i, l := range lines {
			text, note := show(strings.TrimRight(string(l), "\r\n"))
			out = append(out, DiffLine{Line: num + i, Op: op, Text: text, Note: note})
		}
	}
	keep := func(from, to, shift int) { // lines of old, counted from 1, to is the one after
		from, to = max(from, last+1), min(to, len(old)+1)
		if from < to {
			add(from+shift, " ", old[from-1:to-1])
			last = to - 1
		}
	}
	changes := Compare(was, is)
	for i, c := range changes {
		if c.FinalNewline {
			continue
		}
		shift := c.NewNum - c.Num
		keep(c.Num-around, c.Num, shift)
		add(c.Num, "-", c.Removed)
		add(c.NewNum, "+", c.Added)
		last = c.Num + len(c.Removed) - 1
		after := last + 1 + around
		if i+1 < len(changes) {
			after = min(after, changes[i+1].Num)
		}
		keep(last+1, after, shift+len(c.Added)-len(c.Removed))
	}
	return out
}

// patchAround is how many lines a patch has around a change, as git writes it.
const patchAround = 3

// Patch is the change of one file in the unified form that `git apply` takes. name is
// relative to the top of the work tree, with forward slashes; was is nil for a new file.
func Patch(name string, was, is []byte) string {
	var b strings.Builder
	from, to := patchName("a/"+name), patchName("b/"+name)
	fmt.Fprintf(&b, "diff --git %s %s\n", from, to)
	if was == nil {
		b.WriteString("new file mode 100644\n")
		from = "/dev/null"
	}
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", from, to)
	old := slices.Collect(bytes.Lines(was))
	changes := Compare(was, is)
	for len(changes) > 0 {
		n := 1 // changes that share a hunk
		for n < len(changes) && changes[n].Num-end(changes[n-1]) <= 2*patchAround {
			n++
		}
		hunk(&b, old, changes[:n])
		changes = changes[n:]
	}
	return b.String()
}

// patchName is a name as git reads it in a patch: one with a byte that could end it, or be
// taken for another thing, stands in quotes, as in C.
func patchName(name string) string {
	plain := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("/._-+@,=~%#:", c) >= 0
	}
	var b strings.Builder
	quote := false
	for _, c := range []byte(name) {
		switch {
		case plain(c):
			b.WriteByte(c)
			continue
		case c == ' ':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "\\%03o", c)
		}
		quote = true
	}
	if quote {
		return `"` + b.String() + `"`
	}
	return name
}

// end is the number of the line behind those that a change removes.
func end(c envfile.LineDiff) int { return c.Num + len(c.Removed) }

func hunk(b *strings.Builder, old [][]byte, changes []envfile.LineDiff) {
	first, last := changes[0], changes[len(changes)-1]
	from, to := max(1, first.Num-patchAround), min(len(old)+1, end(last)+patchAround)
	var body strings.Builder
	olds, news := 0, 0
	put := func(op byte, lines [][]byte) {
		for _, l := range lines {
			body.WriteByte(op)
			body.Write(l)
			if !bytes.HasSuffix(l, []byte("\n")) {
				body.WriteString("\n\\ No newline at end of file\n")
			}
			if op != '+' {
				olds++
			}
			if op != '-' {
				news++
			}
		}
	}
	at := from
	for _, c := range changes {
		put(' ', old[at-1:c.Num-1])
		put('-', c.Removed)
		put('+', c.Added)
		at = end(c)
	}
	put(' ', old[at-1:to-1])
	newFrom := first.NewNum - (first.Num - from)
	if olds == 0 {
		from--
	}
	if news == 0 {
		newFrom--
	}
	fmt.Fprintf(b, "@@ -%d,%d +%d,%d @@\n%s", from, olds, newFrom, news, body.String())
}
