package cli

import (
	"cmp"
	"context"

	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/steps/vendor"
)

// contained takes the compose service that the backend is developed in as the place of
// the key and the way to restart, where neither a flag nor the configuration names a
// place. It is nil where there is none.
func (p *place) contained(ctx context.Context, q request, conf config.Config, env *config.Environment) *vendor.Contained {
	if p.throwaway || p.env != steps.DefaultEnvironment || len(env.Targets) > 0 {
		return nil
	}
	run := &steps.Run{Options: q.options}
	run.Options.Folder, run.Options.EnvFile = p.project, p.envFile
	run.Options.Python, run.Options.Settings = cmp.Or(p.python, conf.Python), cmp.Or(p.settings, conf.Settings)
	service, ok := preflight.Contained(ctx, run)
	if !ok {
		return nil
	}
	env.Targets = []string{service.Target()}
	env.Restart = cmp.Or(env.Restart, service.Restart())
	return &service
}
