package faults

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// newUnsplit lays out a house for an upgrade that also gives its settings a key of their
// own: the older block, which falls back to SECRET_KEY, goes.
func newUnsplit(t *testing.T) *house {
	t.Helper()
	h := &house{program: keysplit, state: filepath.Join(t.TempDir(), "state"), plan: &plan{flag: "--adopt", starts: true}}
	h.project = djangotest.New(t, djangotest.Options{Before: true, Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n# the end"})
	h.plan.old = h.files(t)
	return h
}

// An upgrade with --adopt that is killed at any call leaves a project that starts: the
// settings that require the key are written after it. The next upgrade goes on with what
// is left, and one rollback undoes all of both.
func TestAnAdoptionKilledAtEveryCall(t *testing.T) {
	stepstest.OnlyLong(t)
	needStrace(t)
	made := &plan{}
	begin := made.ends(newUnsplit)
	k := killing{begin: begin, command: (*house).upgrade, chosen: firstBetweenFiles, few: true}
	first := begin(t)
	if all := strings.Join(changedOf(first.plan), " "); all != "backend/.env backend/config/settings.py" {
		t.Fatalf("the plan is of %q", all)
	}
	k.everywhere(t).report(t, "calls of an adoption killed", 1)
}

// firstBetweenFiles is the place between the key's file and the settings.
func firstBetweenFiles(all []point) []point {
	return betweenFiles(all)[:1]
}

// The control: settings that require a key which is not there are found.
func TestAnAdoptionThatDoesNotStartIsFound(t *testing.T) {
	t.Attr("part", "controls that a fault is found")
	h := newUnsplit(t)
	h.plan.new = h.plan.old
	if _, wrong := h.lookAtAll(t, true); len(wrong) > 0 {
		t.Errorf("before the upgrade: %q", wrong)
	}
	text := strings.Replace(string(read(t, h.project.Settings)), "elif DEBUG:", "elif False:", 1)
	if err := os.WriteFile(h.project.Settings, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, wrong := h.lookAtAll(t, true); len(wrong) != 2 {
		t.Errorf("settings that are neither old nor new, and do not load: %q", wrong)
	}
}
