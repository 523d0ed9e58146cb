package faults

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest/djangotest"
)

// plan is a house whose upgrade edits many files: what each of them held at first, and
// what it holds after an undisturbed upgrade, with a word for each secret.
type plan struct {
	old, new map[string]string
	flag     string // that has the upgrade make it
	starts   bool   // the project starts before the upgrade, and so at every time
}

// incomplete are the committed files of a project that lacks the key everywhere.
var incomplete = map[string]string{
	".gitignore":               "__pycache__/\n*.sqlite3\n",
	"backend/.env.example":     "DEBUG=True\nSECRET_KEY=change-me\n",
	"compose.yml":              "services:\n  web:\n    image: shop\n    environment:\n      SECRET_KEY: ${SECRET_KEY}\n",
	".github/workflows/ci.yml": "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    env:\n      SECRET_KEY: for-the-tests\n    steps:\n      - run: python manage.py test\n",
}

// newPlanned lays out a house for a whole plan: several edits of .env and one of each kind
// of committed file.
func newPlanned(t *testing.T) *house {
	t.Helper()
	h := &house{program: keysplit, state: filepath.Join(t.TempDir(), "state"), plan: &plan{flag: "--fix"}}
	h.project = djangotest.New(t, djangotest.Options{Flavour: djangotest.Guide, Git: true,
		Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nDJANGO_ENV=development\nJWT_ACCESS_TOKEN_LIFETIME=60  # minutes\nLOCK_AFTER=10 # logins\n# the end"})
	for name, text := range incomplete {
		path := filepath.Join(h.project.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h.plan.old = h.files(t)
	return h
}

var anyKey = regexp.MustCompile(`JWT_SECRET_KEY=[A-Za-z0-9_-]{86}\n`)

// files is what every file of the project holds, with its mode and a word for each
// secret, which every house has its own of. The
// database and git's own are not looked at.
func (h *house) files(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(h.project.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() == ".git" || strings.Contains(d.Name(), ".sqlite3") {
			if err == nil && d.IsDir() {
				return fs.SkipDir
			}
			return err
		}
		if d.IsDir() {
			return nil
		}
		name, _ := filepath.Rel(h.project.Dir, path)
		text := string(anyKey.ReplaceAll(read(t, path), []byte("JWT_SECRET_KEY=<key>\n")))
		all[name] = ownerAndMode(t, path) + "\n" + strings.ReplaceAll(text, h.project.SecretKey, "<SECRET_KEY>")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// lookAtAll tells whether all files are the old ones or all the new ones, and what is wrong
// with one that is neither. Right after a kill some may be old and some new, and a
// temporary file may lie beside the one that was written.
func (h *house) lookAtAll(t *testing.T, killed bool) (content, []string) {
	t.Helper()
	var wrong []string
	old, changed := 0, 0
	now := h.files(t)
	for name, text := range now {
		was, there := h.plan.old[name]
		is, made := h.plan.new[name]
		switch {
		case there && text == was && made && was == is:
		case there && text == was:
			old++
		case made && text == is:
			changed++
		case !there && !made && killed && strings.Contains(name, ".keysplit-"):
		default:
			wrong = append(wrong, fmt.Sprintf("%s has %d bytes, neither the old version nor the new one", name, len(text)))
		}
	}
	for name := range h.plan.old {
		if _, there := now[name]; !there {
			wrong = append(wrong, name+" is gone")
		}
	}
	if h.plan.starts && killed {
		if out, err := h.project.Manage(t, nil, "check"); err != nil {
			wrong = append(wrong, "the project does not start:\n"+out)
		}
	}
	switch {
	case changed == 0:
		return isOld, wrong
	case old == 0:
		return isNew, wrong
	case !killed:
		wrong = append(wrong, fmt.Sprintf("%d files are old and %d new", old, changed))
	}
	return isNeither, wrong
}

// ends gives a house the files that an undisturbed upgrade ends with, which are found once.
func (p *plan) ends(begin func(*testing.T) *house) func(*testing.T) *house {
	return func(t *testing.T) *house {
		t.Helper()
		h := begin(t)
		if p.new == nil {
			first := begin(t)
			if e := first.run(t, false, first.upgrade()); e.code != 0 {
				t.Fatalf("undisturbed, exit %d: %s", e.code, e.out)
			}
			p.new = first.files(t)
		}
		h.plan.new = p.new
		return h
	}
}

// betweenFiles are the places between two files of a plan: right after the rename of each,
// the first and the last one in the short form.
func betweenFiles(all []point) []point {
	var out []point
	for i, pt := range all {
		if pt.call == "renameat2" && i+1 < len(all) {
			out = append(out, all[i+1])
		}
	}
	if len(out) > 2 && !long {
		out = []point{out[1], out[len(out)-2]}
	}
	return out
}

// A plan of several files that is killed at any call: each file is the old or the new one,
// the next upgrade makes what is left of it, and one rollback undoes all of both.
func TestAWholePlanKilledAtEveryCall(t *testing.T) {
	needStrace(t)
	made := &plan{}
	begin := made.ends(newPlanned)
	k := killing{begin: begin, command: (*house).upgrade, chosen: betweenFiles, few: true}
	first := begin(t)
	if len(changedOf(first.plan)) < 5 {
		t.Fatalf("the plan is of %q alone", changedOf(first.plan))
	}
	k.everywhere(t).report(t, "calls of a plan killed", 2)
}

// changedOf are the files that a plan changes.
func changedOf(p *plan) (names []string) {
	for name, text := range p.new {
		if p.old[name] != text {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// The control: a file that is neither the old nor the new one is found, and so is a plan of
// which a part is left.
func TestAPlanThatIsNotWholeIsFound(t *testing.T) {
	t.Attr("part", "controls that a fault is found")
	h := newPlanned(t)
	compose, ignore := filepath.Join(h.project.Dir, "compose.yml"), filepath.Join(h.project.Dir, ".gitignore")
	whole := read(t, compose)
	h.plan.new = map[string]string{}
	for name, text := range h.plan.old {
		h.plan.new[name] = text
	}
	h.plan.new["compose.yml"] += "more\n"
	h.plan.new[".gitignore"] += "more\n"
	for name, c := range map[string]struct {
		compose, ignore []byte
		killed          bool
		wrong           int
	}{
		"old":            {whole, read(t, ignore), false, 0},
		"a part, killed": {append(bytes.Clone(whole), "more\n"...), read(t, ignore), true, 0},
		"a part":         {append(bytes.Clone(whole), "more\n"...), read(t, ignore), false, 1},
		"torn":           {whole[:20], read(t, ignore), true, 1},
	} {
		if err := os.WriteFile(compose, c.compose, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, wrong := h.lookAtAll(t, c.killed); len(wrong) != c.wrong {
			t.Errorf("%s: %q", name, wrong)
		}
	}
}
