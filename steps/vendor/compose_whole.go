package vendor

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/sys/file"
)

const (
	maxLoaded  = 100 // files of one load: links and folders can give one file ever longer names
	maxExtends = 20  // services that one extends, which may do so in a circle
)

// composeLoad is one load of compose files, with what each includes and then extends, as
// compose does (docs.docker.com/reference/compose-file/include and extends). Each file is
// read once: they may take in each other in a circle. What cannot be followed stays as it is
// written: an address, a path with a variable in it, a file that is not there.
type composeLoad map[composeAt]*composeFile // nil: being read, or it cannot be

// composeAt is a compose file, and the folder that paths in it count from.
type composeAt struct{ dir, path string }

var errNotFollowed = errors.New("it cannot be followed")

// all reads compose files, of which a later one wins.
func (l composeLoad) all(dir string, paths ...string) (whole composeFile, err error) {
	for _, path := range paths {
		at := composeAt{dir, path}
		f, err := l.file(at)
		if err != nil {
			return whole, err
		}
		services := map[string]service{}
		for name := range f.Services {
			services[name] = l.extended(at, name, 0)
		}
		whole = whole.with(composeFile{Services: services, Include: f.Include})
	}
	return whole, nil
}

// file is a compose file with what it includes.
func (l composeLoad) file(at composeAt) (composeFile, error) {
	if f, known := l[at]; f != nil {
		return *f, nil
	} else if known || len(l) >= maxLoaded {
		return composeFile{}, errNotFollowed
	}
	l[at] = nil
	data, err := file.ReadSmall(at.path)
	if err != nil {
		return composeFile{}, err
	}
	f, err := parseComposeFile(data)
	if err != nil {
		return composeFile{}, err
	}
	for name, s := range f.Services {
		f.Services[name] = s.in(at.dir)
	}
	l.include(&f, at.dir)
	l[at] = &f
	return f, nil
}

// isFixed reports whether a path is that of a file here, whatever the environment.
func isFixed(path string) bool {
	return path != "" && !strings.ContainsAny(path, "$") && !strings.Contains(path, "://")
}

// in is a service whose paths count from a folder, with whole ones.
func (s service) in(dir string) service {
	from := func(path string) string {
		if isFixed(path) || strings.IndexByte(path, '$') > 0 && !strings.Contains(path, "://") {
			return file.From(dir, path)
		}
		return path
	}
	var files []any
	for _, path := range envFiles(s) {
		files = append(files, from(path))
	}
	s.EnvFile = files
	switch build := s.Build.(type) {
	case string:
		s.Build = from(build)
	case map[string]any:
		build = maps.Clone(build)
		build["context"] = from(s.context())
		s.Build = build
	}
	return s
}

// include takes in the services of the files that a file includes, which are those of
// another project: their variables are filled in from its .env where this one's has none.
func (l composeLoad) include(f *composeFile, dir string) {
	entries, isList := f.Include.([]any)
	if !isList {
		return
	}
	f.Include = nil
	for _, entry := range entries {
		long, _ := entry.(map[string]any)
		paths, fills, folder := texts(entry), texts(long["env_file"]), ""
		if long != nil {
			paths = texts(long["path"])
			folder, _ = long["project_directory"].(string)
		}
		for _, all := range [][]string{paths, fills} {
			for i, path := range all {
				if isFixed(path) {
					all[i] = file.From(dir, path)
				}
			}
		}
		if folder != "" {
			folder = file.From(dir, folder)
		} else if len(paths) > 0 {
			folder = filepath.Dir(paths[0])
		}
		if len(fills) == 0 {
			fills = []string{filepath.Join(folder, ".env")}
		}
		other, err := l.all(folder, paths...)
		if err != nil || len(paths) == 0 || other.Include != nil {
			f.Include = entries // not all of it is known
		}
		for name, s := range other.Services {
			s.fills = slices.Concat(s.fills, fills)
			if _, own := f.Services[name]; !own {
				f.Services[name] = s
			}
		}
	}
}

// texts are a text, or those in a list.
func texts(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v {
			all = append(all, texts(one)...)
		}
	}
	return all
}

// extended is a service of a file with what it extends, itself extended by so many. Where
// that cannot be found it still has what it extends.
func (l composeLoad) extended(at composeAt, name string, by int) service {
	f, _ := l.file(at)
	s := f.Services[name]
	of, _ := s.Extends.(string)
	if long, isLong := s.Extends.(map[string]any); isLong {
		of, _ = long["service"].(string)
		if path, other := long["file"].(string); other && isFixed(path) {
			path = file.From(at.dir, path)
			at = composeAt{filepath.Dir(path), path}
			f, _ = l.file(at)
		} else if other {
			return s
		}
	}
	if _, found := f.Services[of]; !found || of == "" || by == maxExtends {
		return s
	}
	s.Extends = nil
	return l.extended(at, of, by+1).with(s)
}

// filledIn are paths with the values of the variables in them, as far as these have any:
// of this process, of the files that fill in variables, and else their defaults.
func (s service) filledIn(run *steps.Run, dir string, paths []string) []string {
	for i, path := range paths {
		paths[i] = withDefault.ReplaceAllStringFunc(path, func(part string) string {
			m := withDefault.FindStringSubmatch(part)
			name := m[1] + m[4]
			value, set := run.LookupEnv(name)
			for _, fills := range slices.Backward(s.filledBy(dir)) {
				if data, err := file.ReadSmall(fills); err == nil && !set {
					value, set, _ = envfile.Lookup(envfile.Compose, data, name, run.LookupEnv) // what cannot be read fills in nothing
				}
			}
			switch {
			case set && (value != "" || m[2] == "-"):
				return value
			case m[2] != "":
				return m[3]
			}
			return part
		})
	}
	return paths
}

// withDefault is a variable in a path: ${NAME}, ${NAME:-default}, ${NAME-default}, $NAME.
var withDefault = lazyregexp.New(`\$(?:\{(\w+)(?:(:?-)([^${}]*))?\}|(\w+))`)

// filledBy are the files that ${variables} of a service of a compose file in a folder are
// filled in from; a later one wins.
func (s service) filledBy(dir string) []string {
	return append(slices.Clone(s.fills), filepath.Join(dir, ".env"))
}
