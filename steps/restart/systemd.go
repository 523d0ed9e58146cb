package restart

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/tool"
)

// systemd restarts units, one after the other. Only a restart makes a unit read
// its EnvironmentFile again: not a reload, and not daemon-reload. A unit that
// ends a second after it started counts as started for systemctl, so each is
// watched until it has stayed up for a while.
//
// What a unit is given by Environment= or an EnvironmentFile beats a .env that
// the backend reads itself. Where such a value is another one than the new key,
// nothing is restarted.
type systemd struct {
	*Step
	units string
	// root tells whether this process may restart by itself; nil asks the system.
	root func() bool
}

func newSystemd(s *Step, units string) manager { return systemd{Step: s, units: units} }

func (systemd) tool() tool.Program {
	return tool.Program{Name: "systemctl", Install: "It belongs to systemd, which does not run here.", Login: "sudo -v"}
}

// unit is the part of `systemctl show` that counts. Values of its environment
// are in it: nothing of it is shown as it is.
type unit struct {
	name                                                  string
	load, active, sub, pid, restarts, result, environment string
	files                                                 []string
}

func (s systemd) show(ctx context.Context, run *steps.Run, name string) (unit, error) {
	u := unit{name: name}
	out, err := s.tool().Call(ctx, run, "systemd:"+name, nil, "show", "--property",
		"LoadState,ActiveState,SubState,MainPID,NRestarts,Result,Environment,EnvironmentFiles", name)
	if err != nil {
		return u, err
	}
	u.read(string(out))
	if u.load == "not-found" || u.load == "" {
		return u, steps.Fail(steps.NewFinding("place-not-found", "There is no unit "+name+".").At("systemd:"+name, 0).
			WithFix("Look at its name: systemctl list-units --type=service"))
	}
	return u, nil
}

// read takes the properties as systemctl prints them: NAME=value, a line each, a
// list as several lines.
func (u *unit) read(out string) {
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimRight(line, "\n"), "=")
		switch key {
		case "LoadState":
			u.load = value
		case "ActiveState":
			u.active = value
		case "SubState":
			u.sub = value
		case "MainPID":
			u.pid = value
		case "NRestarts":
			u.restarts = value
		case "Result":
			u.result = value
		case "Environment":
			u.environment = value
		case "EnvironmentFiles":
			path, _, _ := strings.Cut(value, " (ignore_errors=")
			if path != "" {
				u.files = append(u.files, path)
			}
		}
	}
}

func (s systemd) plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	all, err := names(s.units)
	if err != nil {
		return steps.Plan{}, err
	}
	p := steps.Plan{Summary: "Restart " + strings.Join(all, ", then ") + " with systemd."}
	for _, name := range all {
		u, err := s.show(ctx, run, name)
		if err != nil {
			return p, err
		}
		p.Details = append(p.Details, fmt.Sprintf("%s: %s, process %s", name, steps.Inert(u.active+" "+u.sub), steps.Inert(u.pid)))
		for _, f := range u.files {
			p.Details = append(p.Details, name+" reads "+steps.Inert(f))
		}
		if err := shadows(run, u); err != nil {
			return p, err
		}
	}
	p.Details = append(p.Details, "Every other unit that runs this backend reads the key too: Celery's workers, beat, cron. Name them as well.")
	p.Effects = []string{"Each unit is away for as long as it takes to start."}
	return p, nil
}

var keyAssignment = regexp.MustCompile(`(?:^|[\s"'])` + steps.KeyName + `=([^\s"']*)`)

// shadows tells when what systemd gives a unit beats the new key.
func shadows(run *steps.Run, u unit) error {
	if !run.Key.Set() {
		return nil
	}
	where, value, found := "", "", false
	if m := keyAssignment.FindStringSubmatch(u.environment); m != nil {
		where, value, found = "its Environment=", m[1], true
	}
	for _, path := range u.files { // the last one wins, and beats Environment=
		data, err := steps.ReadSmall(path)
		if err != nil {
			continue // root reads it, and we may not be root: the running server proves it
		}
		vars, err := envfile.Read(envfile.Systemd, data, nil)
		if err != nil {
			continue
		}
		if v, ok := vars.Get(steps.KeyName); ok {
			where, value, found = path, v, true
		}
	}
	if !found || run.Secret(value).Equal(run.Key) {
		return nil
	}
	fix := "Take " + steps.KeyName + " out of the unit: sudo systemctl edit " + u.name
	if filepath.IsAbs(where) {
		fix = "Write the key there as well: --target dotenv:" + where
	}
	return steps.Fail(steps.NewFinding("jwt-key-shadowed", fmt.Sprintf("The unit %s gets another JWT_SECRET_KEY from %s, which beats the new one.", u.name, steps.Inert(where))).
		At("systemd:"+u.name, 0).WithFix(fix))
}

func (s systemd) places(context.Context, *steps.Run) []string { return strings.Split(s.units, ",") }

func (s systemd) restart(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	all, err := names(s.units)
	if err != nil {
		return err
	}
	for _, name := range all {
		if err := s.one(ctx, run, emit, name); err != nil {
			return err
		}
	}
	return nil
}

func (s systemd) one(ctx context.Context, run *steps.Run, emit steps.Emit, name string) error {
	id := "restart " + name
	before, err := s.show(ctx, run, name)
	if err != nil {
		return err
	}
	emit.Check(id, steps.MarkRunning, "restart "+name, "")
	if err := s.ask(ctx, run, emit, name); err != nil {
		return err
	}
	var now unit
	var since time.Time
	ok, err := s.until(ctx, run.Options.Wait(), func() (bool, error) {
		if now, err = s.show(ctx, run, name); err != nil {
			return false, err
		}
		if now.active == "failed" || since.IsZero() && now.result == "start-limit-hit" {
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
		return time.Since(since) >= s.steady(), nil
	})
	switch {
	case err != nil:
		return err
	case now.result == "start-limit-hit":
		return wentWrong(run, "systemd:"+name, name+" was started too often in a short time, and systemd refuses it now.", "Wait, then run: sudo systemctl reset-failed "+name+" and then "+run.Again())
	case !ok || now.active != "active" || now.restarts != before.restarts:
		emit.Check(id, steps.MarkFailed, "restart "+name, steps.Inert(now.active+" "+now.sub))
		s.log(ctx, run, emit, name)
		return wentWrong(run, "systemd:"+name, name+" did not stay up.", "Read why: journalctl -u "+name+" -n 50")
	}
	emit.Check(id, steps.MarkOK, "restarted "+name, "process "+steps.Inert(now.pid)+", was "+steps.Inert(before.pid))
	return nil
}

// ask has the unit restarted: by this process when it is root, by sudo without a
// password, by sudo with the terminal for its question, or else by the user, in
// another terminal.
func (s systemd) ask(ctx context.Context, run *steps.Run, emit steps.Emit, name string) error {
	isRoot := s.root
	if isRoot == nil {
		isRoot = func() bool { return os.Geteuid() == 0 }
	}
	program, args := s.tool(), []string{"restart", "--no-block", name}
	if !isRoot() {
		program, args = tool.Program{Name: "sudo", Install: "Restart as root."}, append([]string{"-n", "systemctl"}, args...)
	}
	res, err := program.Try(ctx, run, nil, args...)
	if err != nil {
		return err
	}
	if res.Code == 0 {
		return nil
	}
	if bytes.Contains(res.Stderr, []byte("Access denied")) || bytes.Contains(res.Stderr, []byte("authentication required")) || !isRoot() {
		if run.Options.Unattended {
			return steps.Fail(steps.NewFinding("access-denied", "Restarting "+name+" needs root, and sudo wants a password.").At("systemd:"+name, 0).
				WithFix("Run keysplit as root, or restart it yourself: sudo systemctl restart " + name + " and then " + byHand(run)))
		}
		if run.HandOver != nil && !isRoot() {
			return s.handOver(ctx, run, emit, program, args[1:], name)
		}
		emit.Progress("This needs root, and sudo wants a password. In another terminal, run: sudo systemctl restart " + name + "   Waiting for the new process.")
		return nil
	}
	return wentWrong(run, "systemd:"+name, fmt.Sprintf("systemctl could not restart %s (exit code %d).", name, res.Code), "Read why: systemctl status "+name)
}

// handOver lets sudo ask for the password itself: keysplit never sees it.
func (s systemd) handOver(ctx context.Context, run *steps.Run, emit steps.Emit, sudo tool.Program, args []string, name string) error {
	path, err := sudo.Path()
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
		return steps.Fail(steps.NewFinding("access-denied", "sudo did not restart "+name+".").At("systemd:"+name, 0).
			WithFix("Try again, or restart it yourself: sudo systemctl restart " + name + " and then " + byHand(run)))
	}
	return nil
}

// log shows the end of the unit's journal.
func (s systemd) log(ctx context.Context, run *steps.Run, emit steps.Emit, name string) {
	journal := tool.Program{Name: "journalctl"}
	if res, err := journal.Try(ctx, run, nil, "--unit", name, "--lines", fmt.Sprint(logLines), "--no-pager", "--output", "cat"); err == nil {
		showLog(run, emit, res.Stdout)
	}
}
