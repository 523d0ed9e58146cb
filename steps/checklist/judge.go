package checklist

import (
	"fmt"
	"slices"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/repo"
)

// verdict is what a machine says about an item: why it is open, "" when the
// evidence is enough.
type verdict struct {
	evidence []Evidence
	why      string
	against  string // what was seen that says the contrary of the item, "" where something is only missing
	next     prose.Text
	awaits   bool // a server of the person's own, on which it is to be proved
}

// items are the nine in the guide's words, with Markdown's marks for code, and
// how each is judged.
var items = []struct {
	title string
	judge func(*look) verdict
}{
	{"`JWT_SECRET_KEY` added to all `.env` files", (*look).added},
	{"Keys are different from `SECRET_KEY` (verified)", (*look).different},
	{"Keys are at least 50 characters long", (*look).long},
	{"Application starts without errors", (*look).starts},
	{"JWT authentication works (tested login)", (*look).login},
	{"Old tokens invalidated (users logged out)", (*look).invalidated},
	{"CI/CD pipelines updated", (*look).pipelines},
	{"Deployment documentation updated", (*look).documents},
	{"Team notified of change", (*look).notified},
}

// elsewhere is what a step read back from the places of another environment. The files
// here say nothing about those.
func (l *look) elsewhere(step steps.Name, lines string) verdict {
	v := verdict{evidence: l.past.evidenceOf(step, lines), next: prose.Say("Run: `keysplit upgrade`")}
	if len(v.evidence) == 0 {
		v.why = l.past.missing(step)
		if seen := l.past.proofs[step]; seen != nil && seen.gone == "" {
			v.why = "the key could not be read back"
		}
	}
	return v
}

func (l *look) added() verdict {
	if !l.here {
		return l.elsewhere(steps.Write, steps.LinesReadBack)
	}
	v := verdict{evidence: append(l.envs.sets, unseen(l.tree)...), why: several(l.envs.unset), next: prose.Say("Run: `keysplit upgrade`. For a file that is not the backend's own: `keysplit upgrade --env-file PATH`")}
	if v.why == "" {
		v.why, v.next = l.tree.Partial[repo.EnvFile], prose.Say("Move what does not belong to the project out of its folder.")
	}
	return v
}

// different wants the settings' own comparison, or the running server's; the
// file alone serves where the backend's own file holds both keys.
func (l *look) different() verdict {
	v := verdict{next: prose.Say("Run: `keysplit upgrade`")}
	if equal := several(l.envs.equal); equal != "" && l.here {
		v.why = equal
		return v
	}
	v.evidence = l.past.evidence(steps.Distinct, steps.LineDiffer)
	if l.signs() && l.refuses(steps.LineSecret) {
		v.evidence = append(v.evidence, l.past.evidence(steps.SmokeTest, steps.LineSecret)...)
	}
	distinct := l.past.proofs[steps.Distinct]
	if len(v.evidence) == 0 && distinct != nil && distinct.gone == "" && l.envs.ownDiffer && l.here {
		v.evidence = l.envs.differ
	}
	if len(v.evidence) == 0 {
		v.why = l.past.missing(steps.Distinct)
		switch {
		case distinct == nil || distinct.gone != "":
		case !l.here:
			v.why = "SECRET_KEY is not in the same place, and no server was shown to refuse it"
		default:
			v.why = "SECRET_KEY is not in the file, and Django was not asked"
		}
	}
	return v
}

func (l *look) long() verdict {
	if !l.here {
		return l.elsewhere(steps.Distinct, steps.LinesPlace)
	}
	v := verdict{evidence: l.envs.long, why: several(l.envs.unfit), next: prose.Say("Make a longer key: `keysplit upgrade --rotate`")}
	if v.why == "" && len(v.evidence) == 0 {
		v.why, v.next = "no file holds a key", prose.Say("Run: `keysplit upgrade`")
	}
	if v.why == "" {
		v.why, v.next = l.tree.Partial[repo.EnvFile], prose.Say("Move what does not belong to the project out of its folder.")
	}
	return v
}

// signs reports whether the server was shown to sign with the new key.
func (l *look) signs() bool {
	token, found := l.past.line(steps.SmokeTest, steps.LineToken)
	return l.past.ok(steps.SmokeTest, steps.LineFresh) || found && (steps.Mark(token.Mark) == steps.MarkOK || steps.Mark(token.Mark) == steps.MarkWarn)
}

// refuses reports whether the server was shown to refuse a key, and the random
// one with it: without that control a refusal says nothing.
func (l *look) refuses(id string) bool {
	return l.past.ok(steps.SmokeTest, id) && l.past.ok(steps.SmokeTest, steps.LineControl)
}

// onlyOwn is said where only a server was asked that keysplit had started itself.
const onlyOwn = "only a server that keysplit started itself was asked"

// startYours is what to do then.
var startYours = prose.Say("Start your server, then run `keysplit upgrade`.")

func (l *look) starts() verdict {
	v := verdict{evidence: l.past.evidence(steps.Distinct, steps.LineChecks), next: prose.Say("Run `keysplit upgrade`.")}
	if len(v.evidence) == 0 {
		v.why = l.past.missing(steps.Distinct)
		if d := l.past.proofs[steps.Distinct]; d != nil && d.gone == "" {
			v.why = "the system checks were not run, since Django was not asked"
		}
	}
	restart := l.past.proofs[steps.Restart]
	switch {
	case v.why == "" && l.past.own(steps.SmokeTest):
		v.why, v.next, v.awaits = onlyOwn, startYours, true
	case l.past.ok(steps.SmokeTest, steps.LineAnswers) && l.signs():
		v.evidence = append(v.evidence, l.past.evidence(steps.SmokeTest, steps.LineAnswers, steps.LineFresh, steps.LineToken)...)
	case l.past.ok(steps.Restart, steps.LineAnswers) && restart.Restarted:
		v.evidence = append(v.evidence, l.past.evidence(steps.Restart, steps.LineAnswers)...)
	case v.why == "":
		v.why = "no server was seen running with the new key: " + l.past.missing(steps.SmokeTest)
	}
	return v
}

func (l *look) login() verdict {
	v := verdict{next: prose.Say("Log in with an account: `keysplit upgrade --username NAME`")}
	if l.development {
		v.next = prose.Say("Log in with an account: `keysplit upgrade --username NAME`. Or with one that is deleted again: `keysplit upgrade --temp-user`")
	}
	seen, login := l.past.proofs[steps.SmokeTest], l.past.login
	switch {
	case seen == nil || seen.gone != "":
		v.why = l.past.missing(steps.SmokeTest)
	case login.Own:
		v.why, v.next, v.awaits = onlyOwn, startYours, true
	case !login.ok(steps.LineLogin):
		v.why = "no login was tried, since no account was given"
		if l.triedLogin() {
			v.why = "the login gave no token"
		}
	default:
		v.evidence = login.evidence(steps.LineLogin, steps.LineToken, steps.LineProtected, steps.LineRefresh)
		if token, found := login.line(steps.LineToken); !found || steps.Mark(token.Mark) != steps.MarkOK && steps.Mark(token.Mark) != steps.MarkWarn {
			v.why = "the login's token was not shown to be signed with the new key"
		}
	}
	return v
}

// triedLogin reports whether the latest proof had an account and no token came of it.
func (l *look) triedLogin() bool {
	line, found := l.past.line(steps.SmokeTest, steps.LineLogin)
	return found && slices.Contains([]steps.Mark{steps.MarkFailed, steps.MarkWarn}, steps.Mark(line.Mark))
}

// invalidated wants the key that signed before to be refused. Where the smoke
// test knew no previous key, SECRET_KEY was it: the settings fell back to it.
func (l *look) invalidated() verdict {
	v := verdict{next: prose.Say("Restart every process of the backend, then run `keysplit upgrade`.")}
	seen := l.past.proofs[steps.SmokeTest]
	_, previous := l.past.line(steps.SmokeTest, steps.LinePrevious)
	_, second := l.past.line(steps.SmokeTest, steps.LineSecond)
	switch {
	case seen == nil || seen.gone != "":
		v.why = l.past.missing(steps.SmokeTest)
	case seen.Own:
		v.why, v.next, v.awaits = onlyOwn, startYours, true
	case !l.signs():
		v.why = "the server was not shown to sign with the new key"
	case second:
		v.why, v.next = "the previous key is accepted until the end of the grace period", prose.Say("Then run `keysplit grace --end`, which asks the server; or run it now, to end that sooner.")
	case previous && !l.refuses(steps.LinePrevious):
		v.why = "the server was not shown to refuse the previous key"
	case !l.refuses(steps.LineSecret):
		v.why = "the server was not shown to refuse SECRET_KEY"
	default:
		v.evidence = append(l.past.evidence(steps.SmokeTest, steps.LineSecret, steps.LinePrevious, steps.LineControl), l.otherKeys()...)
	}
	return v
}

// otherKeys is what was seen of tokens of an account that other keys signed, or that
// nobody asked: a test token for nobody does not tell of a second authentication class.
func (l *look) otherKeys() []Evidence {
	if seen := l.past.login.evidence(steps.LineOthers); len(seen) > 0 {
		return seen
	}
	pr := l.past.proofs[steps.SmokeTest]
	why := "not asked, since no account was given"
	switch {
	case l.triedLogin():
		why = "not asked, since the login gave no token"
	case l.past.login.ok(steps.LineLogin):
		why = "not known"
	}
	text := why + ": whether the protected route accepts an account's token that another key signed"
	return []Evidence{{Text: text, short: "no account's token was tried", Check: string(steps.SmokeTest) + " " + steps.LineOthers, Server: pr.Server, Commit: pr.Commit, Time: pr.time}}
}

func (l *look) pipelines() verdict {
	return l.updated(repo.Pipeline, "no pipeline, compose file or manifest here provides SECRET_KEY")
}

func (l *look) documents() verdict {
	return l.updated(repo.Document, "no document or example file here explains how to set SECRET_KEY")
}

// maxNamed is how many files a report names where all is well.
const maxNamed = 10

func (l *look) updated(k repo.Kind, none string) verdict {
	v := verdict{next: prose.Say("Mention JWT_SECRET_KEY there too.")}
	var lacking []string
	samples := 0
	for _, p := range l.places[k] {
		if p.code == finding.ExampleMissingKey {
			samples++
		}
		if !p.inOrder() {
			lacking = append(lacking, p.lacks())
			if p.same > 0 {
				v.next = prose.Say("Give JWT_SECRET_KEY a value of its own there.")
			}
			continue
		}
		text := "names JWT_SECRET_KEY beside SECRET_KEY"
		if p.held {
			text += ", as a secret of the pipeline, which keysplit does not see"
		}
		v.evidence = append(v.evidence, Evidence{Text: text, File: p.file, Line: p.key})
	}
	if more := len(v.evidence) - maxNamed; more > 0 {
		v.evidence = append(v.evidence[:maxNamed], Evidence{Text: fmt.Sprintf("so do %d more files", more)})
	}
	if len(v.evidence) > 0 {
		v.evidence = append(v.evidence, unseen(l.tree)...)
	}
	switch {
	case len(lacking) > 0:
		v.why, v.against = several(lacking), several(lacking)
	case l.tree.Partial[k] != "":
		v.why, v.next = l.tree.Partial[k], prose.Say("Look at it yourself, then sign the item off.")
	case samples > 0 && samples == len(l.places[k]):
		v.why, v.next = "only example files name JWT_SECRET_KEY, and no document here explains how to set SECRET_KEY", prose.Say("If nothing more needs updating, or it is done elsewhere, sign the item off.")
	case l.idle:
		v.why, v.next = "no shared key of the settings signs tokens, so nothing here needs one", prose.Say("If that is so, sign the item off.")
	case len(l.places[k]) == 0:
		v.why, v.next = none, prose.Say("If nothing needs updating here, or it is done elsewhere, sign the item off.")
	}
	return v
}

func (*look) notified() verdict {
	return verdict{why: "only a person can know this", next: prose.Say("Send the message, then sign the item off. The message: `keysplit report --team`")}
}

// several says the first, and how many more there are.
func several(reasons []string) string {
	switch len(reasons) {
	case 0:
		return ""
	case 1:
		return reasons[0]
	}
	return fmt.Sprintf("%s (and %d more)", reasons[0], len(reasons)-1)
}
