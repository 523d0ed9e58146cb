package envfile

import (
	"bytes"
	"errors"
	"fmt"
)

// Change is a file before and after an edit.
type Change struct {
	Old, New []byte
	Diff     []LineDiff // in order; empty where Old and New are alike
}

// LineDiff is one run of lines that an edit took out, put in, or both. Between
// two of them, before the first and after the last, no byte differs.
type LineDiff struct {
	// Num is the 1-based number in Old of the first line of Removed. Where
	// nothing is removed, it is that of the line before which Added goes,
	// which is one more than there are lines when it goes to the end.
	Num int
	// NewNum is the same for Added in New.
	NewNum int
	// Removed and Added are whole lines with their line ends.
	Removed, Added [][]byte
	// FinalNewline reports whether this is nothing but the newline that the last
	// line of Old lacked: Removed and Added hold that line, without and with.
	FinalNewline bool
}

func newChange(old []byte, d *draft) Change {
	c := Change{Old: old, New: d.data}
	if bytes.Equal(c.Old, c.New) {
		c.New = old
		return c
	}
	before, after, num, newNum := old, d.data, 1, 1 // what is not dealt with yet, and where it begins
	var removed, added [][]byte
	flush := func() {
		c.add(removed, num-len(removed), added, newNum-len(added))
		removed, added = nil, nil
	}
	for _, p := range d.origin {
		for ; num < p.from; num++ {
			removed = append(removed, cutLine(&before))
		}
		for range p.n {
			raw := cutLine(&after)
			if p.from == 0 || !bytes.Equal(raw, before[:lineLength(before)]) {
				added, newNum = append(added, raw), newNum+1
				continue
			}
			flush()
			before, num, newNum = before[len(raw):], num+1, newNum+1
		}
	}
	for ; len(before) > 0; num++ {
		removed = append(removed, cutLine(&before))
	}
	flush()
	return c
}

// add appends one run of changed lines. A newline that the last of them lacked
// becomes a run of its own.
func (c *Change) add(removed [][]byte, num int, added [][]byte, newNum int) {
	for j := range added {
		if n := len(removed) - 1; n >= 0 && onlyNewline(removed[n], added[j]) {
			c.run(LineDiff{num, newNum, removed[:n], added[:j], false})
			c.run(LineDiff{num + n, newNum + j, removed[n:], added[j : j+1], true})
			c.run(LineDiff{num + n + 1, newNum + j + 1, nil, added[j+1:], false})
			return
		}
	}
	c.run(LineDiff{num, newNum, removed, added, false})
}

func (c *Change) run(d LineDiff) {
	if len(d.Removed)+len(d.Added) > 0 {
		c.Diff = append(c.Diff, d)
	}
}

// onlyNewline reports whether b is a, which has no line end, with one.
func onlyNewline(a, b []byte) bool {
	end := lineEnd(b)
	return len(end) > 0 && len(lineEnd(a)) == 0 && bytes.Equal(a, b[:len(b)-len(end)])
}

var errDiff = errors.New("the file differs outside the lines that were to change")

// Verify proves, from Old, New and Diff alone, that every byte outside the
// changed lines is the same. A newline that was added to the last line of Old
// counts as a change of its own, see LineDiff.FinalNewline.
func (c Change) Verify() error {
	old, rest, num, newNum := c.Old, c.New, 1, 1
	for _, d := range c.Diff {
		for ; num < d.Num; num, newNum = num+1, newNum+1 {
			n := lineLength(old)
			if n == 0 || !bytes.HasPrefix(rest, old[:n]) {
				return fmt.Errorf("line %d: %w", num, errDiff)
			}
			old, rest = old[n:], rest[n:]
		}
		if num != d.Num || newNum != d.NewNum {
			return fmt.Errorf("line %d: %w", num, errDiff)
		}
		for _, line := range d.Removed {
			if !bytes.Equal(line, old[:lineLength(old)]) {
				return fmt.Errorf("line %d: %w", num, errDiff)
			}
			old, num = old[len(line):], num+1
		}
		for _, line := range d.Added {
			if !bytes.HasPrefix(rest, line) {
				return fmt.Errorf("line %d of the result: %w", newNum, errDiff)
			}
			rest, newNum = rest[len(line):], newNum+1
		}
		if d.FinalNewline && (len(d.Removed) != 1 || len(d.Added) != 1 || !onlyNewline(d.Removed[0], d.Added[0])) {
			return fmt.Errorf("line %d: more than a final newline changed", d.Num)
		}
	}
	if !bytes.Equal(old, rest) {
		return fmt.Errorf("from line %d on: %w", num, errDiff)
	}
	return nil
}
