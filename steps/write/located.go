package write

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/vendor"
)

// located is a file that another one names, such as a compose file: which one it is,
// is known once preflight has found the project.
type located struct {
	dotenv
	source vendor.File
	found  vendor.Located // with no How until it is found
}

// Vendor is what names the file.
func (l *located) Vendor() any { return l.source }

// File is the file, "" until it is found.
func (l *located) File(*steps.Run) string { return l.path }

// Variables are not known: what a container has beside the file, this machine has not. A
// Python in a container has all but the key as the file has it now.
func (l *located) Variables(run *steps.Run) (map[string]string, bool) {
	if !run.Project.Inside() {
		return nil, false
	}
	vars, _ := l.dotenv.Variables(run)
	out, key := map[string]string{}, run.Names().Key
	if value, there := vars[key]; there {
		out[key] = value
	}
	return out, true
}

// Described is the file that names it.
func (l *located) Described(run *steps.Run) string {
	if d, ok := l.source.(vendor.Described); ok {
		return d.Described(run)
	}
	return ""
}

// Find finds the file, once.
func (l *located) Find(ctx context.Context, run *steps.Run) error {
	if l.found.How != "" {
		return nil
	}
	at, err := l.source.Locate(ctx, run)
	if err != nil {
		return err
	}
	l.path, l.reads, l.found = at.Path, at.Readers, at
	return nil
}

// Look finds the file and reads it. What it is compared with comes from every place
// that the service reads.
func (l *located) Look(ctx context.Context, run *steps.Run) (steps.Held, error) {
	if err := l.Find(ctx, run); err != nil {
		return steps.Held{}, err
	}
	held, err := l.dotenv.Look(ctx, run)
	if err != nil {
		return held, err
	}
	held.Others = nil
	for _, path := range l.found.Beside {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue // it need not be there, or compose says so itself
		}
		file := dotenv{path: path, reads: []envfile.Dialect{envfile.Compose}}
		one, err := file.Look(ctx, run)
		if err != nil {
			return held, err
		}
		if one.SecretKey.Set() {
			held.SecretKey = one.SecretKey
		}
		held.Others = append(held.Others, one.Others...)
	}
	if l.found.SecretKey.Set() {
		held.SecretKey = l.found.SecretKey
	}
	return held, nil
}

// Plan finds the file and edits it.
func (l *located) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	if err := l.Find(ctx, run); err != nil {
		return steps.Plan{}, err
	}
	p, err := l.dotenv.Plan(ctx, run)
	if err == nil {
		p.Details = append([]prose.Text{prose.Of(l.found.How)}, p.Details...)
	}
	return p, err
}
