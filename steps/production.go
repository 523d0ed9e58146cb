package steps

import (
	"cmp"
	"slices"

	"dj/keysplit/steps/internal/lazyregexp"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// productionName finds a part of a name that says production.
var productionName = lazyregexp.New(`(?i)(^|[^a-z])(prod|production|prd|live)([^a-z]|$)`)

// NamesProduction reports whether a name (of an environment, a context, an app)
// says that it is production.
func NamesProduction(name string) bool { return productionName.MatchString(name) }

// ProductionName is the name that says that this run changes production, for a
// person to type: that of the environment, else that of an account, a cluster or
// an app. places are names beside those of the targets, in words or as --target
// has them. It is "" where none says so.
func (r *Run) ProductionName(places ...string) string {
	if o := r.Options; o.Production || NamesProduction(o.Environment) {
		return o.Environment
	}
	for _, h := range r.Held {
		places = append(places, h.Where)
	}
	for _, p := range places {
		for _, word := range nameParts.FindAllString(p, -1) {
			if NamesProduction(word) {
				return word
			}
		}
	}
	return ""
}

// nameParts are the single names of a place.
var nameParts = lazyregexp.New(`\.?[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?`)

// Confirm is the name that a person must still type before a step of this run
// goes on, "" for none; places are as for ProductionName.
func (r *Run) Confirm(places ...string) string {
	name := r.ProductionName(places...)
	if slices.Contains(r.Confirmed, name) {
		return ""
	}
	return name
}

// NameQuestion asks a person to type the name of the production that the plan changes.
func (p Plan) NameQuestion() prose.Text {
	return p.Question.Then(prose.Say("Type %s to go on", p.Confirm))
}

// WrongName is said to who typed another one.
const WrongName = "The name does not match."

// Named takes the name of production as a person typed it, and reports whether it is
// the right one: then it is not asked for again.
func (r *Run) Named(name, typed string) bool {
	if typed != name {
		return false
	}
	r.Confirmed = append(r.Confirmed, name)
	return true
}

// GivenName looks for the name that a plan wants typed among those of the command line. ask says
// that a person is to type it; what was done without it, in a word such as "written", is
// for the error where nobody is to be asked.
func (r *Run) GivenName(p Plan, given []string, yes bool, done string) (ask bool, err error) {
	name, why := p.Confirm, cmp.Or(p.Why, "this is production")
	switch {
	case slices.ContainsFunc(given, func(g string) bool { return r.Named(name, g) }):
		return false, nil
	case len(given) > 0:
		return false, Usage("%s: --confirm %s is not the name, %q; nothing was %s", why, secret.Quote(given[0]), name, done)
	case yes:
		return false, Usage("%s: --yes alone does not change it, add --confirm %s; nothing was %s", why, name, done)
	}
	return true, nil
}
