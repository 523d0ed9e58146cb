package preflight

import (
	"context"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/vendor"
)

// Contained finds the compose service that the backend is developed in: there is one,
// nothing on this machine runs the project's Django, no .env is here for its reader, and
// no variable of the environment has the key. The run needs no more than its options.
func Contained(ctx context.Context, run *steps.Run) (vendor.Contained, bool) {
	none := vendor.Contained{}
	if run.Options.Python != "" || run.Options.EnvFile != "" || run.Options.Committed {
		return none, false
	}
	folder := run.Options.Folder
	if folder == "" {
		folder = "."
	}
	p, err := findProject(folder)
	if err != nil {
		return none, false
	}
	service, ok := vendor.ContainedIn(p)
	if !ok {
		return none, false
	}
	look := &steps.Run{Options: run.Options, Environ: run.Environ, Found: steps.Found{Project: p}}
	if err := findPython(ctx, look, p); err != nil || p.Broken.Folder != "" || p.Python != "" && p.PythonFrom != fromPath {
		return none, false
	}
	d := &diagnosis{run: look, project: p, sources: findSettings(look, p)}
	if d.locate() != nil || d.reader() == envfile.Decouple || isThere(p.EnvFile.Path) {
		return none, false
	}
	if _, set := run.LookupEnv(look.Names().Key); set {
		return none, false
	}
	if run.Options.Static {
		for _, m := range managers {
			for _, dir := range upward(p.Root, p.TopLevel) {
				if hasSign(dir, m.signs) {
					return none, false // its environment is not known without asking it
				}
			}
		}
		return service, true
	}
	return service, p.Python == "" || !importsDjango(ctx, p)
}

// importsDjango reports whether an interpreter that nothing says is the project's has
// Django all the same, as within a container.
func importsDjango(ctx context.Context, p *steps.Project) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	res, err := child.Command{Path: p.Python, Args: []string{"-c", "import django"}, Dir: p.Root, Unset: child.Withheld}.Run(ctx)
	return err == nil && res.Code == 0
}
