package cli

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/smoketest"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/write"
)

// reach is where a command goes with what the configuration says.
type reach int

const (
	sends    reach = iota // it sends credentials and the key, and restarts
	delivers              // it asks the places of the environment, or writes there
	asks                  // it reads what they hold and asks the server, and says so where it does not
	looks                 // it reads what they hold, and says so where it does not
	nowhere               // it reads files of this machine only
)

// only reports whether the command goes on without what nobody has agreed to.
func (r reach) only() bool { return r == looks || r == asks }

// request is what a command asks of its run beside the place: what it leaves out it
// has no flag for.
type request struct {
	server
	login
	delivery
	answers
	speech   *speech
	reach    reach
	state    journal.Folder // that of the IO
	restart  string
	command  string        // of keysplit, "" for the wizard's
	options  steps.Options // those that no configuration has
	anywhere bool          // the environment needs no target: what an earlier run did counts
	given    []string      // the flags that say how, for the command that goes on
}

// run makes the run that a command asks for. Errors of the command line and of the
// configuration wrap steps.ErrUsage.
func (p *place) run(ctx context.Context, stdio IO, q request) (*steps.Run, error) {
	q.state = stdio.State
	if err := p.choose(ctx, stdio, q); err != nil {
		return nil, err
	}
	skip, err := p.check(q)
	if err != nil {
		return nil, err
	}
	conf, err := p.configuration()
	if err != nil {
		return nil, err
	}
	env, err := p.configured(conf, q)
	if err != nil {
		return nil, err
	}
	contained := p.contained(ctx, q, conf, &env)
	targets, err := write.Targets(env.Targets)
	if err != nil {
		return nil, err
	}
	p.remember(&q, &conf)
	roots, err := q.authorities()
	if err != nil {
		return nil, err
	}
	run := &steps.Run{Prints: stdio.State.Prints(""), Targets: targets, Options: q.options}
	if len(targets) == 0 {
		run.Targets = write.Default()
	}
	o := &run.Options
	if q.caFile != "" {
		if o.CAFile, err = filepath.Abs(q.caFile); err != nil {
			return nil, steps.Usage("--ca-file: %w", err)
		}
	}
	p.fill(o, conf)
	o.State, o.Contained = q.state, contained
	o.Targets, o.URLs, o.Roots, o.Routes, o.Production = targets, env.URLs, roots, env.Routes(), env.Production
	run.Answers = steps.Answers{Rotate: q.rotate, Username: env.Username, TempUser: q.tempUser}
	o.Skip, o.Queue = skip, q.wait
	o.Command = "keysplit"
	if q.command != "" {
		o.Command = run.Command(q.command)
	}
	o.Starting = p.given()
	o.Given, o.Unattended = slices.Concat(o.Starting, q.given), q.yes || !stdio.InTTY
	if len(env.URLs) > 0 {
		o.URL = env.URLs[0]
	}
	if env.Restart != "" {
		if o.Restart, err = restart.Parse(env.Restart); err != nil {
			return nil, err
		}
	}
	if err := p.agree(ctx, stdio, run, conf, q); err != nil {
		run.Close()
		return nil, err
	}
	return run, q.secrets(ctx, stdio, run)
}

// fill puts in what the flags of every command and the top of the configuration say; a flag
// wins.
func (p *place) fill(o *steps.Options, conf config.Config) {
	o.Where = p.where()
	o.Folder, o.Environment, o.EnvFile, o.Timeout, o.As = p.project, p.env, p.envFile, p.timeout, p.as
	if p.python == "" && conf.Python != "" {
		o.PythonDir = filepath.Dir(conf.Path)
	}
	o.Python, o.Settings = cmp.Or(p.python, conf.Python), cmp.Or(p.settings, conf.Settings)
	o.MinLength, o.DistinctFrom, o.Names = conf.MinLength, conf.DistinctFrom, conf.Variables
	if conf.TrackedEnv {
		o.TrackedEnv = fmt.Sprintf("%s:%d", filepath.Base(conf.Path), conf.TopLine("tracked_env"))
	}
}

// remember takes what an earlier run was told, where neither the command line nor the
// configuration says it and it is there still.
func (p *place) remember(q *request, conf *config.Config) {
	used := p.used(q.state)
	if q.caFile == "" && q.anywhere && isThere(used.CAFile) {
		q.caFile = used.CAFile
	}
	if p.python != "" || conf.Python != "" || used.Python == "" {
		return
	}
	for _, program := range []string{used.Python, strings.Fields(used.Python)[0]} { // that of a command
		if _, err := exec.LookPath(program); err == nil {
			conf.Python = used.Python
		}
	}
}

// check refuses what contradicts itself, before anything is read, and returns the
// steps to skip.
func (p *place) check(q request) (map[steps.Name]bool, error) {
	if p.env == "" {
		return nil, steps.Usage("--env needs a name")
	}
	if err := q.state.Absolute(); err != nil {
		return nil, steps.Usage("%w", err)
	}
	if q.tempUser && q.username != "" {
		return nil, steps.Usage("--temp-user and --username cannot be used together")
	}
	if q.tempUser && p.env != steps.DefaultEnvironment {
		return nil, steps.Usage("--temp-user is for development only, not for %s", p.env)
	}
	skip, err := q.skipped()
	if err != nil {
		return nil, err
	}
	if q.rotate && skip[steps.Generate] {
		return nil, steps.Usage("--rotate and --skip key cannot be used together")
	}
	return skip, nil
}

// authorities reads --ca-file.
func (s *server) authorities() (*x509.CertPool, error) {
	if s.caFile == "" {
		return nil, nil
	}
	pem, err := file.ReadSmall(s.caFile)
	if err != nil {
		return nil, steps.Usage("--ca-file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, steps.Usage("--ca-file %s holds no certificate in PEM form", s.caFile)
	}
	return pool, nil
}

// isThere reports whether a file that an earlier run was given can still be read.
func isThere(path string) bool {
	_, err := file.ReadSmall(path)
	return err == nil
}

// used is what the latest upgrade of this environment was told, as its journal has it.
func (p *place) used(state journal.Folder) (u journal.Used) {
	root, _, err := preflight.Root(p.project)
	if err != nil || root == "" || p.throwaway {
		return u
	}
	if j, err := state.Read(root, p.env); err == nil && j != nil { // the run itself says what is wrong with it
		u, _ = j.LastUsed()
	}
	return u
}

// flagged lists a flag with its values, those that are empty left out.
func flagged(name string, values ...string) (out []string) {
	for _, v := range values {
		if v != "" {
			out = append(out, name, v)
		}
	}
	return out
}

// where are the flags that say what a command is about: every command that is printed
// has them again, since no configuration does.
func (p *place) where() []string {
	return slices.Concat(flagged("--project", p.project), flagged("--env-file", p.envFile), flagged("--settings", p.settings))
}

// given are the flags that say how the project is started: the command that goes on
// has them again.
func (p *place) given() []string {
	out := slices.Concat(flagged("--python", p.python), flagged("--as", p.as))
	if p.timeout != 0 && p.timeout != steps.DefaultTimeout {
		out = append(out, "--timeout", p.timeout.String())
	}
	return out
}

// configuration is the project's. A throwaway project has none: what lies in the
// folder that keysplit is started from is somebody's own.
func (p *place) configuration() (config.Config, error) {
	if p.throwaway {
		return config.Config{}, nil
	}
	root, top, err := preflight.Root(p.project)
	if err != nil || root == "" {
		return config.Config{}, err
	}
	return config.Find(root, top)
}

// configured is the environment as the configuration file has it, with the flags
// in place of what they name.
func (p *place) configured(c config.Config, q request) (config.Environment, error) {
	env, ok := c.Environments[p.env]
	if names := c.Names(); !ok && len(names) > 0 && p.env != steps.DefaultEnvironment {
		if near := config.Nearest(p.env, names); near != "" {
			return env, steps.Usage("--env %s is not in %s; did you mean %q?", secret.Quote(p.env), c.Path, near)
		}
		return env, steps.Usage("--env %s is not in %s; there is: %s", secret.Quote(p.env), c.Path, strings.Join(names, ", "))
	}
	if len(q.targets) > 0 {
		env.Targets = q.targets
	}
	if len(q.urls) > 0 {
		env.URLs = q.urls
	}
	for _, u := range env.URLs {
		if err := smoketest.CheckURL(u); err != nil {
			return env, err
		}
	}
	if err := q.routes(&env); err != nil {
		return env, err
	}
	env.Restart = cmp.Or(q.restart, env.Restart)
	env.Username = q.account(env.Username)
	used := p.used(q.state)
	if q.anywhere || p.env != steps.DefaultEnvironment { // of development the server that runs is found
		if len(env.URLs) == 0 {
			env.URLs = used.URLs
		}
		if used.Restart != steps.OwnCommand && q.command != "rollback" { // which knows better
			env.Restart = cmp.Or(env.Restart, used.Restart)
		}
	}
	if len(env.Targets) > 0 || p.envFile != "" {
		return env, nil
	}
	// The .env here says nothing about another environment, unless the user says
	// that it is that one's.
	if env.Targets = used.Targets; len(env.Targets) == 0 && !q.anywhere && p.env != steps.DefaultEnvironment {
		return env, steps.Usage("no target for %s. Pass --target, or set targets in keysplit.toml. If this machine is %[1]s, use --target dotenv", p.env)
	}
	return env, nil
}
