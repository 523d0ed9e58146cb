package steps

import (
	"slices"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/sys/file"
)

// HandedIn are the variables of files that the backend is given and that the user whom
// the project's code runs as cannot read: systemd reads an EnvironmentFile as root. A
// variable of this process's environment is not among them. They are as the files are now.
// So are those of a file that a shell sources, which has not done so since it changed,
// and of an env_file of the container that the project's Python is in.
func (r *Run) HandedIn(p *Project) map[string]string {
	asEnvFile := p.Inside() && slices.Contains(p.EnvFile.Readers, envfile.Compose)
	if p.User == nil && !p.EnvFile.Sourced && !asEnvFile {
		return nil
	}
	out := map[string]string{}
	give := func(path string, reader envfile.Dialect, always bool) {
		data, err := file.ReadSmall(path)
		if err != nil || !always && (p.User == nil || p.User.MayRead(path)) {
			return
		}
		vars, err := envfile.Read(reader, data, r.LookupEnv)
		if err != nil {
			return // what is wrong with the file is said where it is diagnosed
		}
		for _, name := range vars.Names() {
			if value, known := vars.Says(name); known {
				if _, set := r.LookupEnv(name); !set {
					out[name] = value
				}
			}
		}
	}
	switch {
	case asEnvFile:
		give(p.EnvFile.Path, envfile.Compose, true)
	case len(p.EnvFile.Readers) > 0:
		give(p.EnvFile.Path, p.EnvFile.Readers[0], p.EnvFile.Sourced)
	}
	for _, path := range p.UnitFiles {
		give(path, envfile.Systemd, false)
	}
	return out
}
