package checklist

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest"
)

// house is a project on which all nine items can be done or signed off.
type house struct {
	t         *testing.T
	run       *steps.Run
	secretKey string
	key       string
}

const workflow = "env:\n  SECRET_KEY: ${{ secrets.DJANGO_SECRET_KEY }}\n  JWT_SECRET_KEY: ${{ secrets.JWT_SECRET_KEY }}\n"

func newHouse(t *testing.T) *house {
	h := &house{t: t, secretKey: stepstest.Key(), key: stepstest.Key()}
	h.run = stepstest.NewRun(t, "DEBUG=True\nSECRET_KEY="+h.secretKey+"\nJWT_SECRET_KEY="+h.key+"\n", nil)
	h.write("settings.py", "DEBUG = True\n")
	h.run.Project.SettingsFile = h.path("settings.py")
	h.write(".github/workflows/test.yml", workflow)
	h.write("README.md", "Set SECRET_KEY=... and JWT_SECRET_KEY=... in .env\n")
	return h
}

func (h *house) path(rel string) string {
	return filepath.Join(h.run.Project.Root, filepath.FromSlash(rel))
}

func (h *house) write(rel, content string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.path(rel)), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(h.path(rel), []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) remove(rel string) {
	h.t.Helper()
	if err := os.Remove(h.path(rel)); err != nil {
		h.t.Fatal(err)
	}
}

// marks are the check lines of the three steps that prove something, as a good
// run leaves them.
type marks map[steps.Name]map[string]steps.Mark

func good() marks {
	const ok = steps.MarkOK
	return marks{
		steps.Distinct: {"file decouple": ok, "environment": ok, "django": ok, "differ": ok, "checks": ok},
		steps.Restart:  {"answers": ok},
		steps.SmokeTest: {"answers": ok, "new-key": ok, "secret-key": ok, "previous-key": ok, "random-key": ok,
			"login": ok, "login-token": ok, "protected": ok, "refresh": ok},
	}
}

// prove records the marks as the engine would.
func (h *house) prove(m marks, restarted bool) {
	h.t.Helper()
	for _, n := range steps.Order() {
		if m[n] == nil {
			continue
		}
		h.record(n, m[n], restarted)
		h.status(n, steps.Done)
	}
}

// record keeps the marks of one step as evidence.
func (h *house) record(n steps.Name, lines map[string]steps.Mark, restarted bool) {
	h.t.Helper()
	ev := journal.Evidence{Restarted: restarted, Own: h.run.OwnServer, Files: steps.ProofFiles(h.run)}
	for id, mark := range lines {
		ev.Checks = append(ev.Checks, journal.CheckLine{ID: id, Mark: string(mark), Text: id, Detail: "seen"})
	}
	if err := h.run.Journal.Record(string(n), ev); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) status(n steps.Name, s steps.Status) {
	h.t.Helper()
	if err := h.run.Journal.SetStatus(string(n), string(s)); err != nil {
		h.t.Fatal(err)
	}
}

// newKey records that another key is in force, as an upgrade of a place that is no
// file does.
func (h *house) newKey() {
	h.t.Helper()
	if err := h.run.Journal.SetKey(h.run.Secret(stepstest.Key())); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) attest(item int) {
	h.t.Helper()
	if err := Attest(context.Background(), h.run, item, "Ada", fmt.Sprintf("note on %d", item)); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) look() Report {
	h.t.Helper()
	r, err := Look(context.Background(), h.run, time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	if len(r.Items) != 9 {
		h.t.Fatalf("%d items", len(r.Items))
	}
	return r
}

// open lists the numbers of the open items.
func open(r Report) []int {
	out := []int{}
	for _, it := range r.Items {
		if it.State == Open {
			out = append(out, it.Number)
		}
	}
	return out
}

func asJSON(t *testing.T, r Report) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
