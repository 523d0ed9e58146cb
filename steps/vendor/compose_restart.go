package vendor

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/tool"
)

// services recreates the containers of services. A plain restart keeps the
// environment that the container was made with, with version 1 and 2 alike; only
// recreating it reads env_file and .env again.
type services struct {
	file string // of the project, as --restart has it, "" for that of the target or the usual one
	list string // of the services, as --restart has it
	all  []string
}

func parseServices(argument string) (Manager, error) {
	file, list, ok := strings.Cut(argument, "#")
	if !ok {
		file, list = "", argument
	}
	all, err := names(list)
	return services{file, list, all}, err
}

// composer is docker compose, or docker-compose, version 1.
type composer struct {
	tool.Program
	prefix []string
	old    bool
	unsaid string // the file that is found from its folder, and so not in prefix; "" for none
}

func docker(dir string) tool.Program {
	return tool.Program{Name: "docker", Install: "See https://docs.docker.com/engine/install.", Login: finding.Do("`docker login`"), Dir: dir, Messages: dockerMessages}
}

var dockerMessages = []tool.Message{
	{Code: finding.PlaceUnreachable, Sign: lazyregexp.New(`(?i)cannot connect to the docker daemon|error during connect`), Said: "Docker does not run, or not where it was looked for.",
		Fix: finding.Do("Start it (Docker Desktop, or: `sudo systemctl start docker`), or look at DOCKER_HOST. Then run `keysplit` again.")},
	{Code: finding.AccessDenied, Sign: lazyregexp.New(`(?i)permission denied while trying to connect to the docker`), Said: "your user may not use Docker.",
		Fix: finding.Do("Have your user added to the group docker and log in again, or run keysplit as a user who may.")},
	{Code: finding.RestartFailed, Sign: lazyregexp.New(`(?i)required variable \S+ is missing a value|missing mandatory value for`), Said: "the compose file requires a variable that nothing sets.",
		Fix: finding.Do("Set it in the .env beside the compose file, or in the environment. Then run `keysplit` again.")},
}

// usualFiles are the compose files that docker compose finds by itself, together
// with their override; of several in one folder it takes the first one.
var usualFiles = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}

// usual is the compose file that is found in a folder, "" for none.
func usual(dir string) string {
	for _, name := range usualFiles {
		if path := filepath.Join(dir, name); isFile(path) {
			return path
		}
	}
	return ""
}

// nearest is the usual compose file that is nearest to manage.py, "" for none.
func nearest(run *steps.Run) string {
	for at := run.Project.Root; ; at = filepath.Dir(at) {
		if path := usual(at); path != "" || at == run.Project.TopLevel || at == filepath.Dir(at) {
			return path
		}
	}
}

// Described is the compose file: the one that --restart names, that of the target, or
// the nearest usual one; "" when there is none.
func (c services) Described(run *steps.Run) string {
	file := c.file
	for _, t := range targetsOf[compose](run) {
		file = cmp.Or(file, t.file)
	}
	if filepath.IsAbs(file) {
		return file
	}
	if file != "" {
		for _, dir := range []string{run.Project.Root, run.Project.TopLevel} {
			if path := filepath.Join(dir, file); isFile(path) {
				return path
			}
		}
		return filepath.Join(run.Project.Root, file)
	}
	return nearest(run)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Kept is the spec as the journal keeps it: a rollback knows no target.
func (c services) Kept(run *steps.Run) string {
	if file := c.Described(run); file != nearest(run) {
		return "compose:" + file + "#" + c.list
	}
	return "compose:" + c.list
}

// flags are those that name these services by another spec, beside the other workers of the
// run where they are workers.
func (c services) flags(run *steps.Run, spec string) (flags []string) {
	found := false
	for _, w := range run.Options.Also {
		word := w.String()
		if strings.HasPrefix(word, "compose:") && word[strings.LastIndexAny(word, ":#")+1:] == c.list {
			word, found = spec, true
		}
		flags = append(flags, "--also", word)
	}
	if !found {
		return []string{"--restart", spec}
	}
	return flags
}

// find finds the program and the folder of the compose file.
func (c services) find(ctx context.Context, run *steps.Run) (composer, error) {
	file := c.Described(run)
	if file == "" || !isFile(file) {
		message := "There is no compose file in the project."
		if file != "" {
			message = "There is no compose file " + file + "."
		}
		return composer{}, steps.Fail(finding.New(finding.PlaceNotFound, message).At("compose:"+c.list, 0).
			WithFix(finding.Do("Run keysplit where compose.yaml or docker-compose.yml is, or name the file: %s", finding.Command(run.Command("", c.flags(run, "compose:FILE#SERVICE")...)))))
	}
	dir, unsaid := filepath.Dir(file), file
	var named []string
	if file != usual(dir) {
		named, unsaid = []string{"--file", file}, ""
	}
	two := composer{Program: docker(dir), prefix: append([]string{"compose"}, named...), unsaid: unsaid}
	res, err := two.Try(ctx, run, nil, "compose", "version", "--short")
	if err == nil && res.Code == 0 {
		return two, nil
	}
	one := composer{Program: tool.Program{Name: "docker-compose", Install: "Neither docker compose nor docker-compose works here. See https://docs.docker.com/compose/install.", Dir: dir, Messages: dockerMessages}, prefix: named, old: true, unsaid: unsaid}
	_, err = one.Call(ctx, run, "compose:"+c.list, nil, "version", "--short")
	return one, err
}

func (c composer) args(args ...string) []string { return append(slices.Clone(c.prefix), args...) }

// line is the command line of args, as a person types it where keysplit was started.
func (c composer) line(args ...string) finding.Command {
	if dir := steps.FromHere(c.Dir); c.unsaid != "" && dir != "." && !strings.HasPrefix(dir, "..") {
		args = append([]string{"--file", steps.FromHere(c.unsaid)}, args...) // from above its folder it is not found
	}
	return finding.Shell(append([]string{c.Name}, c.args(args...)...)...)
}

// all are the services of the file. Of those with a profile, version 2 lists the ones
// that are asked for, and starts any that is named. ${KEY:?} has no value before the write.
func (c composer) all(ctx context.Context, run *steps.Run, spec string) ([]string, error) {
	args := c.args("--profile", "*", "config", "--services", "--no-interpolate")
	if c.old {
		args = c.args("config", "--services", "--no-interpolate")
	}
	out, err := c.Call(ctx, run, spec, nil, args...)
	return strings.Fields(string(out)), err
}

// containers are the IDs of a service's containers, one for each replica.
func (c composer) containers(ctx context.Context, run *steps.Run, service string) ([]string, error) {
	out, err := c.Call(ctx, run, "compose:"+service, nil, c.args("ps", "--quiet", service)...)
	return strings.Fields(string(out)), err
}

// Plan looks at the file and its services.
func (c services) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	all := c.all
	by, err := c.find(ctx, run)
	if err != nil {
		return steps.Plan{}, err
	}
	there, err := by.all(ctx, run, "compose:"+c.list)
	if err != nil {
		return steps.Plan{}, err
	}
	var others []string
	for _, name := range there {
		if !slices.Contains(all, name) {
			others = append(others, secret.Inert(name))
		}
	}
	for _, name := range all {
		if !slices.Contains(there, name) {
			flag := c.flags(run, "")[0]
			return steps.Plan{}, steps.UsageOf(strings.TrimPrefix(flag, "--"), "%s compose: there is no service %q; there is: %s", flag, name, secret.Inert(strings.Join(there, ", ")))
		}
	}
	var again string // one after the other
	for i, name := range all {
		if i > 0 {
			again += " && "
		}
		again += by.Name + " " + strings.Join(by.up(name), " ")
	}
	p := steps.Plan{
		Summary: prose.Say("Recreate the containers of %s.", strings.Join(all, ", ")),
		Command: again,
		Details: []prose.Text{prose.Labelled("File", "%s", c.Described(run)), steps.CommandDetail(again),
			prose.Say("A plain restart would keep the old environment.")},
		Effects: []prose.Text{prose.Say("Each service is unavailable for as long as it takes to start.")},
	}
	if len(others) > 0 {
		p.Details = append(p.Details, prose.Labelled("Not recreated", "%s. Workers that run this backend read the key too: name them as well.", strings.Join(others, ", ")))
	}
	return p, nil
}

func (c composer) up(service string) []string {
	args := c.args("up", "--detach", "--no-deps", "--force-recreate")
	if !c.old {
		args = append(args, "--wait")
	}
	return append(args, service)
}

// Places are the services.
func (c services) Places(context.Context, *steps.Run) []string { return c.all }

// Restart recreates the containers.
func (c services) Restart(ctx context.Context, run *steps.Run, pace Pace, emit steps.Emit) error {
	by, err := c.find(ctx, run)
	if err != nil {
		return err
	}
	if err := pace.each(c.all, func(name string) error { return c.one(ctx, run, pace, emit, by, name) }); err != nil {
		return err
	}
	return c.stale(ctx, run, emit, by)
}

// one recreates the containers of one service.
func (c services) one(ctx context.Context, run *steps.Run, pace Pace, emit steps.Emit, by composer, name string) error {
	emit.Await("restart "+name, "recreate "+name, pace.Limit(run))
	before, err := by.containers(ctx, run, name)
	if err != nil {
		return err
	}
	res, over, err := watch(ctx, run, emit, by.Program, pace.Limit(run), composeProgress.MatchString, by.up(name)...)
	logs := finding.Do("Read why: %s", by.line("logs", name))
	switch {
	case err != nil:
		return err
	case over:
		by.log(ctx, run, emit, name)
		return wentWrong(run, "compose:"+c.list, fmt.Sprintf("%s was not up after %v.", name, pace.Limit(run)), finding.Do("%s. If it only takes long, give it more time: `keysplit --timeout 10m`.", logs))
	case res.Code != 0 && bytes.Contains(res.Stdout, []byte("ContainerConfig")):
		return wentWrong(run, "compose:"+c.list, "docker-compose 1.29 cannot recreate a container with this version of Docker.",
			finding.Do("Install Docker's compose plugin, or remove the container first: %s", finding.Shell("docker-compose", "rm", "--stop", "--force", name)))
	case res.Code != 0:
		by.log(ctx, run, emit, name)
		return wentWrong(run, "compose:"+c.list, fmt.Sprintf("%s could not start %s (exit code %d).", by.Name, name, res.Code), logs)
	}
	return c.proof(ctx, run, pace, emit, by, name, before)
}

// composeProgress are the lines that say what becomes of which container. Other
// lines are not shown: an error may quote a line of .env.
var composeProgress = lazyregexp.New(`^ *(?:(?:Container|Network|Volume|Image) [\w.:/-]+ +[A-Z][a-z]+|(?:Creating|Recreating|Starting|Stopping) [\w.-]+ *(?:\.\.\.)?(?: *done)?)[ \d.s]*$`)

// proof looks at the new containers, one for each replica: that they are new, that
// they run, and which key they were given.
func (c services) proof(ctx context.Context, run *steps.Run, pace Pace, emit steps.Emit, by composer, name string, before []string) error {
	id := "restart " + name
	now, err := by.containers(ctx, run, name)
	if err != nil {
		return err
	}
	if len(now) == 0 || slices.ContainsFunc(now, func(id string) bool { return slices.Contains(before, id) }) {
		emit.Check(id, steps.MarkFailed, "recreate "+name, "there is an old container, or none")
		return wentWrong(run, "compose:"+name, name+" has no new container.", finding.Do("Look at it: %s", by.line("ps")))
	}
	given := 0
	for _, one := range now {
		// A service that ends at its start runs for a moment first.
		var found containerState
		since := time.Now()
		ok, err := pace.Until(ctx, pace.steady()+run.Options.Wait(), func() (bool, error) {
			var err error
			found, err = inspect(ctx, run, by, name, one)
			return found.State.Status != "running" || time.Since(since) >= pace.steady(), err
		})
		if err != nil {
			return err
		}
		if !ok || found.State.Status != "running" {
			emit.Check(id, steps.MarkFailed, "recreate "+name, secret.Inert(found.State.Status))
			by.log(ctx, run, emit, name)
			return wentWrong(run, "compose:"+name, name+" does not run.", finding.Do("Read why: %s", by.line("logs", name)))
		}
		value, there := found.key(run)
		switch {
		case there && run.Key.Set() && !run.Secret(value).Equal(run.Key):
			emit.Check(id, steps.MarkFailed, "recreate "+name, "with another key")
			return steps.Fail(finding.New(finding.JWTKeyShadowed, "The new container of "+name+" was given another JWT_SECRET_KEY than the new one.").At("compose:"+name, 0).
				WithFix(finding.Do("Write the key to the file that the service reads: `keysplit --target compose:FILE#%s`", name)))
		case there:
			given++
		}
	}
	containers := "a new container"
	if len(now) > 1 {
		containers = fmt.Sprintf("%d new containers", len(now))
	}
	switch {
	case given == len(now) && run.Key.Set():
		emit.Check(id, steps.MarkOK, "recreated "+name, containers+", with the new key")
	case run.Key.Set() && c.feeds(run, name):
		emit.Check(id, steps.MarkFailed, "recreate "+name, "without the key")
		return steps.Fail(finding.New(finding.ComposeMissingKey, "The new container of "+name+" was not given JWT_SECRET_KEY, although the key was written for it.").At("compose:"+name, 0).
			WithSeverity(finding.Error).WithFix(finding.Do("See that the compose file gives the service the file or the variable: %s", by.line("config", "--no-interpolate"))).NotFixable())
	case run.Key.Set():
		emit.Check(id, steps.MarkWarn, "recreated "+name, containers+"; its environment does not hold the key: "+steps.About(steps.SmokeTest).Called()+" proves it")
	default:
		emit.Check(id, steps.MarkOK, "recreated "+name, containers)
	}
	return nil
}

// feeds reports whether the key was written to where this service gets its environment.
func (c services) feeds(run *steps.Run, name string) bool {
	return slices.ContainsFunc(targetsOf[compose](run), func(t compose) bool {
		return t.service == name || t.service == "" && c.list == name
	})
}

// containerState is what counts of a container.
type containerState struct {
	State struct {
		Status    string
		StartedAt time.Time
	}
	Image  string // its ID
	Config struct{ Env []string }
	Mounts []struct{ Source string } // absolute paths of this machine
}

// key is what the container was given as JWT_SECRET_KEY.
func (s containerState) key(run *steps.Run) (value string, there bool) {
	return s.variable(run.Names().Key)
}

// variable is what the container was given under a name.
func (s containerState) variable(called string) (value string, there bool) {
	for _, pair := range s.Config.Env {
		if name, v, _ := strings.Cut(pair, "="); name == called {
			value, there = v, true
		}
	}
	return value, there
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

func (c composer) log(ctx context.Context, run *steps.Run, emit steps.Emit, service string) {
	if res, err := c.Try(ctx, run, nil, c.args("logs", "--no-color", "--tail", fmt.Sprint(logLines), service)...); err == nil {
		showLog(run, emit, service, res.Stdout)
	}
}
