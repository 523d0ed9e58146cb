package preflight

import (
	"os"
	"path/filepath"
	"strings"

	"dj/keysplit/steps"
)

// learn makes the redactor know what is secret here, before any text of others can
// hold it: the files of settings around the project, this process's environment, and
// the literals of the settings. What is no secret, even inside one, are the names of
// the project's modules and files.
func learn(run *steps.Run, p *steps.Project, sources []source) {
	r := &run.Redactor
	for _, folder := range []string{p.TopLevel, p.Root, filepath.Dir(p.EnvFile.Path)} {
		entries, _ := os.ReadDir(folder) // an unreadable folder is found out about elsewhere
		for _, e := range entries {
			if name := e.Name(); e.IsDir() || !strings.HasPrefix(name, ".") {
				r.Allow(strings.TrimSuffix(name, ".py"))
			}
			if isEnvFile(e.Name()) {
				r.LearnFile(readSome(filepath.Join(folder, e.Name())))
			}
		}
	}
	r.LearnFile(readSome(p.EnvFile.Path))
	r.LearnVariables(os.Environ())
	for _, s := range sources {
		r.LearnSource(s.text)
		r.Allow(p.Rel(s.path))
	}
	names := p.Names.Or(steps.GuideNames)
	// A SECRET_KEY of one word, such as "secret", is in every sentence about it.
	r.Allow(names.Key, names.SecretKey, steps.GuideNames.Key, steps.GuideNames.SecretKey)
	r.Allow(p.Root, p.SettingsModule, p.Rel(p.EnvFile.Path))
}

// isEnvFile reports whether a file of that name holds settings of an environment.
// Those that are made to be committed hold none.
func isEnvFile(name string) bool {
	if name != ".env" && !strings.HasPrefix(name, ".env.") && !strings.HasSuffix(name, ".env") && name != "settings.ini" {
		return false
	}
	for _, public := range []string{"example", "sample", "template", "dist"} {
		if strings.Contains(name, public) {
			return false
		}
	}
	return true
}

// learnFacts adds what the project's Django told: the files that its readers opened,
// and the names of its modules.
func learnFacts(run *steps.Run, f *steps.Facts) {
	for _, path := range f.ReaderFiles {
		run.Redactor.LearnFile(readSome(path))
	}
	run.Redactor.Allow(append([]string{f.SettingsModule, f.SettingsFile, f.UserModel}, f.Apps...)...)
}
