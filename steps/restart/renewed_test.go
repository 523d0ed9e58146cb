package restart

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/process"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// A command that only sends a signal ends before the workers are new: they are waited
// for, and those that never come are left to the smoke test.
func TestTheWorkersAreWaitedFor(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("true"); err != nil {
		t.Skip("there is no command that does nothing here: " + err.Error())
	}
	for name, after := range map[string]int{"they come": 3, "they do not": 1 << 30} {
		w := newWorld(t)
		url := backend(t)
		wrote := time.Now().Add(-time.Minute)
		w.run.Written = steps.Written{Wrote: true, WroteAt: wrote}
		looks := 0
		w.step.Find = func(context.Context, string) ([]steps.Server, error) {
			s := w.server(7, 0, wrote.Add(-time.Hour), url) // the master stays
			s.Workers, s.Oldest = 4, wrote.Add(-time.Hour)
			if looks++; looks > after {
				s.Oldest = wrote.Add(time.Second)
			}
			return []steps.Server{s}, nil
		}
		way, err := Parse("command:true")
		if err != nil {
			t.Fatal(err)
		}
		w.run.Options.Restart = way
		if _, _, err := do(w.step.Apply, w.run); err != nil || w.run.URL != url || looks < 4 {
			t.Errorf("%s: %v, address %q, %d looks", name, err, w.run.URL, looks)
		}
		if fresh := w.run.Servers[0].Since().After(wrote); fresh != (name == "they come") {
			t.Errorf("%s: the workers that were seen last are new: %t", name, fresh)
		}
	}
}

// With the file of a service as its place, the processes of this machine that serve it are
// known: by the address that was named, or by a secret of that file that they were started
// with. The project's other servers are another environment's.
func TestTheProcessesOfAServicesFile(t *testing.T) {
	t.Parallel()
	own, before := newKey(), newKey()
	for name, c := range map[string]struct {
		url     string
		has     map[string]string // the variables of process 7
		file    bool
		want    string // the address that is asked
		counted bool
	}{
		"the named address":            {"http://localhost:8001", nil, true, "http://localhost:8001", true},
		"the named address, no file":   {"http://localhost:8001/", nil, false, "http://localhost:8001", true},
		"another port":                 {"http://localhost:9001", nil, true, "http://localhost:9001", false},
		"a proxy, its SECRET_KEY":      {"https://shop.example", map[string]string{"SECRET_KEY": own}, true, "https://shop.example", true},
		"no address, its SECRET_KEY":   {"", map[string]string{"SECRET_KEY": own}, true, "http://127.0.0.1:8001", true},
		"no address, the previous key": {"", map[string]string{"JWT_SECRET_KEY": before}, true, "http://127.0.0.1:8001", true},
		"no address, another key":      {"", map[string]string{"JWT_SECRET_KEY": newKey(), "SECRET_KEY": ""}, true, "", false},
		"no file, the same SECRET_KEY": {"", map[string]string{"SECRET_KEY": own}, false, "", false},
		"a process that shows nothing": {"", nil, true, "", false},
		"a process that hides":         {"", nil, true, "", false},
		"a socket, its SECRET_KEY":     {"unix:/run/shop.sock", map[string]string{"SECRET_KEY": own}, true, "unix:/run/shop.sock", true},
		"a socket of another process":  {"unix:/run/shop.sock", nil, true, "unix:/run/shop.sock", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if err := stepstest.Places(w.run, steps.Held{Readable: true, SecretKey: w.run.Secret(own)}); err != nil {
				t.Fatal(err)
			}
			if c.file {
				w.run.Targets[0].(*stepstest.Place).Path = w.run.Project.EnvFile.Path + ".shop"
			}
			w.run.Previous, w.run.Options.URL = w.run.Secret(before), c.url
			w.servers = []steps.Server{w.server(7, 0, w.old, "http://127.0.0.1:8001")}
			w.servers[0].Workers = 4
			w.step.KeyOf = func(_ int, name string, f secret.Fingerprinter) (string, bool, error) {
				return f.Of(w.run.Secret(c.has[name])), c.has[name] != "", nil
			}
			if name == "a process that hides" {
				w.step.KeyOf = func(int, string, secret.Fingerprinter) (string, bool, error) { return "", false, os.ErrPermission }
			}
			if err := w.step.address(t.Context(), w.run); err != nil || w.run.URL != c.want || (len(w.step.unseen) > 0) != (name == "a process that hides") {
				t.Errorf("asks %q, %v", w.run.URL, err)
			}
			if got := len(w.run.Servers) == 1 && w.run.Servers[0].Workers == 4; got != c.counted {
				t.Errorf("servers %+v", w.run.Servers)
			}
		})
	}
}

// Processes of other users that listen are named where no server of an environment is seen.
func TestHiddenProcessesAreNamedElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run.Targets = []steps.Target{&stepstest.Place{Name: "dotenv:shop.env", Path: "/etc/shop.env"}}
	sight := process.Sight{Hidden: []process.Hidden{{User: "www-data", Processes: 2, Ports: []uint16{8001}}, {User: "idle", Processes: 1}}}
	if all := w.step.ours(w.run, sight); len(all) > 0 || w.step.noneFound() != notFound+" 2 Python processes of www-data listen on 8001; keysplit cannot look into them." {
		t.Errorf("%+v: %s", all, w.step.noneFound())
	}
}

// A server of which only the address is known gets its time to reload, and it is said that
// keysplit cannot see whether it does.
func TestAServerThatIsKnownByItsAddressIsNudged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(steps.Server{URL: backend(t), Folder: w.run.Project.Root})
	texts, _, err := do(w.step.Apply, w.run)
	if !w.touched() || !hasText(texts, bareAdvice) {
		t.Errorf("touched %t, %v: %q", w.touched(), err, texts)
	}
}
