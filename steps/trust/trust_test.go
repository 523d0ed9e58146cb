package trust_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/trust"
	"dj/keysplit/steps/write"
)

// tree is a work tree with the project in a folder of it, and a folder outside.
type tree struct {
	t                  *testing.T
	top, root, outside string
	state              journal.Folder
}

func newTree(t *testing.T) *tree {
	t.Helper()
	above, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &tree{t: t, state: stepstest.State(t), top: filepath.Join(above, "shop"), root: filepath.Join(above, "shop", "backend"), outside: filepath.Join(above, "outside")}
	r.must(errors.Join(os.MkdirAll(r.root, 0o700), os.MkdirAll(r.outside, 0o700), os.MkdirAll(filepath.Join(r.top, ".git"), 0o700)))
	return r
}

func (r *tree) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *tree) write(path, text string) {
	r.t.Helper()
	path = filepath.Join(r.top, path)
	r.must(errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)))
}

func (r *tree) link(path, to string) {
	r.t.Helper()
	r.must(os.Symlink(to, filepath.Join(r.top, path)))
}

// values are those of staging that need a yes, with what the file says there.
func (r *tree) values(staging string) []trust.Value {
	r.t.Helper()
	r.write("keysplit.toml", "# of the team\n[environments.staging]\n"+staging)
	conf, err := config.Find(r.root, r.top)
	r.must(err)
	env := conf.Environments["staging"]
	targets, err := write.Targets(env.Targets)
	r.must(err)
	run := &steps.Run{Targets: targets, Found: steps.Found{Project: &steps.Project{Root: r.root, TopLevel: r.top}}}
	run.Environ = func(string) (string, bool) { return "", false }
	run.Options = steps.Options{Environment: "staging", Targets: targets, URLs: env.URLs, Static: true}
	if env.Restart != "" {
		run.Options.Restart, err = restart.Parse(env.Restart)
		r.must(err)
	}
	return trust.Of(r.t.Context(), run, conf, restart.Described(run))
}

func TestWhatNeedsAYes(t *testing.T) {
	t.Parallel()
	const service = "services:\n  web:\n    env_file: "
	for name, c := range map[string]struct {
		lay  func(r *tree)
		text string
		want string // kind:line of each, leads behind it when it is a file
	}{
		"nothing":                     {nil, "login = \"/login/\"\nusername = \"probe\"\n", ""},
		"loopback":                    {nil, "url = \"http://127.0.0.1:8000\"\n", ""},
		"one of two addresses":        {nil, "url = [\n  \"http://127.0.0.1:8000\",\n  \"https://a.example.com\",\n]\n", "url:5"},
		"a manager":                   {nil, "targets = [\"vault:kv/shop#a\"]\n", "targets:3"},
		"each by itself":              {nil, "targets = [\"vault:kv/shop#a\", \"dotenv:.env.x\",\n\"fly:shop\"]\nurl = \"https://a.example.com\"\nrestart = \"command:./again\"\n", "targets:3 targets:4 url:5 restart:6"},
		"by hand":                     {nil, "targets = [\"manual:the vault\"]\n", "targets:3"},
		"the backend's own file":      {nil, "targets = [\"dotenv\"]\n", ""},
		"a file of the tree":          {nil, "targets = [\"dotenv:deploy/.env\"]\n", ""},
		"a file that is not there":    {nil, "targets = [\"dotenv:no/such/.env\"]\n", ""},
		"an absolute path":            {nil, "targets = [\"dotenv:OUTSIDE/.env\"]\n", "targets:3 OUTSIDE/.env"},
		"a way out":                   {nil, "targets = [\"dotenv:deploy/../../outside/.env\"]\n", "targets:3 OUTSIDE/.env"},
		"a link out":                  {func(r *tree) { r.write("../outside/real", ""); r.link("link", r.outside+"/real") }, "targets = [\"dotenv:link\"]\n", "targets:3 OUTSIDE/real"},
		"a folder that is a link out": {func(r *tree) { r.link("conf", r.outside) }, "targets = [\"dotenv:conf/new.env\"]\n", "targets:3 OUTSIDE/new.env"},
		"a link within":               {func(r *tree) { r.write("real", ""); r.link("link", "real") }, "targets = [\"dotenv:link\"]\n", ""},
		"what git keeps for itself":   {nil, "targets = [\"dotenv:.git/config\"]\n", "targets:3 TOP/.git/config"},
		"compose, within":             {func(r *tree) { r.write("compose.yml", service+"web.env\n"); r.write("web.env", "") }, "targets = [\"compose:compose.yml#web\"]\n", ""},
		"compose, env_file outside":   {func(r *tree) { r.write("compose.yml", service+"../outside/x.env\n") }, "targets = [\"compose:compose.yml#web\"]\n", "targets:3 OUTSIDE/x.env"},
		"compose, env_file a link": {func(r *tree) {
			r.write("compose.yml", service+"x.env\n")
			r.write("../outside/x", "")
			r.link("x.env", r.outside+"/x")
		}, "targets = [\"compose:compose.yml#web\"]\n", "targets:3 OUTSIDE/x"},
		"a compose file outside": {func(r *tree) {
			r.write("../outside/compose.yml", service+r.root+"/x.env\n")
			r.write("backend/x.env", "")
		},
			"targets = [\"compose:../outside/compose.yml#web\"]\n", "targets:3 OUTSIDE/compose.yml"},
		"restart, usual ways":      {nil, "restart = \"kubernetes:shop/web,worker\"\n", ""},
		"restart, compose":         {func(r *tree) { r.write("compose.yml", "services: {web: {}}\n") }, "restart = \"compose:web\"\n", ""},
		"restart, compose outside": {func(r *tree) { r.write("../outside/compose.yml", "services: {web: {}}\n") }, "restart = \"compose:../outside/compose.yml#web\"\n", "restart:3 OUTSIDE/compose.yml"},
		"restart, compose a link":  {func(r *tree) { r.write("../outside/c", "services: {web: {}}\n"); r.link("compose.yml", r.outside+"/c") }, "restart = \"compose:web\"\n", "restart:3 OUTSIDE/c"},
		"restart by a command":     {nil, "restart = \"command:  ./again\"\n", "restart:3"},
		"restart of the target's": {func(r *tree) {
			r.write("../outside/compose.yml", service+r.root+"/x.env\n")
			r.write("backend/x.env", "")
		}, "targets = [\"compose:../outside/compose.yml#web\"]\nrestart = \"compose:web\"\n", "targets:3 OUTSIDE/compose.yml restart:4 OUTSIDE/compose.yml"},
		"another environment's own": {nil, "[environments.production]\nurl = \"https://a.example.com\"\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newTree(t)
			if c.lay != nil {
				c.lay(r)
			}
			var got []string
			for _, v := range r.values(strings.ReplaceAll(c.text, "OUTSIDE", filepath.ToSlash(r.outside))) {
				said := fmt.Sprintf("%s:%d", v.Kind, v.Line)
				if v.Leads != "" {
					said += " " + filepath.ToSlash(strings.NewReplacer(r.outside, "OUTSIDE", r.top, "TOP").Replace(v.Leads))
				}
				got = append(got, said)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", strings.Join(got, " "), c.want)
			}
		})
	}
}

// A yes holds for one project, environment, use and value, and for a path as long as
// it leads to the same file.
func TestWhatAYesIsFor(t *testing.T) {
	t.Parallel()
	r := newTree(t)
	r.write("../outside/a", "")
	r.write("../outside/b", "")
	r.link("link", r.outside+"/a")
	opened := func(root, environment string) *journal.Journal {
		t.Helper()
		j, err := r.state.Open(root, environment)
		r.must(err)
		return j
	}
	j := opened(r.root, "staging")
	all := r.values("targets = [\"dotenv:link\"]\nurl = \"https://a.example.com\"\nrestart = \"command:https://a.example.com\"\n")
	if len(all) != 3 {
		t.Fatalf("%+v", all)
	}
	for i, v := range all {
		if v.Agreed(j) || v.Agreed(nil) {
			t.Errorf("%s: agreed without a yes", v)
		}
		r.must(v.Agree(j))
		for n, other := range all {
			if other.Agreed(j) != (n <= i) {
				t.Errorf("after the yes to %s: %s is agreed %t", v, other, other.Agreed(j))
			}
		}
	}
	for name, other := range map[string]*journal.Journal{
		"another environment": opened(r.root, "production"), "another folder": opened(r.top, "staging"),
	} {
		if all[0].Agreed(other) {
			t.Errorf("%s: agreed", name)
		}
	}
	if !all[0].Agreed(opened(r.root, "staging")) {
		t.Error("the next run asks again")
	}
	data, err := os.ReadFile(filepath.Join(j.Dir(), "journal.jsonl"))
	if err != nil || strings.Contains(string(data), "example.com") {
		t.Errorf("the value itself is kept, %v", err)
	}
	// The same text in a longer file, and then a link to another place.
	more := r.values("login = \"/x/\"\nusername = \"probe\"\ntargets = [\"dotenv:link\", \"fly:shop\"]\nurl = \"https://a.example.com\"\n")
	for _, v := range more {
		if v.Agreed(j) != (v.Text != "fly:shop") {
			t.Errorf("%s: agreed %t", v, v.Agreed(j))
		}
	}
	r.must(os.Remove(filepath.Join(r.top, "link")))
	r.link("link", r.outside+"/b")
	for _, v := range r.values("targets = [\"dotenv:link\"]\n") {
		if v.Agreed(j) {
			t.Error("the yes holds although the link leads elsewhere")
		}
	}
}

// What is shown has no letter that only looks like another one, and nothing that a
// terminal obeys.
func TestWhatIsShown(t *testing.T) {
	t.Parallel()
	r := newTree(t)
	all := r.values("url = \"https://st\u0430ging.example.com\"\nrestart = \"command:./a\\n; \\u001b[2Kevil\"\n")
	if len(all) != 2 || all[0].String() != `url = "https://st\u0430ging.example.com"` || all[1].String() != `restart = "command:./a\n; \x1b[2Kevil"` {
		t.Errorf("%v", all)
	}
	if all[0].Place() != "keysplit.toml:3" || !strings.Contains(all[0].Use(), "password") {
		t.Errorf("%s: %s", all[0].Place(), all[0].Use())
	}
}
