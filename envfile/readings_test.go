package envfile

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"strings"
	"testing"
	"time"
)

// testdata/readings.json holds 69 files and what each reader really returned
// for them: python-decouple 3.6, python-dotenv 1.2.2, django-environ 0.11.2,
// joho/godotenv 1.5.1, compose-go 2.16.2, EnvironmentFile= of systemd 252,
// bash 5.2 (set -a, then the file sourced) and docker run --env-file 28.5. The
// process environment held EXISTING=envx. A value is a text, or an object: the
// state null or raises, or base64 where it is not UTF-8. The ids are stable
// and have gaps. The variables of django-environ are those that were asked for.
type reading struct {
	ID, Title, Text string
	Base64          []byte
	Readings        []struct {
		By      string
		Refused bool
		Vars    map[string]json.RawMessage
	}
}

// unknowable has the readings that cannot be modelled without running
// commands: there Read must say that it does not know the value.
var unknowable = map[string]string{
	"082 shell": "K=$(echo hi): the value is a command's output",
	"053 shell": "K=`abc`: the value is a command's output, here of one that did not exist",
}

func loadReadings(t testing.TB) []reading {
	t.Helper()
	b, err := os.ReadFile("testdata/readings.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []reading
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 69 {
		t.Fatalf("%d readings, want 69", len(all))
	}
	return all
}

func (r reading) data() []byte {
	if r.Base64 != nil {
		return r.Base64
	}
	return []byte(r.Text)
}

// expected returns what each dialect returned; nil stands for a refusal.
func (r reading) expected(t testing.TB) map[Dialect]Vars {
	t.Helper()
	want := map[Dialect]Vars{}
	for _, x := range r.Readings {
		by := strings.Fields(x.By)
		if x.By == "all" {
			by = nil
			for _, d := range Dialects() {
				by = append(by, string(d))
			}
		}
		var vars Vars
		if !x.Refused {
			vars = Vars{}
			for name, raw := range x.Vars {
				var v struct {
					State  string
					Base64 []byte
				}
				var text string
				if json.Unmarshal(raw, &text) == nil {
					vars.set(name, text)
					continue
				}
				if err := json.Unmarshal(raw, &v); err != nil {
					t.Fatalf("%s: %v", r.ID, err)
				}
				switch v.State {
				case "null":
					vars[name] = Var{State: Null}
				case "raises":
					vars[name] = Var{State: Raises}
				default:
					vars.set(name, string(v.Base64))
				}
			}
		}
		for _, d := range by {
			want[Dialect(d)] = vars
		}
	}
	return want
}

func existing(name string) (string, bool) {
	if name == "EXISTING" {
		return "envx", true
	}
	return "", false
}

func TestReadMatchesTheRealReaders(t *testing.T) {
	compared := 0
	for _, r := range loadReadings(t) {
		want := r.expected(t)
		for _, d := range Dialects() {
			expected, measured := want[d]
			if !measured {
				t.Errorf("%s: no reading of %s", r.ID, d)
				continue
			}
			got, err := Read(d, r.data(), existing)
			if _, ok := unknowable[r.ID+" "+string(d)]; ok {
				if v := got["K"]; v.State != Unknown {
					t.Errorf("%s (%s) %s: got %v, want it to be unknown", r.ID, r.Title, d, v)
				}
				compared++
				continue
			}
			switch {
			case expected == nil && err == nil:
				t.Errorf("%s (%s): %s read the file, want a refusal", r.ID, r.Title, d)
			case expected != nil && err != nil:
				t.Errorf("%s (%s): %v, want a reading", r.ID, r.Title, err)
			case expected != nil && !known(got, expected):
				t.Errorf("%s (%s) %s:\n got %q\nwant %q", r.ID, r.Title, d, plain(got), plain(expected))
			}
			compared++
		}
	}
	if compared != 69*8 {
		t.Errorf("%d comparisons, want %d", compared, 69*8)
	}
}

// known reports whether got is expected but for what it does not claim to know: the value of another version of the
// reader, and a variable of a command in the background, which the model does not follow.
func known(got, expected Vars) bool {
	got, expected = maps.Clone(got), maps.Clone(expected)
	for name, v := range got {
		if _, there := expected[name]; v.State == Stated || v.State == Unknown && !there {
			delete(got, name)
			delete(expected, name)
		}
	}
	return maps.Equal(got, expected)
}

// plain shows the values of a test, which the types themselves do not print.
func plain(v Vars) map[string]string {
	m := map[string]string{}
	for name, x := range v {
		m[name] = x.Value + [...]string{"", "(null)", "(raises)", "(unknown)", "(stated)"}[x.State]
	}
	return m
}

// What compose-go would take minutes for is refused at once, with its line; what is
// nested as people nest it is read.
func TestComposeIsNotAskedForADepthItCannotRead(t *testing.T) {
	t.Parallel()
	deep := "A=b\nB=" + strings.Repeat("${C:-", 100_000) + "\n"
	start := processorTime()
	_, err := Read(Compose, []byte(deep), nil)
	var refusal *ReadError
	if took := processorTime() - start; !errors.As(err, &refusal) || refusal.Line != 2 || took > time.Second {
		t.Errorf("%v after %v", err, took)
	}
	vars, err := Read(Compose, []byte("A="+strings.Repeat("${C:-", 20)+"x"+strings.Repeat("}", 20)+"\n"), func(string) (string, bool) { return "", false })
	if value, ok := vars.Get("A"); err != nil || !ok || value != "x" {
		t.Errorf("%q, %v", value, err)
	}
}
