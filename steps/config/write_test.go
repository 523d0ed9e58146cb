package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// way is a way to restart that is only named.
type way string

func (w way) String() string { return string(w) }

func (w way) Kept(*steps.Run) string { return string(w) }

func TestWhatIsWrittenReadsBackTheSame(t *testing.T) {
	run := &steps.Run{
		Found: steps.Found{Project: &steps.Project{SettingsModule: "config.settings", Facts: &steps.Facts{Routes: steps.Routes{Login: "/api/login/", Refresh: "/api/refresh/", Verify: "/v/"}}}},
		Options: steps.Options{
			Environment: "eu-1", Targets: []steps.Target{&stepstest.Place{Name: "vault:kv/a#b"}, &stepstest.Place{Name: `manual:the "vault"` + "\t\\"}}, Restart: way("systemd:web"),
			URLs: []string{"https://a.example.com", "https://b.example.com"}, Production: true, MinLength: 60, DistinctFrom: []string{"A"},
		},
	}
	run.Answers.Username, run.Answers.Password = "probe", run.Secret("hunter2hunter2")
	run.Options.Names = steps.Names{Key: "SHOP_KEY", SecretKey: "SHOP_SECRET"}
	text := For(run)
	got, err := Parse("/p/keysplit.toml", text, false)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	o := run.Options
	want := Environment{Targets: steps.SpecsOf(o.Targets), Restart: o.Restart.String(), URLs: o.URLs, Login: "/api/login/", Refresh: "/api/refresh/", Username: "probe", Production: true}
	if !reflect.DeepEqual(got.Environments["eu-1"], want) || got.Settings != "config.settings" || got.MinLength != 60 || got.Variables.Key != "SHOP_KEY" || got.Variables.SecretKey != "SHOP_SECRET" || len(got.DistinctFrom) != 1 {
		t.Errorf("%+v\n%s", got, text)
	}
	if strings.Contains(string(text), "hunter2") {
		t.Error("the password is written")
	}
	again := For(run)
	if string(again) != string(text) {
		t.Error("a second text is another one")
	}
	for _, name := range []string{"", "a.b"} {
		plain := &steps.Run{Found: steps.Found{Project: &steps.Project{}}, Served: steps.Served{URL: "http://127.0.0.1:41234"}}
		plain.Options.Environment = name
		if c, err := Parse("f", For(plain), false); err != nil || len(c.Environments) != 1 || strings.Contains(string(For(plain)), "41234") {
			t.Errorf("%+v, %v", c, err)
		}
		plain.Options.URL = "https://c.example.com"
		if c, err := Parse("f", For(plain), false); err != nil || !slices.ContainsFunc(slices.Collect(maps.Values(c.Environments)), func(e Environment) bool { return slices.Equal(e.URLs, []string{plain.Options.URL}) }) {
			t.Errorf("an address that was named: %+v, %v", c, err)
		}
		plain.Options.URL = ""
		plain.Options.Environment = ""
		plain.Servers = []steps.Server{{URL: "http://127.0.0.1:8000"}}
		if c, err := Parse("f", For(plain), false); err != nil || c.Environments["development"].URLs[0] != "http://127.0.0.1:8000" {
			t.Errorf("%+v, %v", c, err)
		}
	}
}
