// Package edits has the makers of the plan: for each finding that an edit of a file
// fixes, how that edit is made. What it makes is offered to a steps.Draft, and written
// by steps.Run.WriteEdits.
//
// A code of the catalogue has a maker here, or is fixed by a step of the upgrade, or its
// page says in a sentence why a machine must not do it (by_hand).
package edits

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/adopt"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/grace"
	"dj/keysplit/steps/repo"
)

// ofFile are the makers for the .env of this machine, in the order in which their edits
// follow each other: each knows the lines of the file as the one before leaves them.
var ofFile = []steps.Maker{
	{Codes: []finding.Code{finding.EnvFileMissing}, Make: fromSample},
	{Codes: []finding.Code{finding.EncodingBOM, finding.EncodingInvalid}, Make: decode},
	{Codes: []finding.Code{finding.LineGlued, finding.LineBare, finding.JWTKeyDuplicate, finding.ValueInlineComment}, Make: lines},
	{Codes: []finding.Code{finding.SecretKeyMissing, finding.SecretKeyPlaceholder}, Make: secretKey},
	{Codes: []finding.Code{finding.GraceOver}, Make: leftover},
	{Codes: []finding.Code{finding.EnvFilePermissions}, Make: permissions},
}

// ofRepository are the makers for committed files. They make nothing where code comes by
// a commit: there their edits are shown.
var ofRepository = slices.Concat([]steps.Maker{adopt.Maker, grace.Maker}, repo.Makers)

// makers are all of them.
func makers() []steps.Maker { return slices.Concat(ofFile, ofRepository) }

// ofKey are the findings that a key in the place fixes.
var ofKey = []finding.Code{
	finding.JWTKeyMissing, finding.JWTKeyEmpty, finding.JWTKeyEqualsSecretKey, finding.JWTKeyPlaceholder,
	finding.JWTKeyTooShort, finding.JWTKeyWeak, finding.KeyUnread,
}

// OfKey reports whether a key in the place fixes findings of that code.
func OfKey(code finding.Code) bool { return slices.Contains(ofKey, code) }

// Diffs is what edits that are on do to each file in all, the .env first.
func Diffs(run *steps.Run, made []steps.Edit) (out []steps.DiffLine) {
	files := steps.FilesOf(made)
	slices.SortStableFunc(files, func(a, b steps.Edit) int {
		if a.Secret == b.Secret {
			return 0
		}
		return map[bool]int{true: -1, false: 1}[a.Secret]
	})
	for _, e := range files {
		lines := diffOf(run, e)
		if len(lines) == 0 { // its mode alone
			lines = []steps.DiffLine{{Op: "+", Text: steps.Extent(e.Was, e.Is, e.Mode)}}
		}
		for _, l := range lines {
			l.File = run.Project.Rel(e.File)
			out = append(out, l)
		}
	}
	return out
}

// diffOf shows what an edit does to its file. What a committed file holds is no secret by
// itself, so nothing is learned from it.
func diffOf(run *steps.Run, e steps.Edit) []steps.DiffLine {
	show := repo.Shown
	switch {
	case e.Secret:
		return Diff(run, e.Was, e.Is)
	case bytes.Equal(e.Is, grace.Module):
		return nil // a file of keysplit's own, of which the extent says enough
	case filepath.Ext(e.File) == ".py":
		show = adopt.Shown(run)
	}
	return steps.DiffOf(e.Was, e.Is, func(line string) (string, string) { return run.Redactor.HideKnown(show(line)), "" })
}

// Codes are those for which there is a maker.
func Codes() (all []finding.Code) {
	for _, m := range makers() {
		all = append(all, m.Codes...)
	}
	return all
}

// Draw makes the plan of edits for findings.
func Draw(ctx context.Context, run *steps.Run, found []finding.Finding) (*steps.Draft, error) {
	lacks, err := grace.Lacks(run)
	if err != nil {
		return nil, err
	}
	if over, ok := run.GraceOver(time.Now()); ok && run.Stage == steps.NoStage && !slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Code == over.Code }) {
		lacks = append(lacks, over)
	}
	return steps.Draw(ctx, run, makers(), slices.Concat(found, lacks))
}

// OfFile makes the part of the plan that is about the .env of this machine alone.
func OfFile(ctx context.Context, run *steps.Run, found []finding.Finding) (*steps.Draft, error) {
	return steps.Draw(ctx, run, ofFile, found)
}
