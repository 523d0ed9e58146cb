package vendor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
	"dj/keysplit/steps/sys/shell"
	"dj/keysplit/steps/tool"
)

// Units restarts units, one after the other. Only a restart makes a unit read
// its EnvironmentFile again: not a reload, and not daemon-reload. A unit that
// ends a second after it started counts as started for systemctl, so each is
// watched until it has stayed up for a while.
//
// What a unit is given by Environment= or an EnvironmentFile beats a .env that
// the backend reads itself. Where such a value is another one than the new key,
// nothing is restarted.
type Units struct {
	Names []string
	// Root reports whether this process may restart by itself.
	Root func() bool
}

func parseUnits(argument string) (Manager, error) {
	all, err := names(argument)
	return Units{all, func() bool { return os.Geteuid() == 0 }}, err
}

func (Units) tool() tool.Program {
	return tool.Program{Name: "systemctl", Install: "It belongs to systemd, which does not run here.", Login: finding.Do("`sudo -v`")}
}

// unit is the part of `systemctl show` that counts. Values of its environment
// are in it: nothing of it is shown as it is.
type unit struct {
	name                                                  string
	load, active, sub, pid, restarts, result, environment string
	user                                                  string // "" for root
	job                                                   string // that waits or runs, "" or "0" for none
	invocation                                            string // differs from one start to the next; "" where systemd is too old
	files                                                 []string
}

func (s Units) show(ctx context.Context, run *steps.Run, name string) (unit, error) {
	u := unit{name: name}
	out, err := s.tool().Call(ctx, run, "systemd:"+name, nil, "show", "--property",
		"LoadState,ActiveState,SubState,MainPID,NRestarts,Result,Job,InvocationID,User,Environment,EnvironmentFiles", name)
	if err != nil {
		return u, err
	}
	u.read(string(out))
	if u.load == "not-found" || u.load == "" {
		return u, steps.Fail(finding.New(finding.PlaceNotFound, "There is no unit "+name+".").At("systemd:"+name, 0).
			WithFix(finding.Do("Look at its name: `systemctl list-units --type=service`")))
	}
	return u, nil
}

// read takes the properties as systemctl prints them: NAME=value, a line each, a
// list as several lines.
func (u *unit) read(out string) {
	single := map[string]*string{
		"LoadState": &u.load, "ActiveState": &u.active, "SubState": &u.sub, "MainPID": &u.pid, "NRestarts": &u.restarts,
		"Result": &u.result, "Job": &u.job, "InvocationID": &u.invocation, "User": &u.user, "Environment": &u.environment,
	}
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), "=")
		if field := single[key]; field != nil {
			*field = value
		}
		if path, _, _ := strings.Cut(value, " (ignore_errors="); key == "EnvironmentFiles" && path != "" {
			u.files = append(u.files, path)
		}
	}
}

// UnitUser is the user that the first of the units runs as that is not root's, and the
// files that systemd gives to it; "" where there is none, or systemd cannot say.
func UnitUser(ctx context.Context, run *steps.Run, units []string) (user string, files []string) {
	for _, name := range units {
		u, err := Units{}.show(ctx, run, name)
		if err == nil && u.user != "" && u.user != "root" && u.user != "0" {
			return u.user, u.files
		}
	}
	return "", nil
}

// busy reports whether systemd has not done yet what it was asked for.
func (u unit) busy() bool { return u.job != "" && u.job != "0" }

// Plan looks at the units, and at what systemd will give them.
func (s Units) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	p := steps.Plan{Summary: prose.Say("Restart %s with systemd.", strings.Join(s.Names, ", then "))}
	for _, name := range s.Names {
		u, err := s.show(ctx, run, name)
		if err != nil {
			return p, err
		}
		p.Details = append(p.Details, prose.Labelled(name, "%s, process %s", secret.Inert(u.active+" "+u.sub), secret.Inert(u.pid)))
		for _, f := range u.files {
			p.Details = append(p.Details, prose.Say("%s reads %s", name, secret.Inert(f)))
		}
		doubt, err := fits(run, u)
		if err != nil {
			return p, err
		}
		if doubt != "" {
			p.Effects = append(p.Effects, prose.Of(doubt))
		}
	}
	p.Details = append(p.Details, prose.Say("Every other unit that runs this backend reads the key too: Celery's workers, beat, cron. Name them as well."))
	p.Effects = append(p.Effects, prose.Say("Each unit is unavailable for as long as it takes to start."))
	return p, nil
}

// assignment finds a variable of a unit's own Environment=.
func assignment(environment, name string) (value string, found bool) {
	m := regexp.MustCompile(`(?:^|[\s"'])` + name + `=([^\s"']*)`).FindStringSubmatch(environment)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// given is what systemd gives a unit under one name.
type given struct {
	from  string // "its Environment=" or the path of a file
	value string
	found bool
}

// environmentOf reads two variables as systemd gives them to a unit: of its files
// the last one wins, and beats Environment=. unread is a file that only root can
// read and that may decide: then neither is known.
func environmentOf(run *steps.Run, u unit) (key, secretKey given, unread string) {
	key, unread = givenTo(run, u, run.Names().Key)
	secretKey, _ = givenTo(run, u, run.Names().SecretKey)
	return key, secretKey, unread
}

// givenTo reads one variable so.
func givenTo(run *steps.Run, u unit, name string) (g given, unread string) {
	v, ok := assignment(u.environment, name)
	g = given{"its Environment=", v, ok}
	for _, path := range u.files {
		data, err := file.ReadSmall(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var vars envfile.Vars
		if err == nil {
			vars, err = envfile.Read(envfile.Systemd, data, nil)
		}
		if err != nil {
			unread = path
			continue
		}
		if v, ok := vars.Get(name); ok {
			g, unread = given{path, v, true}, ""
		}
	}
	return g, unread
}

// written are the files that the key goes to in this run, for systemd to read.
func written(run *steps.Run) []string {
	var out []string
	for _, t := range run.Targets {
		if _, named := t.(Made); t.Local() && !named { // what a compose file names goes to containers
			out = append(out, t.File(run))
		}
	}
	return out
}

// among reports whether a path is one of the others, also by another name.
func among(others []string, path string) bool {
	return slices.ContainsFunc(others, func(o string) bool { return steps.SameFile(o, path) })
}

// fits checks what systemd will give a unit against what was written. What beats
// the new key, or gets the keys from a file that was not written, is a *Failure;
// what cannot be known is said in a line.
func fits(run *steps.Run, u unit) (doubt string, err error) {
	if !run.Key.Set() {
		return "", nil
	}
	at := "systemd:" + u.name
	files := written(run)
	key, secretKey, unread := environmentOf(run, u)
	switch {
	case unread != "" && among(files, unread):
		return "", nil
	case unread != "":
		return u.name + " reads " + secret.Inert(unread) + ", which only root can read: that it holds the new key is proved in " + steps.About(steps.SmokeTest).Called() + ".", nil
	case key.found && among(files, key.from) && run.Options.ReadOnly:
		return "", nil // it is written later
	case key.found && run.Secret(key.value).Equal(run.Key):
		return "", nil
	case key.found:
		fix := finding.Do("Take %s out of the unit: %s", run.Names().Key, finding.Shell("sudo", "systemctl", "edit", u.name))
		if filepath.IsAbs(key.from) {
			fix = finding.Do("Write the key there as well: %s", finding.Command(run.FinishCommand(append(run.Specs(), "dotenv:"+key.from))))
		}
		return "", steps.Fail(finding.New(finding.JWTKeyShadowed, fmt.Sprintf("The unit %s gets another JWT_SECRET_KEY from %s, which overrides the new one.", u.name, secret.Inert(key.from))).
			At(at, 0).WithFix(fix))
	case len(files) == 0 || slices.ContainsFunc(u.files, func(f string) bool { return among(files, f) }):
		return "", nil
	case secretKey.found:
		fix := finding.Do("Write the key there: %s", finding.Command("keysplit --target "+shell.Join("dotenv:"+secretKey.from)))
		if !filepath.IsAbs(secretKey.from) {
			fix = finding.Do("Give the unit the file that was written: %s, with EnvironmentFile=%s", finding.Shell("sudo", "systemctl", "edit", u.name), files[0])
		}
		return "", steps.Fail(finding.New(finding.EnvFileWrongPlace, fmt.Sprintf("The unit %s gets SECRET_KEY from %s, and no JWT_SECRET_KEY: the key was written to %s, which the unit does not name.", u.name, secret.Inert(secretKey.from), run.Project.Rel(files[0]))).
			At(at, 0).WithFix(fix))
	case len(u.files) > 0:
		return u.name + " names no file that was written. That is right where the backend reads " + run.Project.Rel(files[0]) + " by itself; " + steps.About(steps.SmokeTest).Called() + " proves it.", nil
	}
	return "", nil
}

// Each are the units.
func (s Units) Each() (out []Manager) {
	for _, name := range s.Names {
		out = append(out, Units{[]string{name}, s.Root})
	}
	return out
}

// Places are the units.
func (s Units) Places(context.Context, *steps.Run) []string { return s.Names }

// Restart restarts one unit after the other.
func (s Units) Restart(ctx context.Context, run *steps.Run, pace Pace, emit steps.Emit) error {
	return pace.each(s.Names, func(name string) error { return s.one(ctx, run, pace, emit, name) })
}

func (s Units) one(ctx context.Context, run *steps.Run, pace Pace, emit steps.Emit, name string) error {
	id := "restart " + name
	before, err := s.show(ctx, run, name)
	if err != nil {
		return err
	}
	emit.Await(id, "restart "+name, pace.Limit(run))
	queued, err := s.ask(ctx, run, emit, name)
	if err != nil {
		return err
	}
	var now unit
	var since time.Time
	ok, err := pace.Until(ctx, pace.Limit(run), func() (bool, error) {
		if now, err = s.show(ctx, run, name); err != nil {
			return false, err
		}
		if now.busy() {
			return false, nil // what is seen is from before the start
		}
		// A unit that had failed before is so until somebody starts it.
		begun := queued || now.invocation != before.invocation || before.active != "failed"
		if begun && (now.active == "failed" || since.IsZero() && now.result == "start-limit-hit") || queued && now.sub == "auto-restart" {
			return true, nil
		}
		if now.active != "active" || now.pid == "0" || now.pid == before.pid {
			since = time.Time{}
			return false, nil
		}
		if since.IsZero() {
			since, before.restarts = time.Now(), now.restarts
		}
		if now.restarts != before.restarts {
			return true, nil // it ended and was started again
		}
		return time.Since(since) >= pace.steady(), nil
	})
	switch {
	case err != nil:
		return err
	case now.result == "start-limit-hit":
		return wentWrong(run, "systemd:"+name, name+" was started too often in a short time, and systemd refuses it now.", finding.Do("Wait, then run: %s and then %s", finding.Shell("sudo", "systemctl", "reset-failed", name), finding.Command(run.ResumeCommand())))
	case !ok && now.busy():
		emit.Check(id, steps.MarkFailed, "restart "+name, secret.Inert(now.active+" "+now.sub))
		return wentWrong(run, "systemd:"+name, fmt.Sprintf("%s was not restarted within %v: systemd is still at it, such as waiting for what the old process has begun.", name, pace.Limit(run)),
			finding.Do("Look at it: %s. If it only takes long, give it more time: `keysplit --timeout 10m`.", finding.Shell("systemctl", "status", name)))
	case !ok || now.active != "active" || now.restarts != before.restarts:
		emit.Check(id, steps.MarkFailed, "restart "+name, secret.Inert(now.active+" "+now.sub))
		s.log(ctx, run, emit, name)
		return wentWrong(run, "systemd:"+name, name+" did not stay up.", finding.Do("Read why: %s", finding.Shell("journalctl", "-u", name, "-n", "50")))
	}
	emit.Check(id, steps.MarkOK, "restarted "+name, "process "+secret.Inert(now.pid)+", was "+secret.Inert(before.pid))
	return nil
}

// ask has the unit restarted: by this process when it is root, by sudo without a
// password, by sudo with the terminal for its question, or else by the user, in
// another terminal. queued tells that systemd has the request.
func (s Units) ask(ctx context.Context, run *steps.Run, emit steps.Emit, name string) (queued bool, err error) {
	program, args := s.tool(), []string{"restart", "--no-block", name}
	if !s.Root() {
		program, args = tool.Program{Name: "sudo", Install: "Restart as root."}, append([]string{"-n", "systemctl"}, args...)
	}
	res, err := program.Try(ctx, run, nil, args...)
	if err != nil || res.Code == 0 {
		return err == nil, err
	}
	if bytes.Contains(res.Stderr, []byte("Access denied")) || bytes.Contains(res.Stderr, []byte("authentication required")) || !s.Root() {
		if run.Options.Unattended {
			return false, steps.Fail(finding.New(finding.AccessDenied, "Restarting "+name+" needs root, and sudo wants a password.").At("systemd:"+name, 0).
				WithFix(finding.Do("Run keysplit as root, or restart it yourself: %s and then %s", finding.Shell("sudo", "systemctl", "restart", name), byHand(run))))
		}
		if run.HandOver != nil && !s.Root() {
			err := s.handOver(ctx, run, emit, program, args[1:], name)
			return err == nil, err
		}
		emit.Progress("This needs root, and sudo wants a password. In another terminal, run: sudo systemctl restart " + name + "   Waiting for the new process.")
		return false, nil
	}
	return false, wentWrong(run, "systemd:"+name, fmt.Sprintf("systemctl could not restart %s (exit code %d).", name, res.Code), finding.Do("Read why: %s", finding.Shell("systemctl", "status", name)))
}

// handOver lets sudo ask for the password itself: keysplit never sees it.
func (s Units) handOver(ctx context.Context, run *steps.Run, emit steps.Emit, sudo tool.Program, args []string, name string) error {
	path, err := sudo.Path(run)
	if err != nil {
		return err
	}
	emit.Progress("This needs root: sudo asks for your password.")
	// In the wizard nothing else is on the screen then, so the question says what
	// it is for; sudo itself puts the name of the account in place of %p.
	args = append([]string{"-p", "keysplit restarts " + name + ". Password of %p: "}, args...)
	if err := run.HandOver(ctx, path, args); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return steps.Fail(finding.New(finding.AccessDenied, "sudo did not restart "+name+".").At("systemd:"+name, 0).
			WithFix(finding.Do("Try again, or restart it yourself: %s and then %s", finding.Shell("sudo", "systemctl", "restart", name), byHand(run))))
	}
	return nil
}

// byHand is the command that goes on after a restart that the user did.
func byHand(run *steps.Run) finding.Command {
	return finding.Command(run.FinishCommand(steps.SpecsOf(run.Options.Targets), "--restart", "none"))
}

// log shows the end of the unit's journal.
func (s Units) log(ctx context.Context, run *steps.Run, emit steps.Emit, name string) {
	journal := tool.Program{Name: "journalctl"}
	if res, err := journal.Try(ctx, run, nil, "--unit", name, "--lines", fmt.Sprint(logLines), "--no-pager", "--output", "cat"); err == nil {
		showLog(run, emit, name, res.Stdout)
	}
}
