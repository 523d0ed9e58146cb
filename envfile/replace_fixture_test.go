package envfile

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dirLedger is a Ledger in a folder: each entry is one file, made durable before the method returns.
type dirLedger struct{ dir string }

func (l dirLedger) put(name string, data []byte) error {
	f, err := os.OpenFile(filepath.Join(l.dir, name+".new"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	// Closed before the rename: Windows renames no open file.
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(l.dir, name))
}

func (l dirLedger) Keep(_ string, data []byte) (string, error) {
	id := "kept-" + rand.Text()
	return id, l.put(id, data)
}

func (l dirLedger) Kept(id string) ([]byte, error) { return os.ReadFile(filepath.Join(l.dir, id)) }

func (l dirLedger) Begin(in Intent) error {
	data, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return l.put("intent-"+in.ID, data)
}

func (l dirLedger) Finish(in Intent, out Outcome) error {
	data, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return l.put("end-"+in.ID, data)
}

// intents lists everything that was begun; with unfinished, only what has no end.
func (l dirLedger) intents(unfinished bool) ([]Intent, error) {
	names, err := filepath.Glob(filepath.Join(l.dir, "intent-*"))
	if err != nil {
		return nil, err
	}
	var all []Intent
	for _, name := range names {
		if strings.HasSuffix(name, ".new") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var in Intent
		if err := json.Unmarshal(data, &in); err != nil {
			return nil, err
		}
		if _, err := os.Stat(filepath.Join(l.dir, "end-"+in.ID)); unfinished && err == nil {
			continue
		}
		all = append(all, in)
	}
	return all, nil
}

func testSum(data []byte) string {
	mac := hmac.New(sha256.New, []byte("a key for tests only"))
	mac.Write(data)
	return hex.EncodeToString(mac.Sum(nil))
}

// place is a folder with one target, and another with the ledger and the locks.
type place struct {
	house, target string
	ledger        dirLedger
	opts          Options
}

func placeAt(dir string) place {
	return place{
		house: filepath.Join(dir, "house"), target: filepath.Join(dir, "house", ".env"),
		ledger: dirLedger{filepath.Join(dir, "ledger")},
		opts:   Options{LockDir: filepath.Join(dir, "locks"), LockWait: 20 * time.Second, Fingerprint: testSum},
	}
}

// newPlace makes a place; the target holds old, or does not exist when old is nil.
func newPlace(t testing.TB, old []byte) place {
	t.Helper()
	p := placeAt(t.TempDir())
	for _, dir := range []string{p.house, p.ledger.dir} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if old != nil {
		put(t, p.target, old)
	}
	return p
}

func (p place) open(t testing.TB) *Snapshot {
	t.Helper()
	s, err := Open(p.target)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (p place) replace(t testing.TB, data []byte) (Outcome, error) {
	t.Helper()
	return Replace(context.Background(), p.open(t), data, p.ledger, p.opts)
}

// replaceSoon is replace, and fails when that waits for something.
func (p place) replaceSoon(t testing.TB, data []byte) (out Outcome, err error) {
	t.Helper()
	done := make(chan struct{})
	snap := p.open(t)
	go func() {
		defer close(done)
		out, err = Replace(context.Background(), snap, data, p.ledger, p.opts)
	}()
	select {
	case <-done:
		return out, err
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for something")
		return out, err
	}
}

// only gives the one intent that the ledger holds.
func (p place) only(t testing.TB) Intent {
	t.Helper()
	all, err := p.ledger.intents(false)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d intents in the ledger, error %v; want 1", len(all), err)
	}
	return all[0]
}

// clean fails unless the target is alone in its folder.
func (p place) clean(t testing.TB, want ...string) {
	t.Helper()
	if want == nil {
		want = []string{".env"}
	}
	if got := listing(t, p.house); !slices.Equal(got, want) {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}

func (p place) holds(t testing.TB, want []byte) {
	t.Helper()
	got, err := os.ReadFile(p.target)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the file has %d bytes that are not the %d expected", len(got), len(want))
	}
}

func listing(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func put(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func refusedWith(t testing.TB, err error, want Reason) {
	t.Helper()
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Reason != want {
		t.Fatalf("error %v, want a refusal with reason %q", err, want)
	}
	if _, ok := refusals[refused.Reason]; !ok || strings.Contains(refused.Error(), "\n") {
		t.Errorf("the refusal %q is no sentence", refused)
	}
}

// missingTool skips a test loudly, or fails it where every tool is required.
func missingTool(t testing.TB, what string, err error) {
	t.Helper()
	if os.Getenv("KEYSPLIT_REQUIRE_TOOLS") == "1" {
		t.Fatalf("NOT TESTED: %s: %v", what, err)
	}
	t.Skipf("NOT TESTED: %s: %v", what, err)
}

// The test binary runs itself as another process in the role that this variable names.
const roleVar, placeVar = "KEYSPLIT_ENVFILE_ROLE", "KEYSPLIT_ENVFILE_PLACE"

func init() {
	role := os.Getenv(roleVar)
	if role == "" {
		return
	}
	// One thread makes every system call, so that strace can count them.
	runtime.LockOSThread()
	if err := play(role, placeAt(os.Getenv(placeVar))); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// roleCommand is the test binary in a role at a place.
func roleCommand(t testing.TB, role string, p place) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleVar+"="+role, placeVar+"="+filepath.Dir(p.house))
	return cmd
}

// marker is a file that does not exist. A role opens it to show in the trace where its work begins.
const marker = "/keysplit-begin"

func play(role string, p place) error {
	ctx := context.Background()
	name, arg, _ := strings.Cut(role, ":")
	switch name {
	case "replace", "careless", "careless-owner", "careless-outcome":
		data, err := os.ReadFile(filepath.Join(filepath.Dir(p.house), "new"))
		if err != nil {
			return err
		}
		_, _ = syscall.Open(marker, syscall.O_RDONLY, 0)
		return playWriter(ctx, name, p, data)
	case "recover":
		_, _ = syscall.Open(marker, syscall.O_RDONLY, 0)
		return recoverAll(p)
	case "revert":
		all, err := p.ledger.intents(false)
		if err != nil || len(all) != 1 {
			return fmt.Errorf("%d intents: %w", len(all), err)
		}
		_, _ = syscall.Open(marker, syscall.O_RDONLY, 0)
		out, err := Revert(ctx, all[0], p.ledger, p.opts, false)
		fmt.Println("state:", out.State)
		return err
	case "append":
		for i := range 5 {
			if err := appendLine(p, fmt.Sprintf("K_%s_%d=1\n", arg, i)); err != nil {
				return err
			}
		}
		return nil
	case "hold":
		l, err := acquire(ctx, p.opts.LockDir, p.target, p.target, 0)
		if err != nil {
			return err
		}
		defer l.release()
		fmt.Println("held")
		_, _ = os.Stdin.Read(make([]byte, 1)) // until the parent closes it
		return nil
	case "nobody":
		return playNobody(ctx, p)
	}
	return errors.New("no such role")
}

func playWriter(ctx context.Context, role string, p place, data []byte) error {
	switch role {
	case "careless": // what many programs do: cut the file, then write it
		defer fmt.Println("written")
		return os.WriteFile(p.target, data, 0o600)
	case "careless-owner": // atomic, and blind for owner and mode
		defer fmt.Println("written") // one more call, at which the harness sees what is there after the rename
		temp := p.target + ".tmp"
		if err := os.WriteFile(temp, data, 0o600); err != nil {
			return err
		}
		return os.Rename(temp, p.target)
	case "careless-outcome": // does not look at what became of it
		_ = os.WriteFile(p.target, data, 0o600)
		fmt.Println("state:", Replaced)
		return nil
	}
	snap, err := Open(p.target)
	if err != nil {
		return err
	}
	out, err := Replace(ctx, snap, data, p.ledger, p.opts)
	fmt.Println("state:", out.State)
	return err
}

// recoverAll does what a program does at its start: it recovers whatever was not finished.
func recoverAll(p place) error {
	open, err := p.ledger.intents(true)
	if err != nil {
		return err
	}
	for _, in := range open {
		out, err := Recover(context.Background(), in, p.ledger, p.opts)
		if err != nil {
			return fmt.Errorf("recover, %s: %w", out.State, err)
		}
	}
	return nil
}

// appendLine adds a line to the target, and tries again when another one was faster.
func appendLine(p place, line string) error {
	for {
		snap, err := Open(p.target)
		if err != nil {
			return err
		}
		data := append(slices.Clone(snap.Data), line...)
		_, err = Replace(context.Background(), snap, data, p.ledger, p.opts)
		var refused *RefusedError
		if errors.As(err, &refused) && refused.Reason == ReasonChanged {
			continue
		}
		return err
	}
}
