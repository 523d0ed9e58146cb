package preflight

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/sys/shell"
)

// SeveralError is several Django projects and nothing that says which one is meant. It
// is wrong usage, and names a --project for each.
type SeveralError struct {
	Folders []string // absolute, in order
	Below   string   // the folder that they are in, absolute
}

func (e *SeveralError) Error() string {
	lines := []string{fmt.Sprintf("there are %d Django projects below %s. Name one of them:", len(e.Folders), e.Below)}
	for _, folder := range e.Folders {
		lines = append(lines, "  "+shell.Join("--project", steps.FromHere(folder)))
	}
	return strings.Join(lines, "\n")
}

// Unwrap makes it a *steps.UsageError.
func (e *SeveralError) Unwrap() error { return steps.ErrUsage }

// How many folders below the one that it starts from a project is looked for.
const (
	levelsInGit = 4
	levelsElse  = 1 // without a work tree nothing says where the project ends
)

// findProject looks for a Django manage.py in the folder, in the folders above
// it up to the top of the git work tree, and then, from the inside out, in the
// folders below these. It sets Root, TopLevel and ManagePy. The error of several
// projects is a *SeveralError.
func findProject(folder string) (*steps.Project, error) {
	start, err := filepath.Abs(folder)
	if err == nil {
		start, err = filepath.EvalSymlinks(start)
	}
	if err != nil {
		return nil, notFound(fmt.Sprintf("The folder %s cannot be opened.", folder))
	}
	if info, err := os.Stat(start); err == nil && !info.IsDir() {
		start = filepath.Dir(start)
	}
	top := gitTop(start)
	levels := []string{}
	for dir := start; ; dir = filepath.Dir(dir) {
		levels = append(levels, dir)
		if dir == top || dir == filepath.Dir(dir) {
			break
		}
	}
	for _, dir := range levels {
		if isManaged(dir) {
			return projectAt(dir, top)
		}
	}
	depth := levelsInGit
	if top == "" {
		// The sub folders of a home folder are other people's projects.
		levels, depth = levels[:1], levelsElse
	}
	s := search{seen: map[string]bool{}}
	for _, dir := range levels {
		if s.below(dir, depth); len(s.own) > 0 {
			return oneOf(s.own, dir, top)
		}
	}
	if len(s.aside) > 0 {
		return oneOf(s.aside, levels[len(levels)-1], top)
	}
	return nil, notFound("")
}

func oneOf(folders []string, below, top string) (*steps.Project, error) {
	if len(folders) == 1 {
		return projectAt(folders[0], top)
	}
	slices.Sort(folders)
	return nil, &SeveralError{Folders: folders, Below: below}
}

// Root is the folder of the project that is found from the given one, "" for the
// current one, and the top of its work tree. Both are absolute, and both "" where
// there is no project. The error is a *SeveralError.
func Root(folder string) (root, top string, err error) {
	p, err := findProject(folder)
	if several := (*SeveralError)(nil); errors.As(err, &several) {
		return "", "", several
	}
	if err != nil {
		return "", "", nil
	}
	return p.Root, p.TopLevel, nil
}

// levelsBelow is how deep Below looks.
const levelsBelow = 3

// Below lists folders with a project below the given one, "" for the current one: at most
// so many, the nearest first.
func Below(folder string, most int) []string {
	start, err := filepath.Abs(folder)
	if err != nil {
		return nil
	}
	s := search{seen: map[string]bool{}}
	s.below(start, levelsBelow)
	return s.own[:min(most, len(s.own))]
}

// projectAt is newProject for a folder that was found. One that the journal could not tell
// from another is refused: JSON holds text alone.
func projectAt(root, top string) (*steps.Project, error) {
	if !utf8.ValidString(root) {
		return nil, notFound(fmt.Sprintf("The name of the folder %q is not UTF-8, so keysplit cannot work there. Rename it.", root))
	}
	return newProject(root, top), nil
}

func newProject(root, top string) *steps.Project {
	if top == "" {
		top = root
	}
	return &steps.Project{Root: root, TopLevel: top, ManagePy: filepath.Join(root, "manage.py")}
}

func notFound(message string) error {
	return steps.CannotLook("%w", steps.Fail(finding.New(finding.ProjectNotFound, message)))
}

// gitTop is the nearest folder, from dir up, that git keeps its data in, or "".
// A work tree made by git worktree, and a submodule, have a file of that name.
func gitTop(dir string) string {
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// maxFolders bounds how many folders one search opens.
const maxFolders = 20_000

// search looks for projects in folders below others.
type search struct {
	own   []string // what it found
	aside []string // of these, what lies in a folder of tests, examples, packages or templates
	seen  map[string]bool
}

// below looks in the folders up to so many levels below one. A project is not looked
// into: what it has in it is its own. No link is followed.
func (s *search) below(dir string, levels int) {
	type folder struct {
		path  string
		aside bool
	}
	open := []folder{{dir, false}}
	for range levels + 1 {
		var next []folder
		for _, f := range open {
			if s.seen[f.path] || len(s.seen) >= maxFolders {
				continue
			}
			s.seen[f.path] = true
			if isManaged(f.path) {
				if f.aside {
					s.aside = append(s.aside, f.path)
				} else {
					s.own = append(s.own, f.path)
				}
				continue
			}
			entries, _ := os.ReadDir(f.path)
			for _, e := range entries {
				if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
					next = append(next, folder{filepath.Join(f.path, e.Name()), f.aside || isAside(e.Name())})
				}
			}
		}
		open = next
	}
}

// aside are the words in the name of a folder whose projects are not the one that is
// run: they test, show or are copied.
var aside = lazyregexp.New(`(?i)[{}%]|(?:^|[-_.])(?:tests?|testing|test_?(?:project|app|site)|e2e|fixtures?|examples?|samples?|demos?|docs?|` +
	`tutorials?|benchmarks?|templates?|cookiecutters?|skeletons?|node_modules|vendor|third_?party|site-packages|__pycache__)(?:$|[-_.])`)

func isAside(name string) bool { return aside.MatchString(name) }

// ofDjango is what Django's manage.py has in it, in whatever way its settings are
// made. Flask-Script and others have a file of that name too.
var ofDjango = lazyregexp.New(`\bdjango\b|\bDJANGO_(?:SETTINGS_MODULE|CONFIGURATION)\b|\bexecute_from_command_line\b|\bconfigurations\.management\b`)

// isManaged reports whether there is a manage.py of Django's in a folder. One that
// only calls a module beside it is what that module is.
func isManaged(dir string) bool {
	manage := newSource(filepath.Join(dir, "manage.py"))
	if manage.text == "" {
		return false
	}
	if ofDjango.MatchString(manage.text) {
		return true
	}
	return slices.ContainsFunc(besideManage(dir, manage), func(s source) bool { return ofDjango.MatchString(s.text) })
}

// besideManage are the modules of the project that manage.py imports.
func besideManage(dir string, manage source) (all []source) {
	t := follower{root: dir}
	for _, m := range importFrom.FindAllStringSubmatch(manage.text, -1) {
		for _, path := range t.imported(manage, m[1], m[2], m[3]) {
			all = append(all, newSource(path))
		}
	}
	return all
}

// maxSource bounds a source file, in bytes; a larger one is not read at all.
const maxSource = 1 << 20

// readSome returns a regular file of moderate size, nil for anything else.
func readSome(path string) []byte {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSource {
		return nil
	}
	data, _ := os.ReadFile(path)
	return data
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func isPipe(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
