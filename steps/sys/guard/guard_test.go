package guard

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestAPanicBecomesAnError(t *testing.T) {
	t.Attr("part", "goroutines that nothing guards")
	got := make(chan error, 1)
	Go(func() { panic("on purpose") }, func(err error) { got <- err })
	if err := <-got; !errors.Is(err, Err) || !strings.Contains(err.Error(), "on purpose") {
		t.Errorf("got %v", err)
	}
	done := make(chan bool)
	Go(func() { close(done) }, func(error) { t.Error("failed without a panic") })
	<-done
}

// plain is a goroutine that nothing guards.
var plain = regexp.MustCompile(`(?m)^\s*go [\w.]+\(|\b(?:wg|group|g)\.Go\(`)

// No other goroutine is started anywhere in the product.
func TestEveryGoroutineIsGuarded(t *testing.T) {
	t.Attr("part", "goroutines that nothing guards")
	seen := 0
	root := os.DirFS(filepath.Join("..", "..", ".."))
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (path == "ui/internal/ptytest" || path == "ui/internal/faults" || path == "steps/stepstest/djangotest" || path == "steps/stepstest"):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || path == "steps/sys/guard/guard.go":
			return nil
		}
		text, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		for _, at := range plain.FindAllString(string(text), -1) {
			// envfile knows nothing of steps, and its readers are pure.
			if path != "envfile/edit.go" {
				t.Errorf("%s: %s", path, strings.TrimSpace(at))
			}
		}
		seen += strings.Count(string(text), "guard.Go(")
		return nil
	})
	if err != nil || seen < 10 {
		t.Errorf("%d goroutines were seen, %v", seen, err)
	}
}
