package envfile

import "fmt"

// Unset takes out every assignment of Name, in any spelling that Set knows, with all the
// lines of its value. No other variable may change by that in any reader in use. Where
// the name is not set, nothing is changed.
type Unset struct {
	Name string
}

func (op Unset) apply(d *draft) (*draft, error) {
	gone := newExemption(op.Name)
	var cuts []cut
	for i := 0; i < d.file().Len(); i++ {
		l := d.file().Line(i)
		if l.Kind != Assignment || l.Inside || l.Name != op.Name {
			continue
		}
		gone.line(&l)
		cuts = append(cuts, cut{at: i, n: l.Last - i})
		i = l.Last - 1
	}
	if len(cuts) == 0 {
		return d, nil
	}
	return d.choose(fmt.Sprintf("take out %s", op.Name), gone, d.with(cuts...))
}
