package preflight

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/vendor"
)

// Contained finds the compose service that the backend is developed in: there is one,
// and nothing on this machine runs the project's Django. place reports whether the service
// is also the place of the key: no .env is here for the settings' reader, and no variable
// of the environment has the key. The run needs no more than its options.
func Contained(ctx context.Context, run *steps.Run) (service vendor.Contained, place, ok bool) {
	o := run.Options
	command := len(pythonCommand(run)) > 1
	if o.Python != "" && !command || o.Committed || o.Static && o.EnvFile != "" {
		return service, false, false
	}
	p, err := findProject(cmp.Or(o.Folder, "."))
	if err != nil {
		return service, false, false
	}
	if service, ok = vendor.ContainedIn(p); !ok {
		return service, false, false
	}
	d, ok := withoutPython(ctx, run, p)
	if !ok {
		return service, false, false
	}
	_, set := run.LookupEnv(d.run.Names().Key)
	fetches := d.nothingReads(steps.KeyFacts{}).SecretKey.Source != ""
	place = !set && o.EnvFile == "" && d.reader() != envfile.Decouple && !fetches && !isThere(p.EnvFile.Path)
	if o.Static {
		return service, place, place && !mayManage(p)
	}
	return service, place, p.Python == "" || command || !importsDjango(ctx, p)
}

// withoutPython is the diagnosis of a project whose interpreter nothing on this machine is
// known to have, but for one that the user named as a command. ok is false for any other.
func withoutPython(ctx context.Context, run *steps.Run, p *steps.Project) (d *diagnosis, ok bool) {
	if os.Geteuid() == 0 {
		p.User = notRoots(p.ManagePy) // a manager that is asked for an interpreter may run what the project names
	}
	look := &steps.Run{Options: run.Options, Environ: run.Environ, Found: steps.Found{Project: p}}
	if err := findPython(ctx, look, p); err != nil || p.Broken.Folder != "" || p.Python != "" && p.PythonFrom != fromPath && len(pythonCommand(run)) < 2 {
		return nil, false
	}
	d = &diagnosis{run: look, project: p, sources: findSettings(look, p)}
	return d, d.locate() == nil
}

// mayManage reports whether a program may have an environment for the project, which is
// not known without asking it.
func mayManage(p *steps.Project) bool {
	for _, m := range managers {
		for _, dir := range upward(p.Root, p.TopLevel) {
			if hasSign(dir, m.signs) {
				return true
			}
		}
	}
	return false
}

// importsDjango reports whether an interpreter that nothing says is the project's has
// Django all the same, as within a container. No code of the project's runs for that: who
// its user is may not be known yet, and root may ask.
func importsDjango(ctx context.Context, p *steps.Project) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	res, err := child.Command{Path: p.Python, Args: []string{"-c", "import sys; sys.path[:] = filter(None, sys.path); import django"}, Dir: p.Root, Unset: child.Withheld}.Run(ctx)
	return err == nil && res.Code == 0
}

// sums are what tells the project inside of a container: manage.py, and the settings with
// all that they import of the project.
func sums(run *steps.Run, p *steps.Project) map[string]string {
	if !p.Inside() {
		return nil
	}
	out := map[string]string{}
	copied := *p
	for _, s := range findSettings(run, &copied) {
		data, err := os.ReadFile(s.path)
		if rel, relErr := filepath.Rel(p.Root, s.path); err == nil && relErr == nil && filepath.IsLocal(rel) {
			out[filepath.ToSlash(rel)] = fmt.Sprintf("%x", sha256.Sum256(data))
		}
	}
	return out
}
