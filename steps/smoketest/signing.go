package smoketest

import (
	"context"
	"fmt"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// Signing is which key one server was seen to sign with.
type Signing struct {
	Address string
	Key     secret.Secret // unset where that was not told
	Says    prose.Text    // what was seen, in one sentence
}

// Signing asks every server of the backend which key it signs with: that of the places,
// one that was there before, or SECRET_KEY. Nobody logs in, and nothing is recorded. No
// address is known where it returns none. Its error is that of ctx.
func (s *Step) Signing(ctx context.Context, run *steps.Run) ([]Signing, error) {
	first, others := addresses(run)
	if first == "" {
		return nil, nil
	}
	run.Recall()
	var out []Signing
	for _, address := range append([]string{first}, others...) {
		one, err := s.signing(ctx, run, address)
		if err != nil {
			return out, err
		}
		one.Address = address
		out = append(out, one)
	}
	return out, nil
}

func (s *Step) signing(ctx context.Context, run *steps.Run, address string) (Signing, error) {
	quiet := func(steps.Event) {}
	keys := []secret.Secret{tested(run)}
	for _, p := range run.KeysBefore(tested(run)) {
		keys = append(keys, p.Key)
	}
	var said Signing
	asked := false
	for i, key := range keys {
		if key.Len() == 0 {
			continue
		}
		asked = true
		ses, err := s.with(run, key, address, quiet)
		if err != nil {
			return said, err
		}
		if err := ses.reach(ctx); err != nil {
			return Signing{Says: prose.Say("does not answer")}, ctx.Err()
		}
		if i == 0 {
			ses.secret = secretKeySigner(run)
		}
		out, err := ses.passwordless(ctx)
		if err != nil {
			return Signing{Says: prose.Say("does not answer")}, ctx.Err()
		}
		if one, told := signedWith(out, key, i == 0); told {
			return one, nil
		}
		if i == 0 && ses.faulty != 0 {
			does, _, _ := ses.faults()
			return Signing{Says: prose.Say("%s, so the key is not known", does)}, nil
		}
		if i == 0 && !out.usable && out.control.refused == 0 {
			return Signing{Says: prose.Say("gives the same answer for every key, so the key is not known")}, nil
		}
	}
	if !asked {
		return Signing{Says: prose.Say("was not asked: no key is known here to ask with")}, nil
	}
	return Signing{Says: prose.Say("signs with a key that keysplit does not know")}, nil
}

// signedWith is what the outcome for one key tells; current is set for that of the places.
func signedWith(out outcome, key secret.Secret, current bool) (said Signing, told bool) {
	which := "the previous key, and was not restarted"
	if current {
		which = "the key of its places"
	}
	f := out.fresh
	switch {
	case out.controlAccepted():
		return Signing{Says: prose.Say("accepts a token signed with a random key, so nothing is known")}, true
	case out.inForce():
		return Signing{Key: key, Says: prose.Of(fmt.Sprintf("signs with %s, on %s", which, steps.Plural(f.accepted, "connection")))}, true
	case f.accepted > 0:
		return Signing{Says: prose.Say("is mixed: %d of %d connections do not sign with it", f.refused, f.told())}, true
	case out.secret.accepted > 0:
		return Signing{Says: prose.Say("signs with SECRET_KEY")}, true
	}
	return Signing{}, false
}
