package smoketest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"slices"
)

// mixed sends those of the other keys among some more of the new one, in an order that no
// server can know: one that answers by what it was asked before is found out.
func (p *pass) mixed(ctx context.Context, all []question) error {
	var more tally
	if !p.w.few {
		all = append(all, slices.Repeat([]question{{key: p.s.fresh, of: &more}}, refusals)...)
	}
	b := make([]byte, 8)
	for i := range all {
		_, _ = rand.Read(b)
		all[i].rank = binary.LittleEndian.Uint64(b)
	}
	slices.SortFunc(all, func(a, b question) int { return cmp.Compare(a.rank, b.rank) })
	err := p.put(ctx, all)
	if p.out.fresh.refused == 0 && p.out.fresh.accepted > 0 {
		p.out.fresh.refused = more.refused
	}
	return err
}

// question is one token to send: whose it is, and where its answer counts.
type question struct {
	key  *signer
	of   *tally
	rank uint64 // its place in an order that was mixed
}

// questions are so many with the new key, then so many with each of the others.
func (p *pass) questions(fresh, others int) []question {
	second := others
	switch {
	case p.s.previousIsSecret:
		second = 0
	case p.s.stage.Both():
		second = fresh // it has to be accepted everywhere
	}
	return slices.Concat(
		slices.Repeat([]question{{key: p.s.fresh, of: &p.out.fresh}}, fresh),
		slices.Repeat([]question{{key: p.s.secret, of: &p.out.secret}}, others),
		slices.Repeat([]question{{key: p.s.previous, of: &p.out.previous}}, second),
	)
}

// put sends the tokens, until the server limits requests.
func (p *pass) put(ctx context.Context, all []question) error {
	for _, q := range all {
		switch {
		case p.out.throttled:
			return nil
		case q.key == nil:
			continue
		}
		if _, err := p.ask(ctx, q.key, q.of); err != nil {
			return err
		}
		if q.of == &p.out.fresh && !p.w.few {
			p.s.progress(*q.of)
		}
	}
	return nil
}
