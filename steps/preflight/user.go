package preflight

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/vendor"
)

// findUser decides whom the project's code runs as where keysplit runs as root: what
// root leaves behind, such as a log file, stops a backend that is another user. That
// is the one of --as, the unit's, the owner of the env file, or the owner of manage.py,
// the first that is not root.
func findUser(ctx context.Context, run *steps.Run, p *steps.Project, emit steps.Emit) error {
	p.User, p.UserFrom, p.UnitFiles = nil, "", nil
	if run.Options.Static || len(pythonCommand(run)) > 1 {
		return nil // a container has users of its own
	}
	name, from := run.Options.As, "--as"
	if name == "" && os.Geteuid() == 0 {
		if name = unitUser(ctx, run, p); name != "" {
			from = "the user of the unit"
		}
	}
	if name != "" {
		a, err := child.FindAccount(name)
		switch {
		case err != nil && from == "--as":
			return steps.UsageOf("as", "--as: %w", err)
		case err != nil: // a unit's user may exist while it runs only
		case int(a.UID) == os.Geteuid():
			return nil
		case os.Geteuid() != 0:
			return steps.UsageOf("as", "--as %s: only root can run the project's code as another user", name)
		default:
			p.User, p.UserFrom = a, from
		}
	}
	if os.Geteuid() != 0 {
		return nil
	}
	for _, path := range []string{p.EnvFile.Path, p.ManagePy} {
		if p.User != nil {
			break
		}
		if p.User = notRoots(path); p.User != nil {
			p.UserFrom = "the owner of " + p.Rel(path)
		}
	}
	if p.User != nil {
		emit.Check("user", steps.MarkOK, "the project's code runs as "+p.User.Name, p.UserFrom)
	}
	return nil
}

// notRoots is the account that owns a file, nil for root.
func notRoots(path string) *child.Account {
	if a := child.Owner(path); a != nil && a.UID != 0 {
		return a
	}
	return nil
}

// unitUser is the user of the unit that is to be restarted, "" for none.
func unitUser(ctx context.Context, run *steps.Run, p *steps.Project) (user string) {
	if run.Options.Restart == nil {
		return ""
	}
	units, ok := strings.CutPrefix(run.Options.Restart.String(), "systemd:")
	if !ok {
		return ""
	}
	user, p.UnitFiles = vendor.UnitUser(ctx, run, strings.Split(units, ","))
	return user
}

// cannotStart is the finding of an interpreter that the system does not start.
func cannotStart(p *steps.Project) error {
	if p.User == nil {
		return notRunnable("The interpreter "+p.Python+" will not start.", "", 0,
			finding.Do("Name the project's interpreter: `keysplit --python PATH`."))
	}
	return notRunnable("The interpreter "+p.Python+" will not start as "+p.User.Name+" ("+p.UserFrom+").", "", 0,
		finding.Do("Give %s access to it and to %s, or name another user: `keysplit --as USER`.", p.User.Name, filepath.Dir(p.ManagePy)))
}
