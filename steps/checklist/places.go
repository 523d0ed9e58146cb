package checklist

import (
	"bytes"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/repo"
	"dj/keysplit/steps/sys/file"
)

// unseen names folders that could not be opened. As a rule they are a database's, and
// nothing that this user's backend could read, so they leave no item open.
func unseen(t repo.Tree) []Evidence {
	if len(t.Closed) == 0 {
		return nil
	}
	return []Evidence{{Text: "not looked into, since this user may not open it: " + several(t.Closed)}}
}

// place is one pipeline or document that provides SECRET_KEY, or tells how to.
type place struct {
	kind repo.Kind
	file string // relative to the top level
	line int    // the first that does, and lacks JWT_SECRET_KEY if any does, 1-based
	key  int    // the first that names JWT_SECRET_KEY, 0 where one lacks it
	same int    // the first that gives JWT_SECRET_KEY the value of SECRET_KEY, 0 for none
	code finding.Code
	bad  bool       // it does not parse
	own  prose.Text // how the program that owns the file takes the key; empty for none
	loop string     // the script that exports each secret of a service, which has one for SECRET_KEY alone; "" for none
	held bool       // the value is a secret that the pipeline's service holds, and keysplit does not see
	runs bool       // it starts Django without JWT_SECRET_KEY, whatever it has for SECRET_KEY
	sum  journal.FileSum
}

// findPlaces reads the files of one kind. Those that cannot be read make the
// look incomplete; that is said in the tree.
func findPlaces(run *steps.Run, t *repo.Tree, k repo.Kind) []place {
	var out []place
	twins := repo.TwinsOf(run.Names())
	backend := repo.Backend{Names: run.Names(), Folder: repo.Relative(run.Project.TopLevel, run.Project.Root), Settings: run.Project.SettingsModule}
	files, around := t.Files[k], repo.AroundOf(run)
	if k == repo.Pipeline {
		if run.Project.Insists {
			backend.Tests = testsLoad(run, backend)
		}
		own := resolved(run.Project.EnvFile.Path) // preflight judges that one
		files = slices.Concat(files, slices.DeleteFunc(slices.Clone(t.Shared), func(path string) bool { return resolved(path) == own }))
	}
	exports := sync.OnceValue(func() string { return exportsSecrets(run, files) })
	for _, path := range files {
		rel := run.Project.Rel(path)
		if ofOthers(rel, around) {
			continue
		}
		data, err := file.ReadSmall(path)
		if err != nil {
			t.Incomplete(k, rel+" was not read: "+whyUnread(err))
			continue
		}
		if k == repo.Pipeline && run.Project.Insists {
			if line := repo.Starts(backend, rel, data); line > 0 {
				out = append(out, place{kind: k, file: rel, line: line, runs: true, code: finding.CIMissingKey, sum: journal.FileSum{Path: path, Sum: run.Kept().Sum(data)}})
				continue
			}
		}
		if line := repo.SecretAlone(run.Names(), rel, data); line > 0 && exports() != "" {
			out = append(out, place{kind: k, file: rel, line: line, code: finding.ComposeMissingKey, loop: exports(), sum: journal.FileSum{Path: path, Sum: run.Kept().Sum(data)}})
			continue
		}
		if !run.Names().In(data) {
			continue
		}
		p := place{kind: k, file: rel, code: codeFor(k, rel, data), sum: journal.FileSum{Path: path, Sum: run.Kept().Sum(data)}}
		p.held = k == repo.Pipeline && bytes.Contains(data, []byte("secrets."+run.Names().Key))
		if m := steps.OwnerOf(run.Names(), data, repo.KindOf(rel) == repo.EnvFile || repo.IsSample(rel)); m != nil {
			p.own = m.Set(steps.FromHere(path))
		}
		if named := p.take(repo.Read(run.Names(), k == repo.Pipeline, rel, data, around)); named && k == repo.Pipeline {
			p.same = twins.Same(data)
		}
		if p.line > 0 || p.same > 0 {
			out = append(out, p)
		}
	}
	return out
}

// ofOthers reports whether a file of variables or a Dockerfile is another project's.
func ofOthers(rel string, around *repo.Around) bool {
	return (repo.KindOf(rel) == repo.EnvFile || steps.IsDockerfile(filepath.Base(rel))) && around.Foreign(filepath.ToSlash(filepath.Dir(rel)))
}

// take notes what a file says, and reports whether it names JWT_SECRET_KEY.
func (p *place) take(text *repo.File) (named bool) {
	p.key, p.bad = text.Key(), text.Broken()
	if p.line = text.Lacks(); p.line > 0 {
		p.key = 0
	} else {
		p.line = text.Provides()
	}
	return text.Key() > 0
}

// exportsSecrets is the script among some files that exports a variable for each secret that
// a container is given, relative to the top level; "" for none.
func exportsSecrets(run *steps.Run, files []string) string {
	for _, path := range files {
		if data, err := file.ReadSmall(path); err == nil && repo.ExportsSecrets(data) {
			return run.Project.Rel(path)
		}
	}
	return ""
}

// codeFor is the finding that the file deserves when the key is missing there.
func codeFor(k repo.Kind, rel string, data []byte) finding.Code {
	base := strings.ToLower(rel[strings.LastIndexByte(rel, '/')+1:])
	switch {
	case k == repo.Document && repo.IsSample(rel):
		return finding.ExampleMissingKey
	case k == repo.Document:
		return finding.DocsMissingKey
	case repo.IsCompose(base, data):
		return finding.ComposeMissingKey
	case bytes.Contains(data, []byte("apiVersion:")) && bytes.Contains(data, []byte("kind:")):
		return finding.KubernetesMissingKey
	}
	return finding.CIMissingKey
}

// scripts are files that are run or read where people develop and deploy, and no
// pipeline of a service.
var scripts = lazyregexp.New(`(?i)(?:^|/)(?:[\w.-]*make[\w.-]*|justfile|vagrantfile|\.?devcontainer\.json|launch\.json)$|(?:bin|scripts?)/[\w/-]+$|\.(?:sh|bash|zsh|fish|ps1|bat|cmd|conf|config|py|mk|nix)$`)

// inOrder reports whether the place names the key, and gives it a value of its own.
func (p place) inOrder() bool { return p.key > 0 && p.same == 0 }

// lacks says in half a sentence what is wrong with a place that is not in order.
func (p place) lacks() string {
	if p.same > 0 {
		return fmt.Sprintf("%s:%d gives JWT_SECRET_KEY the value of SECRET_KEY", p.file, p.same)
	}
	if p.runs {
		return fmt.Sprintf("%s:%d starts Django without JWT_SECRET_KEY", p.file, p.line)
	}
	if p.bad {
		return p.file + " is not valid YAML"
	}
	return fmt.Sprintf("%s:%d has SECRET_KEY, but not JWT_SECRET_KEY", p.file, p.line)
}

// finding says what is wrong with a place that is not in order. It is fixed by
// hand: a report changes nothing.
func (p place) finding() finding.Finding {
	f := finding.New(p.code, "").At(p.file, p.line)
	switch {
	case p.same > 0:
		f = finding.New(finding.JWTKeyEqualsSecretKey, "JWT_SECRET_KEY gets the same value here as SECRET_KEY.").At(p.file, p.same).
			WithFix(finding.Do("Give JWT_SECRET_KEY a value of its own here: another variable, secret or key of the Secret (such as jwt-secret-key), which holds another key."))
		f.Why = prose.Say("One leaked key would then forge sessions and tokens alike, and a backend that requires two keys will not start.")
	case p.runs:
		f = finding.New(p.code, "A pipeline or build starts Django here, and gets no JWT_SECRET_KEY.").At(p.file, p.line).
			WithFix(finding.Do("Set JWT_SECRET_KEY there: for tests a key that the job makes, python -c 'import secrets; print(secrets.token_urlsafe(64))'; in a Dockerfile on the one line that needs it, never with ENV."))
		f.Why = prose.Of("The settings do not load without it.")
	case p.loop != "":
		f = finding.New(p.code, fmt.Sprintf("A compose service is given a secret for SECRET_KEY, and none for JWT_SECRET_KEY; %s exports a variable for each.", p.loop)).At(p.file, p.line).
			WithFix(finding.Do("Add a second secret, called as this one is, with another key in it."))
	case p.bad:
		f = finding.New(p.code, "The file sets SECRET_KEY, but is not valid YAML, so keysplit cannot tell what gets JWT_SECRET_KEY.").At(p.file, p.line).
			WithFix(finding.Do("Correct the file, then run `keysplit` again."))
	case !p.own.Empty():
		f.Message = prose.Of("This file, whose values are encrypted or are kept elsewhere, has SECRET_KEY, but not JWT_SECRET_KEY.")
		f.Why = prose.Of("What gets its variables from here fails at the first start of Django.")
		f = f.WithFix(finding.Do("%s.", p.own))
	case repo.KindOf(p.file) == repo.EnvFile:
		f.Message = prose.Of("This file, which git does not ignore, sets SECRET_KEY, but not JWT_SECRET_KEY.")
		f.Why = prose.Of("What gets its variables from here fails at the first start of Django.")
		f = f.WithFix(finding.Do("If its values are for development or tests only, add JWT_SECRET_KEY with another throwaway value of 50 characters or more. If they are real, keep both keys out of git."))
	case p.code == finding.CIMissingKey && scripts.MatchString(p.file) && !steps.IsDockerfile(path.Base(p.file)):
		f.Message = prose.Of("This file sets SECRET_KEY, but not JWT_SECRET_KEY.")
		f.Why = prose.Of("What it starts fails at the first start of Django.")
		f = f.WithFix(finding.Do("Set JWT_SECRET_KEY in the same place, to another value; where nothing has to be kept, make a key there and then: python -c 'import secrets; print(secrets.token_urlsafe(64))'"))
	case p.code == finding.CIMissingKey && steps.IsDockerfile(path.Base(p.file)):
		f = f.WithFix(finding.Do("Set both on the one line that needs them: RUN SECRET_KEY=build JWT_SECRET_KEY=$(python -c 'import secrets; print(secrets.token_urlsafe(64))') python manage.py collectstatic --noinput. " +
			"Or mount them: RUN --mount=type=secret. Never with ENV: an image keeps that for everyone who can pull it, and it overrides the .env where the image runs."))
	}
	f.Fixable = false
	return f
}

// testFiles are where pytest is told which settings it loads, and what tests are given.
var testFiles = []string{"pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "conftest.py", "tests/conftest.py"}

// testsLoad reports whether pytest loads the settings of manage.py, and nothing of it
// brings the key.
func testsLoad(run *steps.Run, b repo.Backend) bool {
	var all []byte
	for _, dir := range []string{run.Project.Root, run.Project.TopLevel} {
		for _, name := range testFiles {
			if data, err := file.ReadSmall(filepath.Join(dir, filepath.FromSlash(name))); err == nil {
				all = append(append(all, data...), '\n')
			}
		}
	}
	return b.TestedBy(all)
}
