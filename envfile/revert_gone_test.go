package envfile

import (
	"context"
	"os"
	"testing"
)

// What has become a folder is no file to go back to: nothing is done, and that is said.
func TestRevertOfWhatIsNoFileAnyMore(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	if _, err := p.replace(t, []byte("A=2\n")); err != nil {
		t.Fatal(err)
	}
	made(t, "", os.Remove(p.target))
	made(t, "", os.Mkdir(p.target, 0o700))
	for _, force := range []bool{false, true} {
		if out, err := Revert(context.Background(), p.only(t), p.ledger, p.opts, force); err == nil || out.State != Unchanged {
			t.Errorf("force %t: %+v, %v", force, out, err)
		}
	}
	if info, err := os.Lstat(p.target); err != nil || !info.IsDir() {
		t.Errorf("%v", err)
	}
}
