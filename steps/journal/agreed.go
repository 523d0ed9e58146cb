package journal

import "slices"

// Agree records that a person has agreed to a value, such as an address that
// credentials may go to. kind says what it is used for. Only a keyed fingerprint of
// both is kept: a command may hold a token. It holds for the journal's own project
// and environment.
func (j *Journal) Agree(kind, value string) error {
	if j.Agreed(kind, value) {
		return nil
	}
	return j.append(Entry{Kind: KindAgreed, ID: j.agreement(kind, value)})
}

// Agreed reports whether a person has agreed to this very value for this kind of use.
func (j *Journal) Agreed(kind, value string) bool {
	id := j.agreement(kind, value)
	return slices.ContainsFunc(j.entries, func(e Entry) bool { return e.Kind == KindAgreed && e.ID == id })
}

func (j *Journal) agreement(kind, value string) string {
	return j.prints.Sum([]byte("agreed\x00" + kind + "\x00" + value))
}
