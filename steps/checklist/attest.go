package checklist

import (
	"context"
	"strings"
	"unicode/utf8"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/git"
)

// MaxWords is how many characters a name or a note may have.
const MaxWords = 300

// Signable reports whether a person's word can close the item.
func (it Item) Signable() bool { return it.State == Open && it.Number >= FirstAttestable }

// Author is the name of the person at work, as git knows it, "" where it knows none.
func Author(ctx context.Context, run *steps.Run) string {
	said, ok := git.Ask(ctx, run.Project.Root, nil, MaxWords, "config", "--get", "user.name")
	if !ok || said.Code != 0 {
		return ""
	}
	return run.Show(strings.TrimSpace(string(said.Stdout)))
}

// Attest keeps a person's word on one item, 4 to 9, in the run's journal. It
// counts until what it is about changes: for 4 to 6 what the proofs rest on,
// for 7 and 8 the files that provide SECRET_KEY, for 9 the key itself. Errors
// that wrap steps.ErrUsage say what was wrong with the words.
func Attest(ctx context.Context, run *steps.Run, item int, by, note string) error {
	if err := CheckWords(item, by, note); err != nil {
		return err
	}
	l, err := take(ctx, run)
	if err != nil {
		return err
	}
	clean := func(s string) string {
		return strings.TrimSpace(strings.ReplaceAll(run.Redactor.Clean(s), "\n", " "))
	}
	ev := journal.Evidence{Item: item, By: clean(by), Note: clean(note), Commit: run.Commit(ctx), Against: clean(l.against(item))}
	switch {
	case item <= 6:
		ev.Files = l.proofFiles(run)
	case item <= 8:
		for _, p := range l.places[kindOfItem(item)] {
			ev.Files = append(ev.Files, p.sum)
		}
	default:
		ev.Key = run.Kept().Reprint(l.envs.key).Fingerprint()
	}
	return run.Journal.Record("", ev)
}

// proofFiles are what the proofs of the steps rest on, as it is now. Which modules the
// settings and URLs load is known from those proofs, where Django was not asked.
func (l *look) proofFiles(run *steps.Run) []journal.FileSum {
	sums := steps.ProofFiles(run)
	known := map[string]bool{}
	for _, s := range sums {
		known[s.Path] = true
	}
	for _, n := range steps.Order() {
		pr := l.past.proofs[n]
		if pr == nil {
			continue
		}
		for _, f := range pr.Files {
			if !known[f.Path] {
				known[f.Path] = true
				sums = append(sums, journal.SumFile(run.Kept(), f.Path))
			}
		}
	}
	return sums
}

// CheckWords says what is wrong with an attestation, before anything is looked
// at. Errors wrap steps.ErrUsage.
func CheckWords(item int, by, note string) error {
	if item < FirstAttestable || item > len(items) {
		return steps.Usage("item %d cannot be signed off: %d to %d can, the others are seen in the files", item, FirstAttestable, len(items))
	}
	for _, w := range []struct{ what, text string }{{"--by, the name of who says so", by}, {"--note, what was done or seen", note}} {
		switch n := utf8.RuneCountInString(w.text); {
		case strings.TrimSpace(secret.Inert(w.text)) == "":
			return steps.Usage("a sign-off needs %s", w.what)
		case n > MaxWords:
			return steps.Usage("%s has %d characters; %d is the most", w.what, n, MaxWords)
		}
	}
	return nil
}
