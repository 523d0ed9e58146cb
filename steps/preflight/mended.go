package preflight

import (
	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// mended gives the values that settings will have once the glued lines of the
// .env are split. With DEBUG=TrueJWT_SECRET_KEY=... the settings do not load at
// all, and Django could not be asked anything; with DEBUG=True in its
// environment it can. JWT_SECRET_KEY itself is left out: whatever stands there
// is replaced.
func mended(run *steps.Run, p *steps.Project) map[string]string {
	var ops []envfile.Op
	for _, f := range p.Findings {
		if f.Code == finding.LineGlued && f.File == p.Rel(p.EnvFile.Path) {
			ops = append(ops, envfile.Split{Line: f.Line, Name: run.Names().Key})
		}
	}
	if len(ops) == 0 || p.EnvFile.At == nil {
		return nil
	}
	change, err := envfile.Edit(p.EnvFile.At.Data, envfile.For{Readers: p.EnvFile.Readers, Env: run.LookupEnv}, ops...)
	if err != nil {
		return nil // the write step says why
	}
	reader := p.EnvFile.Readers[0]
	before, err := envfile.Read(reader, change.Old, run.LookupEnv)
	if err != nil {
		return nil
	}
	after, err := envfile.Read(reader, change.New, run.LookupEnv)
	if err != nil {
		return nil
	}
	values := map[string]string{}
	for _, name := range after.Names() {
		now, known := after.Says(name)
		old, _ := before.Says(name)
		if _, set := run.LookupEnv(name); known && now != old && name != run.Names().Key && !set {
			run.Redactor.Add(run.Prints.Secret(old))
			values[name] = now
		}
	}
	return values
}
