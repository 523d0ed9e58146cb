package preflight

import (
	"bytes"
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/repo"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/sys/git"
)

// The bounds of the search for keys in files.
const (
	maxSearched = 50_000    // files
	maxLoose    = 5_000     // files that git neither tracks nor ignores
	maxSearch   = 128 << 20 // bytes
	minSearched = 20        // characters: a shorter value is found by chance
)

// committed looks for the key in the files that git tracks, the .env itself left
// out: that one has a finding of its own. A placeholder is in many files, and is
// no key.
func committed(ctx context.Context, p *steps.Project, key secret.Secret) (found []finding.Finding) {
	if !searched(key) {
		return nil
	}
	seek(ctx, p, maxSearched, []secret.Secret{key}, func(name string, line, _ int) {
		found = append(found, finding.New(finding.KeyCommittedElsewhere, "").At(name, line))
	}, "ls-files", "-z")
	return found
}

// copies looks for both keys in the files that the next git add . would stage, such as a
// copy of the .env that an editor or a person made; the .env itself is left out. A
// SECRET_KEY that does not come from a file of variables is in the code.
func copies(ctx context.Context, p *steps.Project, keys steps.Keys) (found []finding.Finding) {
	var values []secret.Secret
	var names []string
	for _, k := range []struct {
		name string
		steps.Setting
	}{{p.Names.Key, keys.Key}, {p.Names.SecretKey, keys.SecretKey}} {
		if k.Source == "file" && searched(k.Secret) && !strings.HasPrefix(k.Secret.Reveal(), "django-insecure-") {
			values, names = append(values, k.Secret), append(names, k.name)
		}
	}
	if len(values) == 0 {
		return nil
	}
	seek(ctx, p, maxLoose, values, func(name string, line, of int) {
		f := finding.New(finding.EnvFileNotIgnored, "Git does not ignore "+name+", which holds a copy of "+names[of]+".").At(name, line)
		if shared(name) {
			found = append(found, f.NotFixable().WithFix(finding.Do("Take the value out of %s before you commit it.", name)))
			return
		}
		found = append(found, notIgnored(p, f, "Add a line to .gitignore, or delete that file: /%s"))
	}, "ls-files", "--others", "--exclude-standard", "-z")
	return found
}

// searched reports whether a value is looked for in files.
func searched(key secret.Secret) bool {
	return key.Len() >= minSearched && !slices.Contains(steps.JudgeKey(key), finding.JWTKeyPlaceholder)
}

// shared reports whether a file is one that a project commits, so that git has to keep it.
func shared(name string) bool {
	return slices.Contains([]repo.Kind{repo.Pipeline, repo.Document}, repo.KindOf(name)) ||
		slices.Contains([]string{".py", ".toml", ".cfg", ".ini", ".js", ".ts", ".html", ".sh"}, strings.ToLower(path.Ext(name)))
}

// seek calls hit for each file of git's list, of at most so many, that holds one of the
// values: its name below the top level, the line, and which value.
func seek(ctx context.Context, p *steps.Project, most int, values []secret.Secret, hit func(name string, line, of int), list ...string) {
	res, ok := git.Ask(ctx, p.TopLevel, nil, 16<<20, list...)
	if !ok || res.Code != 0 || res.Truncated {
		return
	}
	read := 0
	for i, name := range strings.Split(string(res.Stdout), "\x00") {
		at := filepath.Join(p.TopLevel, filepath.FromSlash(name))
		if name == "" || steps.SameFile(at, p.EnvFile.Path) {
			continue
		}
		if i >= most || read >= maxSearch || ctx.Err() != nil {
			return
		}
		info, err := os.Lstat(at)
		if err != nil || !info.Mode().IsRegular() || info.Size() < minSearched {
			continue
		}
		data, _ := file.ReadSmall(at) // nothing of one that cannot be read
		read += len(data)
		for of, value := range values {
			if in := bytes.Index(data, []byte(value.Reveal())); in >= 0 {
				hit(name, bytes.Count(data[:in], []byte("\n"))+1, of)
				break
			}
		}
	}
}
