package envfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// aclWithUser is "user::rw-,user:1000:rw-,group::r--,mask::rw-,other::---" as acl(5) and the kernel's
// posix_acl_xattr.h lay it out: a version, then tag, rights and id of each entry.
func aclWithUser() []byte {
	b := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range []struct {
		tag, perm uint16
		id        uint32
	}{{1, 6, 1<<32 - 1}, {2, 6, 1000}, {4, 4, 1<<32 - 1}, {0x10, 6, 1<<32 - 1}, {0x20, 0, 1<<32 - 1}} {
		b = binary.LittleEndian.AppendUint16(b, e.tag)
		b = binary.LittleEndian.AppendUint16(b, e.perm)
		b = binary.LittleEndian.AppendUint32(b, e.id)
	}
	return b
}

func setListOrSkip(t *testing.T, path, name string) {
	t.Helper()
	err := unix.Setxattr(path, name, aclWithUser(), 0)
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EPERM) {
		missingTool(t, "the file system of the temporary folder has no access lists", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestReplaceAndRevertKeepEverything(t *testing.T) {
	if os.Getuid() != 0 {
		missingTool(t, "needs root to give files away", errors.New("not root"))
	}
	p := newPlace(t, []byte("A=1\n"))
	if err := os.Chown(p.target, 1234, 1234); err != nil {
		t.Fatal(err)
	}
	setListOrSkip(t, p.target, aclName)
	before := p.open(t)
	if before.Mode != 0o660 || before.UID != 1234 || !bytes.Equal(before.ACL, aclWithUser()) {
		t.Fatalf("mode %v, owner %d, list %x", before.Mode, before.UID, before.ACL)
	}
	if _, err := p.replace(t, []byte("A=2\n")); err != nil {
		t.Fatal(err)
	}
	after := p.open(t)
	if !after.meta().equal(before.meta()) || after.number == before.number {
		t.Errorf("before %+v, after %+v", before.meta(), after.meta())
	}
	// Someone takes the mode, owner and list away; going back brings them back.
	in := p.only(t)
	if err := errors.Join(unix.Removexattr(p.target, aclName), os.Chown(p.target, 0, 0), os.Chmod(p.target, 0o600)); err != nil {
		t.Fatal(err)
	}
	out, err := Revert(context.Background(), in, p.ledger, p.opts, false)
	if err != nil || out.State != Replaced {
		t.Fatalf("%+v, %v", out, err)
	}
	p.holds(t, []byte("A=1\n"))
	if back := p.open(t); !back.meta().equal(before.meta()) {
		t.Errorf("before %+v, back %+v", before.meta(), back.meta())
	}
	p.clean(t)
}

// A folder with a default list hands it to every new file. A target without one must not gain one: with the group
// bits of its mode, it would let user 1000 in.
func TestReplaceGainsNoAccessList(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	if err := os.Chmod(p.target, 0o640); err != nil {
		t.Fatal(err)
	}
	setListOrSkip(t, p.house, "system.posix_acl_default")
	control := p.target + ".control"
	put(t, control, nil)
	f, err := os.Open(control)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if acl, err := readACL(f); err != nil || acl == nil {
		t.Fatalf("the control has no list, so this test proves nothing: %v", err)
	}
	if _, err := p.replace(t, []byte("A=2\n")); err != nil {
		t.Fatal(err)
	}
	if s := p.open(t); s.ACL != nil || s.Mode != 0o640 {
		t.Errorf("list %x, mode %v", s.ACL, s.Mode)
	}
}

func TestReplaceRefusesAListItCannotSet(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	f, err := os.OpenFile(p.target, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := p.open(t).meta()
	want.acl = []byte("no list at all")
	refusedWith(t, keepMeta(f, p.target, want), ReasonCannotKeep)
}
