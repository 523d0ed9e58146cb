//go:build linux && !keysplit_gopsutil

package process

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// identity is what makes two names one file, also where a container mounts it
// elsewhere.
type identity struct{ device, inode uint64 }

func identify(path string) (identity, error) {
	info, err := os.Stat(path) // #nosec G703 -- it only compares which file it is
	if err != nil {
		return identity{}, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, os.ErrInvalid
	}
	return identity{uint64(st.Dev), st.Ino}, nil //nolint:unconvert // another size on some platforms
}

// maxDepth is how far up a folder is followed.
const maxDepth = 40

// climb goes up from a folder to the first that is the project's or another project's.
// A virtual environment on the way says nothing: tools of all projects run from it.
func (v *view) climb(folder string, fromVenv bool) bond {
	last := identity{}
	for range maxDepth {
		at, err := identify(folder)
		if err != nil || at == last {
			return unknown
		}
		switch last = at; {
		case at == v.home:
			return ours
		case exists(folder + "/pyvenv.cfg"):
			if !fromVenv {
				return unknown
			}
		case exists(folder + "/manage.py"):
			return others
		}
		folder += "/.." // in the process's own tree, so no cleaning by text
	}
	return unknown
}

func exists(path string) bool {
	_, err := os.Stat(path) // #nosec G703 -- it only asks whether there is one
	return err == nil
}

// seenBy is a path as a process sees it.
func seenBy(pid int, path string) string {
	if filepath.IsAbs(path) {
		return procPath(pid, "root") + path
	}
	return procPath(pid, "cwd/") + path
}

// bondOf weighs what a process shows. Its script comes first, then a path among its
// arguments, its working folder, PYTHONPATH, the files that it holds open, and those
// that it has mapped.
func (v *view) bondOf(p running, pythonPath string, files []string) bond {
	script := false
	for _, word := range p.args[1:] {
		b := v.argument(p.pid, word, &script)
		if b == ours || b == others && script {
			return b
		}
	}
	if b := v.climb(procPath(p.pid, "cwd"), false); b != unknown {
		return b
	}
	for _, folder := range filepath.SplitList(pythonPath) {
		if b := v.climb(seenBy(p.pid, folder), false); b != unknown {
			return b
		}
	}
	for _, name := range files {
		if v.climb(seenBy(p.pid, filepath.Dir(name)), false) == ours {
			return ours
		}
	}
	if len(p.sockets) > 0 && v.mapped(p.pid) {
		return ours
	}
	return unknown
}

// argument looks for a path in one argument: a script, --chdir=DIR, unix:PATH. script
// becomes true with the first file, which is what Python runs.
func (v *view) argument(pid int, word string, script *bool) bond {
	if _, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(word, "-") {
		word = value
	}
	word = strings.TrimPrefix(word, "unix:")
	if strings.HasPrefix(word, "-") || !strings.Contains(word, "/") && !strings.HasSuffix(word, ".py") || len(word) > 4096 {
		return unknown
	}
	at := seenBy(pid, word)
	info, err := os.Stat(at)
	switch {
	case err != nil:
		return unknown
	case info.IsDir():
		if b := v.climb(at, false); b == ours {
			return ours
		}
		return unknown
	}
	first := !*script
	*script = true
	if b := v.climb(seenBy(pid, filepath.Dir(word)), false); b == ours || first {
		return b
	}
	return unknown
}

// mapped reports whether a library that the process has mapped lies in the project, as
// in its virtual environment.
func (v *view) mapped(pid int) bool {
	maps, _ := os.ReadFile(procPath(pid, "maps")) // what may not be read shows nothing
	seen := map[string]bool{}
	for _, line := range strings.Split(string(maps), "\n") {
		at := strings.IndexByte(line, '/')
		if at < 0 {
			continue
		}
		folder := filepath.Dir(line[at:])
		if !seen[folder] && v.climb(seenBy(pid, folder), true) == ours {
			return true
		}
		seen[folder] = true
	}
	return false
}
