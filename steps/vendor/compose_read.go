package vendor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"dj/keysplit/steps"
	"dj/keysplit/steps/tool"
)

// override is the override file beside a compose file, "" for none.
func override(path string) string {
	if !slices.Contains(usualFiles, filepath.Base(path)) {
		return ""
	}
	for _, name := range overrides {
		beside := filepath.Join(filepath.Dir(path), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside
		}
	}
	return ""
}

// askCompose has Docker Compose itself say what a file comes to. It is asked for no
// value: variables stay as they are written, and no env_file is read.
func askCompose(ctx context.Context, run *steps.Run, path string) (composeFile, bool) {
	if run.Options.Static {
		return composeFile{}, false
	}
	args := []string{"compose", "--file", path}
	if over := override(path); over != "" {
		args = append(args, "--file", over)
	}
	// A compose file can include others by a URL, which compose would fetch; a look
	// fetches nothing.
	docker := tool.Program{Name: "docker", Dir: filepath.Dir(path), Env: []string{"COMPOSE_EXPERIMENTAL_GIT_REMOTE=false", "COMPOSE_EXPERIMENTAL_OCI_REMOTE=false"}}
	res, err := docker.Try(ctx, run, nil, append(args, "config", "--no-interpolate", "--no-env-resolution")...)
	if err != nil || res.Code != 0 || res.Truncated {
		return composeFile{}, false // no such program, or one without these flags
	}
	file, err := parseComposeFile(res.Stdout)
	own, _ := readCompose(path)
	for name, s := range file.Services {
		s.Extends, s.fills = nil, own.Services[name].fills // followed, if a version leaves it there; and not said
		file.Services[name] = s
	}
	return file, err == nil
}

// readCompose reads a compose file and its override, with what they take in from others.
func readCompose(path string) (composeFile, error) {
	whole, err := composeLoad{}.all(filepath.Dir(path), slices.DeleteFunc([]string{path, override(path)}, func(p string) bool { return p == "" })...)
	if err == nil && len(whole.Services) == 0 && whole.Include == nil {
		err = errors.New("it has no services")
	}
	return whole, err
}

// with puts an override over a file.
func (f composeFile) with(over composeFile) composeFile {
	if f.Services == nil {
		f.Services = map[string]service{}
	}
	for name, o := range over.Services {
		f.Services[name] = f.Services[name].with(o)
	}
	if over.Include != nil {
		f.Include = over.Include
	}
	return f
}

// with puts a service over another one: of an entry of environment and of an env_file the
// later one wins.
func (s service) with(over service) service {
	s.Environment = slices.Concat(entries(s.Environment), entries(over.Environment))
	var files []any
	for _, path := range append(envFiles(s), envFiles(over)...) {
		files = append(files, path)
	}
	s.EnvFile, s.Ports, s.fills = files, slices.Concat(s.Ports, over.Ports), slices.Concat(s.fills, over.fills)
	if over.Extends != nil {
		s.Extends = over.Extends
	}
	if over.Build != nil {
		s.Build = over.Build
	}
	if over.Command != nil {
		s.Command = over.Command
	}
	if over.Image != nil {
		s.Image = over.Image
	}
	return s
}

// entries are those of environment as a list.
func entries(environment any) []any {
	switch env := environment.(type) {
	case []any:
		return env
	case map[string]any:
		var out []any
		for name, value := range env {
			if value == nil {
				out = append(out, name)
			} else {
				out = append(out, fmt.Sprintf("%s=%v", name, value))
			}
		}
		return out
	}
	return nil
}

func parseComposeFile(data []byte) (composeFile, error) {
	var file composeFile
	// The library refuses a small file whose aliases make a large one.
	if err := yaml.Unmarshal(data, &file); err != nil {
		return composeFile{}, errors.New("it is no valid YAML") // the library's error quotes the file
	}
	if file.Services == nil {
		file.Services = map[string]service{}
	}
	return file, nil
}
