package preflight

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// trouble is what the probe tells of an exception. No value is in it.
type trouble struct {
	Kind    string         `json:"kind"` // "module", "syntax", "cast", "configured", "encoding", "database", "refused", "other"
	Type    string         `json:"type"`
	Text    secret.Foreign `json:"text"`
	File    string         `json:"file"` // the last place in the project, absolute
	Line    int            `json:"line"`
	Module  string         `json:"module"`  // that is not installed
	Setting string         `json:"setting"` // that was being read
}

// lacks reports whether it is about a variable or a package that is not there, which a
// service may be given from elsewhere, or about what keysplit does not do.
func (t trouble) lacks() bool {
	return slices.Contains([]string{"configured", "module", "database", "inside", "refused"}, t.Kind)
}

// explain turns an exception into a finding that says what is wrong, where, and
// what to do.
func (s *session) explain(t trouble) error {
	text := strings.TrimSuffix(s.show(t.Text), ".")
	file := relative(s.project, t.File)
	interpreter := s.python
	if s.from != "" {
		interpreter += " (" + s.from + ")"
	}
	elsewhere := finding.Do("name the right interpreter: `keysplit --python PATH`.")
	if s.project.Inside() {
		elsewhere = finding.Do("name the command that starts the right one: %s.", finding.Command("keysplit --python 'docker compose run --rm -T SERVICE python'"))
	}
	switch t.Kind {
	case "module":
		return s.missingModule(t, file, interpreter, elsewhere)
	case "syntax":
		return notRunnable(fmt.Sprintf("Python cannot read the code: %s. The interpreter is %s.", text, interpreter), file, t.Line,
			finding.Do("Correct that line; if the code is right, it is made for another Python: %s", elsewhere))
	case "encoding":
		return notRunnable("A file that the settings read is not valid UTF-8.", file, t.Line, finding.Do("Save the .env as UTF-8."))
	case "cast":
		return notRunnable(fmt.Sprintf("The value of %s cannot be read: %s.", t.Setting, text), file, t.Line,
			finding.Do("Correct %s in the .env. A comment behind a value belongs on a line of its own.", t.Setting))
	case "database":
		return notRunnable("The database cannot be used: "+text+".", file, t.Line,
			finding.Do("Start the database, and bring it up to date with: %s.", s.project.Manage("migrate")))
	case "configured":
		return notRunnable("The settings do not load: "+text+".", file, t.Line,
			finding.Do("Set what they ask for, then run `keysplit` again."))
	case "inside":
		return notRunnable(fmt.Sprintf("The container that %s leads to does not have %s as it is in this folder.", s.from, t.File), t.File, 0,
			finding.Do("Mount the project's folder in the container, or build its image again. Then run `keysplit` again."))
	case "refused":
		return notRunnable("Django cannot do that: "+text+".", "", 0, finding.Fix{})
	}
	return notRunnable(fmt.Sprintf("Django stops with %s: %s.", t.Type, text), file, t.Line,
		finding.Do("Run %s to see the whole error, fix it, then run `keysplit` again.", s.project.Manage("check")))
}

func (s *session) missingModule(t trouble, file, interpreter string, elsewhere finding.Fix) error {
	module := s.show(secret.Said(t.Module))
	if own := s.project.SettingsModule; own != "" && (module == own || strings.HasPrefix(own, module+".")) {
		return notRunnable(fmt.Sprintf("The settings module %s is not there.", own), file, t.Line,
			finding.Do("Name the right one: `keysplit --settings MODULE`."))
	}
	if module == "" {
		module = "that the code imports"
	}
	said, fix := besideBroken(s.project, fmt.Sprintf("The package %s is not installed for %s", module, interpreter),
		finding.Do("Install the project's requirements into that environment, or %s", elsewhere))
	return notRunnable(said, file, t.Line, fix)
}

// besideBroken adds to what is wrong with an interpreter, a sentence without its full
// stop, that the project's own one is gone. It takes the place of the fix: packages
// that are installed for the wrong Python help nobody.
func besideBroken(p *steps.Project, said string, fix finding.Fix) (string, finding.Fix) {
	b := p.Broken
	if b.Folder == "" {
		return said + ".", fix
	}
	return fmt.Sprintf("%s. The project's own environment, %s, is broken: %s.", said, p.Rel(b.Folder), b.Why),
		finding.Do("Make the environment again: %s. Then run `keysplit` again. Or name another interpreter: `keysplit --python PATH`.", b.Repair)
}

// notRunnable is the failure of a Django that does not start for a reason that
// is not the key.
func notRunnable(message, file string, line int, fix finding.Fix) error {
	f := finding.New(finding.DjangoNotRunnable, message).At(file, line)
	if !fix.Empty() {
		f = f.WithFix(fix)
	}
	return steps.CannotLook("%w", steps.Fail(f))
}

// unstarted judges the project by its files, and by what the failed start told.
func (d *diagnosis) unstarted(err error) error {
	run, p := d.run, d.project
	d.signing = readSigning(run, p, d.sources)
	if source := d.signing.source(); source.SplitsNothing() {
		p.Source = source
		err = errors.Join(err, d.again())
	} else if p.Source.Kind == steps.NothingReads {
		if p.Source = d.nothingReads(p.Stopped.SecretKey); p.Stopped.Key.Source == "code" {
			p.Source = steps.Source{Kind: steps.FromCode, File: p.Stopped.Key.File} // Django says what is wrong with it
		}
		err = errors.Join(err, d.again())
	}
	if p.Stopped.SecretKey.Set {
		// What a line of the file says that no reader takes it from is true all the same.
		p.Findings = slices.DeleteFunc(p.Findings, func(f finding.Finding) bool { return f.Code == finding.SecretKeyMissing && f.Line == 0 })
	}
	d.judgeText()
	var failure *steps.Failure
	if how := run.Launched(); p.Stopped.Setting != "" && !how.Empty() && errors.As(err, &failure) {
		failure.Findings[0].Fix = how
	}
	return err
}
