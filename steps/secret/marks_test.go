package secret

import (
	"crypto/sha256"
	"strings"
	"testing"
)

// A secret that only the settings know is known here by hashes of its pieces. What is
// left of a hash that was cut off is passed over.
func TestMarksHideWhatNobodyHereKnows(t *testing.T) {
	t.Parallel()
	var r Redactor
	const key, hidden = "session", "q7w-zr5-kt9-xv2"
	var sums []byte
	for i := range len(hidden) - window + 1 {
		sum := sha256.Sum256([]byte(key + hidden[i:i+window]))
		sums = append(sums, sum[:8]...)
	}
	if got := r.hide("it says " + hidden); !strings.Contains(got, hidden) {
		t.Fatalf("the control: %q", got)
	}
	r.LearnMarks(key, append(sums, 1, 2, 3))
	if got := r.hide("it says " + hidden); got != "it says ****" {
		t.Errorf("%q", got)
	}
}
