package cli

import (
	"cmp"
	"context"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/preflight"
)

// contained takes the compose service that the backend is developed in as the place of
// the key, its Python, and the way to restart it, where neither a flag nor the
// configuration names another place. It is nil where there is none.
func (p *place) contained(ctx context.Context, q request, conf config.Config, env *config.Environment) *steps.Contained {
	if p.throwaway || p.env != steps.DefaultEnvironment || len(env.Targets) > 1 {
		return nil
	}
	run := &steps.Run{Options: q.options}
	run.Options.Folder, run.Options.EnvFile = p.project, p.envFile
	run.Options.Python, run.Options.Settings = cmp.Or(p.python, conf.Python), cmp.Or(p.settings, conf.Settings)
	service, isPlace, ok := preflight.Contained(ctx, run)
	if !ok || len(env.Targets) > 0 && env.Targets[0] != service.Target() && (isPlace || !strings.HasPrefix(env.Targets[0], "dotenv")) {
		return nil
	}
	c := &steps.Contained{Service: service.Service, File: service.File, Starts: service.Starts()}
	if run.Options.Python == "" && !run.Options.Static {
		c.Python = service.Python(ctx, run)
	}
	c.Build = service.Build()
	if isPlace && len(env.Targets) == 0 {
		env.Targets = []string{service.Target()}
	}
	// Compose is not given a key of this environment: a new container would have none.
	if _, set := run.LookupEnv(run.Names().Key); !set && (isPlace || len(c.Python) > 0 || run.Options.Python != "") {
		env.Restart = cmp.Or(env.Restart, service.Restart())
	}
	return c
}
