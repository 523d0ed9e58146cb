//go:build unix

package cli

import (
	"cmp"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/journal"
)

// A rollback trusts the authorities that the upgrade was given for its server, and any run
// takes the Python that was named; a file that is gone since is none, and its own flag wins.
func TestARollbackRemembersWhoVouchesForTheServer(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	https := httptest.NewTLSServer(nil)
	defer https.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: https.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := Stdio().State.Open(root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Use(journal.Used{URLs: []string{https.URL}, CAFile: file}); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, asked := range []struct{ used, flag, want string }{{program, "", program}, {program + "-gone", "", ""}, {program, "another", "another"}} {
		if err := j.Use(journal.Used{URLs: []string{https.URL}, CAFile: file, Python: asked.used}); err != nil {
			t.Fatal(err)
		}
		var q request
		var conf config.Config
		q.state = Stdio().State
		at := place{env: steps.DefaultEnvironment, project: root, python: asked.flag}
		if at.remember(&q, &conf); cmp.Or(at.python, conf.Python) != asked.want {
			t.Errorf("%+v: the Python is %q", asked, conf.Python)
		}
	}
	trusts := func(anywhere bool, flag string) bool {
		t.Helper()
		at := place{env: steps.DefaultEnvironment, project: root}
		run, err := at.run(t.Context(), IO{State: Stdio().State}, request{server: withAuthorities(flag), speech: &speech{}, reach: nowhere, anywhere: anywhere})
		if err != nil {
			t.Fatal(err)
		}
		defer run.Close()
		return run.Options.Roots != nil && run.Options.CAFile == file
	}
	if !trusts(true, "") {
		t.Error("a rollback does not trust what the upgrade was given")
	}
	if trusts(false, "") {
		t.Error("an upgrade trusts what it was not given")
	}
	if !trusts(false, file) {
		t.Error("the flag is not kept")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if trusts(true, "") {
		t.Error("a file that is gone is trusted")
	}
}

func withAuthorities(caFile string) (s server) {
	s.caFile = caFile
	return s
}
