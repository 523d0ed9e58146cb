package vendor

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// lineOthers is the line about those that run the same backend and were not named.
const lineOthers = "others"

// stale looks for containers with another key than the new one: of named services that
// were not recreated just now, and of those that were not named, although they run this
// backend and get the key from the same file. They go on with what they were made with.
// What cannot be looked at is told, and nothing is claimed of it.
func (c services) stale(ctx context.Context, run *steps.Run, emit steps.Emit, by composer, named ...string) error {
	if !run.Key.Set() {
		return nil
	}
	alike, err := c.alike(ctx, run, by)
	if err != nil {
		emit.Check(lineOthers, steps.MarkWarn, "other services", "could not be looked at")
		return ctx.Err()
	}
	var stale, running []string
	for _, name := range slices.Concat(named, alike) {
		runs, old, err := c.holdsAnother(ctx, run, by, name)
		if err != nil {
			emit.Check(lineOthers, steps.MarkWarn, "service "+secret.Inert(name), "could not be looked at")
			return ctx.Err()
		}
		if runs {
			running = append(running, name)
		}
		if old {
			stale = append(stale, secret.Inert(name))
		}
	}
	switch {
	case len(stale) > 0:
		emit.Check(lineOthers, steps.MarkFailed, strings.Join(stale, ", "), "not recreated")
		all := slices.Clone(c.all)
		for _, name := range stale {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
		from := ""
		if c.file != "" {
			from = c.file + "#"
		}
		return steps.Fail(staleOnes("The containers of "+strings.Join(stale, ", ")+" run this backend, and still have what they were made with, not the new key.",
			"compose:"+c.list, "compose:"+from+strings.Join(all, ",")))
	case len(named) > 0 && len(running) == 0:
		emit.Check(lineOthers, steps.MarkWarn, "containers of "+secret.Inert(c.list), "none runs here")
	case len(named) > 0:
		emit.Check(lineOthers, steps.MarkOK, "containers of "+secret.Inert(strings.Join(running, ", ")), "none has another key")
	case len(alike) > 0:
		emit.Check(lineOthers, steps.MarkOK, "other services of this backend", "none has another key")
	}
	return nil
}

// older does for the service of a target what stale does after its restart.
func (c compose) older(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	whole, asked := askCompose(ctx, run, c.Described(run))
	if !asked {
		var err error
		if whole, err = readCompose(c.Described(run)); err != nil {
			return nil // what is wrong with the file, the target says
		}
	}
	name, err := c.choose(run, whole)
	if err != nil {
		return nil
	}
	s := services{c.file, name, []string{name}}
	by, err := s.find(ctx, run)
	if err != nil {
		emit.Check(lineOthers, steps.MarkWarn, "containers of "+secret.Inert(name), "could not be looked at")
		return ctx.Err()
	}
	return s.stale(ctx, run, emit, by, name)
}

// staleOnes is the finding of processes that were not restarted with the others; restart
// is what restarts them all.
func staleOnes(message, at, restart string) finding.Finding {
	f := finding.New(finding.ServerStaleKey, message).At(at, 0).NotFixable().
		WithFix(finding.Do("Restart them with the others: `keysplit --restart %s`", restart))
	return f
}

// alike are the services that were not named, get the key from the file that a named one
// gets it from, and are made from the same image or the same folder. A database that is
// given the same file is none.
func (c services) alike(ctx context.Context, run *steps.Run, by composer) ([]string, error) {
	path := c.Described(run)
	whole, asked := askCompose(ctx, run, path)
	if !asked {
		var err error
		if whole, err = readCompose(path); err != nil {
			return nil, nil // what is wrong with the file, the target says
		}
	}
	source := func(name string) string {
		from, err := whole.sourceOf(run, name, filepath.Dir(path))
		if err != nil {
			return ""
		}
		return from.path
	}
	var out []string
	var images []string
	for name, s := range whole.Services {
		if slices.Contains(c.all, name) || source(name) == "" {
			continue
		}
		for _, named := range c.all {
			if source(named) != source(name) {
				continue
			}
			same := s.Build != nil && fmt.Sprint(s.Build) == fmt.Sprint(whole.Services[named].Build)
			if !same {
				made, err := c.images(ctx, run, by, name)
				if err == nil && images == nil {
					images, err = c.images(ctx, run, by, c.all...)
				}
				if err != nil {
					return nil, err
				}
				same = slices.ContainsFunc(made, func(image string) bool { return image != "" && slices.Contains(images, image) })
			}
			if same {
				out = append(out, name)
				break
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// images are those that the containers of services are made from.
func (c services) images(ctx context.Context, run *steps.Run, by composer, all ...string) (out []string, err error) {
	for _, name := range all {
		ids, err := by.containers(ctx, run, name)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			found, err := inspect(ctx, run, by, name, id)
			if err != nil {
				return nil, err
			}
			out = append(out, found.Image)
		}
	}
	return out, nil
}

// holdsAnother reports whether a container of the service runs, and whether one runs
// without the new key.
func (c services) holdsAnother(ctx context.Context, run *steps.Run, by composer, name string) (runs, another bool, err error) {
	ids, err := by.containers(ctx, run, name)
	if err != nil {
		return false, false, err
	}
	for _, id := range ids {
		found, err := inspect(ctx, run, by, name, id)
		if err != nil {
			return runs, false, err
		}
		if found.State.Status != "running" {
			continue
		}
		if runs = true; found.stale(run) {
			return true, true, nil
		}
	}
	return runs, false, nil
}

// stale reports whether the container runs with another key than the new one: what it was
// given when it was made, or what a file that it mounts held when it was started.
func (s containerState) stale(run *steps.Run) bool {
	if value, there := s.key(run); there {
		return !run.Secret(value).Equal(run.Key)
	}
	at, known := run.KeyWritten()
	for _, m := range s.Mounts {
		for _, path := range run.Home().Files() {
			if known && (m.Source == path || contains(m.Source, path)) {
				return s.State.StartedAt.Before(at)
			}
		}
	}
	return true
}
