package preflight

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// findProject looks for a Django manage.py in the folder, in the folders above
// it up to the top of the git work tree, and then, from the inside out, in the
// direct sub folders of these. It sets Root, TopLevel and ManagePy.
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
		if isManage(filepath.Join(dir, "manage.py")) {
			return newProject(dir, top), nil
		}
	}
	if top == "" {
		// Without a work tree nothing says where the project ends, and the
		// sub folders of a home folder are other people's projects.
		levels = levels[:1]
	}
	for _, dir := range levels {
		switch below := managedFolders(dir); len(below) {
		case 0:
		case 1:
			return newProject(below[0], top), nil
		default:
			return nil, notFound(fmt.Sprintf("There are %d Django projects below %s: %s.", len(below), dir, names(below)))
		}
	}
	return nil, notFound("")
}

// Root is the folder of the project that is found from the given one, "" for the
// current one, and the top of its work tree. Both are absolute, and both "" where
// there is no project.
func Root(folder string) (root, top string) {
	p, err := findProject(folder)
	if err != nil {
		return "", ""
	}
	return p.Root, p.TopLevel
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

// isManage tells whether a file is Django's manage.py. Flask-Script and others
// have one of that name too.
func isManage(path string) bool {
	return bytes.Contains(readSome(path), []byte("django"))
}

// managedFolders lists the direct sub folders that hold a manage.py.
func managedFolders(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if sub := filepath.Join(dir, e.Name()); isFolder(sub) && isManage(filepath.Join(sub, "manage.py")) {
			out = append(out, sub)
		}
	}
	sort.Strings(out)
	return out
}

func names(folders []string) string {
	var out []string
	for _, f := range folders {
		out = append(out, filepath.Base(f))
	}
	return strings.Join(out, ", ")
}

// maxSource bounds a source file, in bytes; a larger one is not read at all.
const maxSource = 1 << 20

// readSome returns a regular file of moderate size, nil for anything else.
func readSome(path string) []byte {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSource {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
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
