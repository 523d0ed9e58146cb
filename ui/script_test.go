package ui

import (
	"context"
	"fmt"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// goodKey is what the fake project holds: 86 characters that are no secret.
var goodKey = strings.Repeat("fake-Key_0", 8) + "abcdef"

func missing() finding.Finding {
	return finding.New("jwt-key-missing", "").At("backend/.env", 0)
}

// fakeSteps plays a healthy upgrade of a project without the key.
func fakeSteps() map[steps.Name]*fakeStep {
	all := map[steps.Name]*fakeStep{}
	add := func(f *fakeStep) { all[f.name] = f }
	add(&fakeStep{name: steps.Preflight, apply: func(_ context.Context, r *steps.Run, emit steps.Emit) error {
		r.Project = &steps.Project{Root: "/srv/plantid/backend", TopLevel: "/srv/plantid"}
		emit.Check("project", steps.MarkOK, "Django project", "backend/manage.py")
		emit.Check("python", steps.MarkOK, "Python", "3.11, virtualenv .venv")
		emit.Check("settings", steps.MarkOK, "settings", "config.settings, Django 4.2")
		emit.Check("env", steps.MarkOK, ".env file", "backend/.env, read by decouple")
		emit.Check("server", steps.MarkOK, "development server", "http://127.0.0.1:8000")
		found := []finding.Finding{
			finding.New("env-file-not-ignored", "").At(".gitignore", 0),
			missing(),
		}
		r.Project.Findings = found
		for _, f := range found {
			emit.Find(f)
		}
		return nil
	}})
	add(&fakeStep{
		name: steps.Generate,
		plan: func(r *steps.Run) (steps.Plan, error) {
			if r.Answers.Import.Set() {
				return steps.Plan{Summary: prose.Say("Use the key you entered."), Details: []prose.Text{prose.Say("86 characters, fingerprint %s", r.Answers.Import.Fingerprint())}, Question: prose.Say("Use this key?")}, nil
			}
			return steps.Plan{
				Summary:  prose.Say("Make a new key."),
				Details:  []prose.Text{prose.Say("64 random bytes as 86 characters of letters, digits, - and _"), prose.Labelled("Reason", "JWT_SECRET_KEY is not set.")},
				Effects:  []prose.Text{prose.Say("Everyone will have to log in again: all tokens issued so far stop working. Refresh tokens last 7 days here.")},
				Question: prose.Say("Make the key?"),
			}, nil
		},
		apply: func(_ context.Context, r *steps.Run, emit steps.Emit) error {
			r.Key, r.KeyFrom = r.Secret(goodKey), "made"
			if r.Answers.Import.Set() {
				r.Key, r.KeyFrom = r.Answers.Import, "imported"
			}
			emit.Check("key", steps.MarkOK, "key "+r.KeyFrom, "86 characters, fingerprint "+r.Key.Fingerprint())
			return nil
		},
	})
	add(&fakeStep{
		name: steps.Write,
		plan: func(r *steps.Run) (steps.Plan, error) {
			return steps.Plan{
				Summary: prose.Say("Write the key to backend/.env."), File: "backend/.env", Question: prose.Say("Write this change?"),
				Diff: []steps.DiffLine{
					{Line: 71, Op: " ", Text: "# Tokens"},
					{Line: 72, Op: "-", Text: "JWT_SECRET_KEY=REQUIRED__GENERATE_WITH__python_-c_import_secrets", Note: "placeholder, public"},
					{Line: 72, Op: "+", Text: "JWT_SECRET_KEY=••••••••••••••••", Note: "new, 86 characters, fingerprint " + r.Key.Fingerprint()},
					{Line: 73, Op: " ", Text: "DEBUG=True"},
				},
				Details: []prose.Text{
					prose.Labelled("Backup", "kept in keysplit's own folder, mode 0600. Undo with: `keysplit rollback`"),
					prose.Labelled("Method", "temporary file, fsync, rename. Every other byte stays."),
				},
			}, nil
		},
		apply: func(_ context.Context, r *steps.Run, emit steps.Emit) error {
			r.Wrote = true
			emit.Check("write", steps.MarkOK, "wrote backend/.env", "1 line changed")
			emit.Check("read-back", steps.MarkOK, "read back", "fingerprint "+r.Key.Fingerprint()+", as decouple reads it")
			return nil
		},
		undo: func(r *steps.Run, emit steps.Emit) error {
			r.Wrote = true
			emit.Check("undo 1", steps.MarkOK, "backend/.env is restored exactly", "content, mode and owner as before")
			return nil
		},
	})
	add(&fakeStep{
		name: steps.Distinct,
		plan: func(*steps.Run) (steps.Plan, error) {
			return steps.Plan{
				Summary: prose.Say("Prove that the two keys differ, before anything is restarted."),
				Details: []prose.Text{prose.Say("The file, as decouple reads it"), prose.Say("The environment of this shell"), prose.Say("The settings as Django loads them, and Django's system checks")},
			}, nil
		},
		apply: func(_ context.Context, r *steps.Run, emit steps.Emit) error {
			emit.Check("file", steps.MarkOK, "the file, as decouple reads it", "86 characters, fingerprint "+r.Key.Fingerprint())
			emit.Check("environment", steps.MarkOK, "the environment", "does not override the file")
			emit.Check("differ", steps.MarkOK, "JWT_SECRET_KEY differs from SECRET_KEY", "compared inside Django")
			emit.Check("checks", steps.MarkOK, "system checks", "no issues")
			return nil
		},
	})
	add(&fakeStep{
		name: steps.Restart,
		plan: func(*steps.Run) (steps.Plan, error) {
			return steps.Plan{
				Summary: prose.Say("Reload the running server."),
				Command: "python manage.py runserver", Details: []prose.Text{prose.Labelled("Server", "http://127.0.0.1:8000, process 4711, in backend"), steps.CommandDetail("python manage.py runserver")},
				Effects: []prose.Text{prose.Say("The development server is down for about two seconds.")}, Question: prose.Say("Restart the server now?"),
			}, nil
		},
		apply: func(_ context.Context, r *steps.Run, emit steps.Emit) error {
			emit.Progress("Marked config/settings.py as changed, so that the server reads its settings again.")
			emit.Check("answers", steps.MarkOK, "server answers", "http://127.0.0.1:8000")
			r.Restarted, r.URL = true, "http://127.0.0.1:8000"
			return nil
		},
	})
	add(&fakeStep{
		name: steps.SmokeTest,
		plan: func(r *steps.Run) (steps.Plan, error) {
			p := steps.Plan{
				Summary: prose.Say("Test which key the running server signs with."),
				Details: []prose.Text{
					prose.Say("Test tokens for a user that cannot exist, each valid for 1m0s, over 20 new connections."),
					prose.Say("The new key must be accepted; SECRET_KEY, the previous key and a random key must be refused."),
				},
			}
			switch {
			case r.Answers.TempUser:
				p.Summary = prose.Say("Test which key the server signs with, and log in with a throwaway account.")
				p.Effects = []prose.Text{prose.Say("The account, keysplit-..., is made through the project's own Django and deleted after a few seconds.")}
			case r.Answers.Username != "":
				p.Summary = prose.Of("Test which key the running server signs with, and log in once as " + r.Answers.Username + ".")
			default:
				p.Details = append(p.Details, prose.Say("No login is tried, since no account was given."))
			}
			return p, nil
		},
		apply: func(_ context.Context, r *steps.Run, emit steps.Emit) error {
			for _, ev := range proof(steps.MarkOK) {
				emit(ev)
			}
			return nil
		},
	})
	add(&fakeStep{
		name: steps.Checklist,
		plan: func(*steps.Run) (steps.Plan, error) {
			return steps.Plan{
				Summary: prose.Say("Go through the nine items of the checklist. Nothing is changed."), Nothing: true,
				Details: []prose.Text{prose.Labelled("Open", "7. CI/CD pipelines updated"), prose.Labelled("Open", "9. Team notified of change")},
			}, nil
		},
		apply: func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
			for i, item := range []struct{ title, detail string }{
				{"JWT_SECRET_KEY added to all .env files", "backend/.env:72 sets JWT_SECRET_KEY, as decouple reads it"},
				{"Keys are different from SECRET_KEY (verified)", "JWT_SECRET_KEY differs from SECRET_KEY: compared inside Django"},
				{"Keys are at least 50 characters long", "backend/.env:72 has 86 characters"},
				{"Application starts without errors", "system checks: no issues"},
				{"JWT authentication works (tested login)", "log in as keysplit-4f1c: 200 in 41 ms"},
				{"Old tokens invalidated (users logged out)", "refuses SECRET_KEY: 401 token_not_valid"},
				{"CI/CD pipelines updated", "open: .github/workflows/ci.yml:12 has SECRET_KEY, but not JWT_SECRET_KEY"},
				{"Deployment documentation updated", "backend/.env.example:5 names JWT_SECRET_KEY beside SECRET_KEY"},
				{"Team notified of change", "open: only a person can know this"},
			} {
				mark := steps.MarkOK
				if strings.HasPrefix(item.detail, "open") {
					mark = steps.MarkWarn
				}
				emit.Check(fmt.Sprintf("item-%d", i+1), mark, fmt.Sprintf("%d. %s", i+1, item.title), item.detail)
			}
			emit.Tell(prose.Say("7 of 9 done, 2 left. The report for a pull request: `keysplit report`"))
			return nil
		},
	})
	return all
}

// proof is the lines of the smoke test; the login's mark is given.
func proof(login steps.Mark) []steps.Event {
	after := login
	if login == steps.MarkRunning {
		after = steps.MarkPending
	}
	line := func(id string, m steps.Mark, text, detail string) steps.Event {
		return steps.Event{Kind: steps.EventCheck, ID: id, Mark: m, Text: prose.Of(text), Detail: prose.Of(detail)}
	}
	return []steps.Event{
		line("answers", steps.MarkOK, "server answers", "41 ms"),
		line("new-key", steps.MarkOK, "signs with the new key", "20 of 20 new connections"),
		line("secret-key", steps.MarkOK, "refuses SECRET_KEY", "401 token_not_valid"),
		line("previous-key", steps.MarkOK, "refuses the previous key", "401 token_not_valid"),
		line("random-key", steps.MarkOK, "refuses a random key", "401 token_not_valid (control)"),
		line("login", login, "log in as keysplit-4f1c", "POST /api/v1/auth/login/, one attempt"),
		line("protected", after, "protected route takes the token", ""),
		line("refresh", after, "refresh works", ""),
	}
}
