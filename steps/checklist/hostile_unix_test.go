//go:build unix

package checklist

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/sys/unix"

	"dj/keysplit/steps/finding"
)

func TestAHostileTreeIsReadSafely(t *testing.T) {
	t.Attr("part", "hostile trees")
	t.Parallel()
	h := newHouse(t)
	h.prove(good(), true)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, name string) { must(os.Symlink(target, h.path(name))) }
	link("loop.yml", "loop.yml")
	link(".", "around")
	link("/", "everything")
	link("/dev/zero", ".env.zero")
	link(".env.loop", ".env.loop")
	link("/dev/zero", "zero.yml")
	must(unix.Mkfifo(h.path(".env.pipe"), 0o600))
	must(unix.Mkfifo(h.path("pipe.yml"), 0o600))
	for _, name := range []string{".env.huge", "huge.yml"} {
		h.write(name, "SECRET_KEY=x\n")
		must(os.Truncate(h.path(name), 1<<30))
	}
	h.write("a\x1b[2J\nb`@all.yml", "SECRET_KEY: x\n")
	h.write("bad\xff\u202e.md", "SECRET_KEY=x\n")
	h.write("bytes.md", "\xff\xfe\x00SECRET_KEY=\xff\n")
	h.write("long.yml", strings.Repeat("SECRET_KEY ", 90_000))
	deep := h.run.Project.Root
	for range 150 {
		deep = filepath.Join(deep, "deep")
	}
	must(os.MkdirAll(deep, 0o755))
	must(os.WriteFile(filepath.Join(deep, ".env"), []byte("SECRET_KEY=x\n"), 0o600))

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	r := h.look()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("it took %d bytes of memory", used)
	}
	// The pipe, the loop, the link to a device, the huge file and the deep one.
	if it := r.Items[0]; it.State != Open || !strings.Contains(it.Reason, "(and 4 more)") {
		t.Errorf("item 1: %q", it.Reason)
	}
	if it := r.Items[6]; it.State != Open || !strings.Contains(it.Reason, "SECRET_KEY, but not") {
		t.Errorf("item 7: %q", it.Reason)
	}
	if !finding.Has(r.Findings, "docs-missing-key") || !finding.Has(r.Findings, "ci-missing-key") {
		t.Errorf("findings %v", r.Findings)
	}
	r.Team = r.TeamMessage()
	for form, text := range map[string]string{"Markdown": r.Markdown(), "text": r.Text(), "JSON": asJSON(t, r)} {
		for _, c := range text {
			if c != '\n' && (unicode.Is(unicode.Cc, c) || unicode.Is(unicode.Cf, c)) {
				t.Errorf("%s holds the control character %U", form, c)
			}
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "b`@all") || strings.HasPrefix(line, "b'@all") {
				t.Errorf("%s lets a name begin a line: %q", form, line)
			}
		}
	}
}

func TestAFolderThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root opens every folder")
	}
	h := newHouse(t)
	h.prove(good(), true)
	h.write("closed/x", "")
	if err := os.Chmod(h.path("closed"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(h.path("closed"), 0o700) })
	it := h.look().Items[0]
	if last := it.Evidence[len(it.Evidence)-1]; it.State != Done || !strings.HasSuffix(last.Text, "may not open it: closed") {
		t.Errorf("item 1 is %s: %+v", it.State, it.Evidence)
	}
}
