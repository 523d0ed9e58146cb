// Package preflight finds the project, reads everything and says what is wrong,
// before anything is changed.
//
// It learns from two sources. The files tell where manage.py, the settings, the
// interpreter and the .env are, and what is wrong with the latter; none of the
// project's code runs for that. Then one start of the project's own Django (the
// probe, in the folder of that name) tells what only running it can: which file
// the reader really opened, which key signs tokens, whether the settings insist
// on it, and the routes. Where the two differ, Django is right.
//
// What is wrong with the key is no failure here: it is what the steps after
// this one fixed. Preflight fails when it cannot look, and when a variable
// of the environment would make every change to the file useless.
package preflight

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// Step is the preflight. Its zero value is ready for use.
type Step struct {
	// OpenDjango starts the project's Django; nil means the project's own, by
	// the interpreter that was found.
	OpenDjango func(ctx context.Context, run *steps.Run, p *steps.Project) (steps.Django, error)
}

var _ steps.Step = (*Step)(nil)

// Name is steps.Preflight.
func (*Step) Name() steps.Name { return steps.Preflight }

// Plan says what will be looked at.
func (*Step) Plan(_ context.Context, run *steps.Run) (steps.Plan, error) {
	p := steps.Plan{
		Summary: prose.Say("Look at the project. Nothing is changed."),
		Nothing: true,
		Details: []prose.Text{prose.Say("The project, its settings and its .env are read.")},
	}
	if run.Options.Static {
		p.Details = append(p.Details, prose.Say("None of the project's code runs."))
	} else {
		p.Details = append(p.Details, prose.Say("The project's own Django is started once, to ask it where it reads its keys. No key leaves it."))
	}
	return p, nil
}

// Apply looks, and sets run.Project, run.Prints, and, as far as the options
// allow, run.Journal and run.Django. Every finding is emitted and kept in
// run.Project.Findings.
func (s *Step) Apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if run.Django != nil {
		if err := run.Django.Close(); err != nil {
			return fmt.Errorf("end the earlier session: %w", err)
		}
		run.Django = nil
	}
	run.Adopted = nil
	err := s.look(ctx, run, emit)
	if run.Project == nil {
		return err
	}
	if err == nil {
		err = s.adopt(ctx, run, emit)
	}
	if key, until, under := run.Grace(time.Now()); under && err == nil {
		emit.Check("grace", steps.MarkOK, "grace period", "tokens of the "+whichKey(run, key)+" key are accepted until "+until.UTC().Format("2006-01-02 15:04 MST"))
	}
	run.Project.Findings = once(run.Project.Findings)
	if err == nil {
		for _, f := range run.Project.Findings {
			if f.Code == finding.JWTKeyShadowed {
				err = steps.Fail(f)
			}
		}
	}
	var failure *steps.Failure
	isFailure := errors.As(err, &failure)
	for _, f := range run.Project.Findings {
		if !isFailure || !slices.Contains(failure.Findings, f) { // those come with the error
			emit.Find(f)
		}
	}
	return err
}

// Verify has nothing to add: Apply only looked.
func (*Step) Verify(context.Context, *steps.Run, steps.Emit) error { return nil }

// Undo has nothing to undo.
func (*Step) Undo(context.Context, *steps.Run, steps.Emit) error { return nil }

func (s *Step) look(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	d, pythonErr, err := findAll(ctx, run, emit)
	if err != nil {
		return err
	}
	p := d.project
	if !run.Home().Here() {
		return s.lookElsewhere(ctx, d, pythonErr, emit)
	}
	if run.Options.Static {
		d.signing = readSigning(run, p, d.sources)
		p.Source = d.signing.source()
	}
	switch {
	case p.Source.Kind != "":
	case d.ownedElsewhere():
		p.Source = d.launched()
	case d.textReadsNone():
		p.Source = d.nothingReads(steps.KeyFacts{})
	}
	d.untracked = run.Options.Committed && untracked(ctx, p)
	emit.Check("env-file", steps.MarkRunning, d.rel(), "")
	if err := d.again(); err != nil {
		return err
	}
	switch {
	case run.Options.Static:
		d.emitPlace(emit)
		d.judgeText()
	case isPipe(p.EnvFile.Path):
		// Whatever opens it, a start of Django too, makes the program at its other
		// end ask its user, or hangs.
		d.emitPlace(emit)
		emit.Check("django", steps.MarkSkipped, "Django", "")
		return steps.Fail(finding.Errors(p.Findings)...)
	case pythonErr != nil && s.OpenDjango == nil:
		d.emitPlace(emit)
		return pythonErr
	default:
		if run.BeforeDjango != nil {
			run.BeforeDjango()
		}
		if err := s.askDjango(ctx, d, emit); err != nil {
			return err
		}
	}
	p.Findings = append(p.Findings, exposure(ctx, run, p)...)
	return ctx.Err()
}

// findAll finds what is to be looked at: the project, its settings and the user that they run
// as, the interpreter and the env file. pythonErr says why there is no interpreter.
func findAll(ctx context.Context, run *steps.Run, emit steps.Emit) (d *diagnosis, pythonErr, err error) {
	p, err := findProject(cmp.Or(run.Options.Folder, "."))
	if err != nil {
		run.Project = nil
		return nil, nil, err
	}
	run.Project = p
	emit.Check(steps.LineProject, steps.MarkOK, "project", p.Root)
	if err := openJournal(ctx, run, p, emit); err != nil {
		return nil, nil, err
	}
	d = &diagnosis{run: run, project: p, sources: findSettings(run, p)}
	if err := d.locate(); err != nil {
		return nil, nil, err
	}
	p.Insists = insists(p, d.sources)
	if err := findUser(ctx, run, p, emit); err != nil {
		return nil, nil, err
	}
	pythonErr = findPython(ctx, run, p)
	if p.Broken.Folder != "" && !run.Options.Static {
		emit.Check("python", steps.MarkWarn, p.Rel(p.Broken.Folder), "is broken: "+p.Broken.Why)
	}
	learn(run, p, d.sources)
	if err = findFiles(ctx, run); err != nil {
		d.signsNothing() // what the files tell besides
	}
	if !p.EnvFile.Sourced {
		d.belong() // to a place that is found only now
	}
	return d, pythonErr, err
}

// openJournal takes the lock of the run, opens the project's journal, and ends what a
// killed run began before anything reads the files. A run that may change nothing has none.
func openJournal(ctx context.Context, run *steps.Run, p *steps.Project, emit steps.Emit) error {
	if run.Options.ReadOnly {
		run.Prints = run.Options.State.Prints(p.Root)
		return nil
	}
	environment := run.Options.Environment
	if environment == "" {
		environment = steps.DefaultEnvironment
	}
	if err := run.Hold(ctx, p.Root, environment, emit); err != nil {
		return err
	}
	j, err := run.Options.State.Open(p.Root, environment)
	if err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	run.Journal, run.Prints = j, run.Options.State.Prints(p.Root)
	run.Answers.Import = run.Prints.Reprint(run.Answers.Import)
	ended, err := j.Recover(ctx)
	if err != nil {
		return err
	}
	for _, e := range ended {
		emit.Check("recover "+e.Intent.ID, steps.MarkOK, p.Rel(e.Intent.Path), "an earlier run was interrupted here: "+inWords(e.Outcome.State))
	}
	return nil
}

// inWords says how a change that was interrupted stands now.
func inWords(s envfile.State) string {
	switch s {
	case envfile.Unchanged:
		return "the file is as it was before"
	case envfile.Foreign:
		return "the file was edited since, and is left as it is"
	}
	return "its change is in the file"
}

// locate finds the .env by reading the settings.
func (d *diagnosis) locate() error {
	reader, user := readerOf(d.sources)
	d.place = guess(d.project, reader, user, d.run.LookupEnv)
	if d.place.none {
		reader = envfile.Shell
	}
	env := steps.EnvFile{Path: d.place.path, Found: d.place.found}
	if asked := d.run.Options.EnvFile; asked != "" {
		path, err := filepath.Abs(asked)
		if err != nil {
			return fmt.Errorf("find %s: %w", asked, err)
		}
		env.Path, env.Found = path, "--env-file"
	}
	d.project.EnvFile = env
	d.setReader(reader)
	return nil
}

func (d *diagnosis) setReader(reader envfile.Dialect) {
	env := &d.project.EnvFile
	env.Readers = []envfile.Dialect{reader}
	if composeReads(d.project, env.Path) {
		env.Readers = append(env.Readers, envfile.Compose)
	}
	d.belong()
}

// again diagnoses the .env from the beginning.
func (d *diagnosis) again() error {
	d.found = nil
	d.spell()
	err := d.diagnose()
	d.project.Findings = d.found
	return err
}

// emitPlace reports where the key is from, once that is known: what the files alone
// seem to say may be wrong.
func (d *diagnosis) emitPlace(emit steps.Emit) {
	switch env := d.project.EnvFile; {
	case d.project.Source.Kind != "":
		d.emitGiven(emit)
	case env.Exists:
		emit.Check("env-file", steps.MarkOK, d.rel(), env.Found)
	case env.At == nil:
		emit.Check("env-file", steps.MarkFailed, d.rel(), "is no regular file")
	case d.run.Options.Committed:
		emit.Check("env-file", steps.MarkSkipped, d.rel(), "")
	default:
		emit.Check("env-file", steps.MarkWarn, d.rel(), "does not exist")
	}
}

// askDjango starts the project's Django and corrects by its answers what the
// files alone seemed to say.
func (s *Step) askDjango(ctx context.Context, d *diagnosis, emit steps.Emit) error {
	run, p := d.run, d.project
	emit.Check("django", steps.MarkRunning, "Django", p.PythonFrom)
	django, err := s.open(ctx, d)
	if err != nil {
		django, err = s.startPlanned(ctx, d, err)
	}
	if err != nil {
		err = d.unstarted(err)
		d.emitPlace(emit)
		if ctx.Err() != nil {
			emit.Check("django", steps.MarkSkipped, "Django", "")
			return err
		}
		emit.Check("django", steps.MarkFailed, "Django", "will not start")
		return err
	}
	run.Django = django
	run.OnClose(func() { _ = django.Close() })
	if s, ours := django.(*session); ours {
		if err := s.removeLeft(ctx, emit); err != nil {
			return err
		}
	}
	f := django.Facts()
	p.Facts = f
	learnFacts(run, f)
	emit.Printed("The settings", f.Output...)
	if f.SettingsModule != "" {
		p.SettingsModule = f.SettingsModule
	}
	if f.SettingsFile != "" {
		p.SettingsFile = f.SettingsFile
	}
	versions := f.Django
	if f.Python != "" {
		versions += fmt.Sprintf(", Python %s (%s)", f.Python, p.PythonFrom)
	}
	emit.Check("django", steps.MarkOK, "Django", versions+", "+p.SettingsModule)
	corrected := d.correct(ctx, f)
	if d.lacksSecretKey(f) || corrected || d.unseen(ctx, django) {
		if err := d.again(); err != nil {
			return err
		}
	}
	d.emitPlace(emit)
	d.overrule(f)
	p.Findings = append(p.Findings, d.judgeFacts(f, fallsBackTo(django, f))...)
	d.judgeSigning()
	sayUntilThen(p.Findings)
	return nil
}

// open starts the project's Django.
func (s *Step) open(ctx context.Context, d *diagnosis) (steps.Django, error) {
	if s.OpenDjango != nil {
		return s.OpenDjango(ctx, d.run, d.project)
	}
	return openProbe(ctx, d.run, d.project)
}

func openProbe(ctx context.Context, run *steps.Run, p *steps.Project) (steps.Django, error) {
	if c := run.Options.Contained; c != nil && !p.Inside() {
		return nil, notRunnable("The backend is developed in the service "+secret.Inert(c.Service)+", and nothing on this machine has its packages. "+
			"Docker does not answer, or the service's image is not built.", "", 0, finding.Do("Start Docker and build the image: %s. Then run `keysplit` again. Or name an interpreter of this machine: `keysplit --python PATH`.", c.Build))
	}
	if p.Python == "" {
		said, fix := besideBroken(p, "No Python was found", finding.Do("Activate the project's virtual environment, or name its interpreter: `keysplit --python PATH`."))
		return nil, notRunnable(said, "", 0, fix)
	}
	s, err := openSession(ctx, run, p, nil)
	if err != nil {
		// A nil *session in the interface would not be nil.
		return nil, err
	}
	return s, nil
}

// once drops findings that say the same of the same place.
func once(fs []finding.Finding) []finding.Finding {
	type place struct {
		code finding.Code
		file string
		line int
		says prose.Text // of which there are several in one place
	}
	seen := map[place]bool{}
	var out []finding.Finding
	for _, f := range fs {
		at := place{code: f.Code, file: f.File, line: f.Line}
		if f.Code == finding.DjangoCheckFailed {
			at.says = f.Message
		}
		if !seen[at] {
			seen[at] = true
			out = append(out, f)
		}
	}
	return out
}

// whichKey is what the second key of a grace period is called: in the first stage of a
// rotation it is the new one.
func whichKey(run *steps.Run, second secret.Secret) string {
	if run.Journal != nil {
		if rotation, under, _ := run.Journal.Rotation(); under && second.Equal(rotation.New) {
			return "new"
		}
	}
	return "previous"
}
