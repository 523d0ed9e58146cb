package restart

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/tool"
)

// compose makes the containers of services anew. A plain restart keeps the
// environment that the container was made with, with version 1 and 2 alike; only
// making it anew reads env_file and .env again.
type compose struct {
	*Step
	services string
}

func newCompose(s *Step, services string) manager { return compose{s, services} }

// composer is docker compose, or docker-compose, version 1.
type composer struct {
	tool.Program
	prefix []string
	old    bool
}

func docker(dir string) tool.Program {
	return tool.Program{Name: "docker", Install: "See https://docs.docker.com/engine/install.", Login: "docker login", Dir: dir}
}

// find finds the program and the folder of the compose file.
func (c compose) find(ctx context.Context, run *steps.Run) (composer, error) {
	dir := ""
	for at := run.Project.Root; ; at = filepath.Dir(at) {
		for _, name := range []string{"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"} {
			if info, err := os.Stat(filepath.Join(at, name)); err == nil && info.Mode().IsRegular() {
				dir = at
			}
		}
		if dir != "" || at == run.Project.TopLevel || at == filepath.Dir(at) {
			break
		}
	}
	if dir == "" {
		return composer{}, steps.Fail(steps.NewFinding("place-not-found", "There is no compose file in the project.").At("compose:"+c.services, 0).
			WithFix("Run keysplit where compose.yaml or docker-compose.yml is, or use --restart command:..."))
	}
	two := composer{Program: docker(dir), prefix: []string{"compose"}}
	res, err := two.Try(ctx, run, nil, "compose", "version", "--short")
	if err == nil && res.Code == 0 {
		return two, nil
	}
	one := composer{Program: tool.Program{Name: "docker-compose", Install: "Neither docker compose nor docker-compose works here. See https://docs.docker.com/compose/install.", Dir: dir}, old: true}
	_, err = one.Call(ctx, run, "compose:"+c.services, nil, "version", "--short")
	return one, err
}

func (c composer) args(args ...string) []string { return append(slices.Clone(c.prefix), args...) }

// container is the ID of a service's container, "" when there is none.
func (c composer) container(ctx context.Context, run *steps.Run, service string) (string, error) {
	out, err := c.Call(ctx, run, "compose:"+service, nil, c.args("ps", "--quiet", service)...)
	id, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return id, err
}

func (c compose) plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	all, err := names(c.services)
	if err != nil {
		return steps.Plan{}, err
	}
	by, err := c.find(ctx, run)
	if err != nil {
		return steps.Plan{}, err
	}
	known, err := by.Call(ctx, run, "compose:"+c.services, nil, by.args("config", "--services")...)
	if err != nil {
		return steps.Plan{}, err
	}
	services := strings.Fields(string(known))
	var others []string
	for _, name := range services {
		if !slices.Contains(all, name) {
			others = append(others, steps.Inert(name))
		}
	}
	for _, name := range all {
		if !slices.Contains(services, name) {
			return steps.Plan{}, fmt.Errorf("%w: --restart compose: there is no service %q; there is: %s", steps.ErrUsage, name, steps.Inert(strings.Join(services, ", ")))
		}
	}
	p := steps.Plan{
		Summary: "Make the containers of " + strings.Join(all, ", ") + " anew.",
		Details: []string{"Folder: " + by.Dir, "Command: " + by.Name + " " + strings.Join(by.up(all), " "),
			"A plain restart would keep the old environment."},
		Effects: []string{"Each service is away for as long as it takes to start."},
	}
	if len(others) > 0 {
		p.Details = append(p.Details, "Not made anew: "+strings.Join(others, ", ")+". Workers that run this backend read the key too: name them as well.")
	}
	return p, nil
}

func (c composer) up(services []string) []string {
	args := c.args("up", "--detach", "--no-deps", "--force-recreate")
	if !c.old {
		args = append(args, "--wait")
	}
	return append(args, services...)
}

func (c compose) places(context.Context, *steps.Run) []string { return strings.Split(c.services, ",") }

func (c compose) restart(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	all, err := names(c.services)
	if err != nil {
		return err
	}
	by, err := c.find(ctx, run)
	if err != nil {
		return err
	}
	before := map[string]string{}
	for _, name := range all {
		emit.Check("restart "+name, steps.MarkRunning, "make "+name+" anew", "")
		if before[name], err = by.container(ctx, run, name); err != nil {
			return err
		}
	}
	res, err := by.Try(ctx, run, nil, by.up(all)...)
	switch {
	case err != nil:
		return err
	case res.Code != 0 && bytes.Contains(res.Stderr, []byte("ContainerConfig")):
		return wentWrong(run, "compose:"+c.services, "docker-compose 1.29 cannot make a container anew with this version of Docker.",
			"Install Docker's compose plugin, or remove the container first: docker-compose rm --stop --force "+all[0])
	case res.Code != 0:
		by.log(ctx, run, emit, all)
		return wentWrong(run, "compose:"+c.services, fmt.Sprintf("%s could not start the services (exit code %d).", by.Name, res.Code), "Read why: "+by.Name+" "+strings.Join(by.args("logs", all[0]), " "))
	}
	for _, name := range all {
		if err := c.proof(ctx, run, emit, by, name, before[name]); err != nil {
			return err
		}
	}
	return nil
}

// proof looks at the new container: that it is new, that it runs, and which key
// it was given.
func (c compose) proof(ctx context.Context, run *steps.Run, emit steps.Emit, by composer, name, before string) error {
	id := "restart " + name
	now, err := by.container(ctx, run, name)
	if err != nil {
		return err
	}
	if now == "" || now == before {
		emit.Check(id, steps.MarkFailed, "make "+name+" anew", "there is no new container")
		return wentWrong(run, "compose:"+name, name+" has no new container.", "Look at it: "+by.Name+" "+strings.Join(by.args("ps"), " "))
	}
	// A service that ends at its start runs for a moment first.
	var found containerState
	since := time.Now()
	ok, err := c.until(ctx, c.steady()+run.Options.Wait(), func() (bool, error) {
		var err error
		found, err = inspect(ctx, run, by, name, now)
		return found.State.Status != "running" || time.Since(since) >= c.steady(), err
	})
	if err != nil {
		return err
	}
	if !ok || found.State.Status != "running" {
		emit.Check(id, steps.MarkFailed, "make "+name+" anew", steps.Inert(found.State.Status))
		by.log(ctx, run, emit, []string{name})
		return wentWrong(run, "compose:"+name, name+" does not run.", "Read why: "+by.Name+" "+strings.Join(by.args("logs", name), " "))
	}
	detail := "a new container"
	for _, pair := range found.Config.Env {
		k, v, _ := strings.Cut(pair, "=")
		if k != steps.KeyName || !run.Key.Set() {
			continue
		}
		if !run.Secret(v).Equal(run.Key) {
			emit.Check(id, steps.MarkFailed, "make "+name+" anew", "with another key")
			return steps.Fail(steps.NewFinding("jwt-key-shadowed", "The new container of "+name+" was given another JWT_SECRET_KEY than the new one.").At("compose:"+name, 0).
				WithFix("Write the key to the file that the service reads: --target compose:FILE#" + name))
		}
		detail = "a new container, with the new key"
	}
	emit.Check(id, steps.MarkOK, "made "+name+" anew", detail)
	return nil
}

// containerState is what counts of a container.
type containerState struct {
	State  struct{ Status string }
	Config struct{ Env []string }
}

// inspect looks at a container. Values of its environment are in the answer.
func inspect(ctx context.Context, run *steps.Run, by composer, name, id string) (containerState, error) {
	out, err := docker(by.Dir).Call(ctx, run, "compose:"+name, nil, "inspect", id)
	if err != nil {
		return containerState{}, err
	}
	var found []containerState
	if json.Unmarshal(out, &found) != nil || len(found) != 1 {
		return containerState{}, fmt.Errorf("docker's answer about %s cannot be read", name)
	}
	return found[0], nil
}

func (c composer) log(ctx context.Context, run *steps.Run, emit steps.Emit, services []string) {
	if res, err := c.Try(ctx, run, nil, c.args(append([]string{"logs", "--no-color", "--tail", fmt.Sprint(logLines)}, services...)...)...); err == nil {
		showLog(run, emit, res.Stdout)
	}
}
