package write

import (
	"os"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// Where no env_file has either key yet, it goes into one that no database reads; and the
// look at the file goes by the names of the settings.
func TestComposeKeepsTheKeyOutOfTheDatabase(t *testing.T) {
	t.Parallel()
	names := steps.Names{Key: "DJANGO_JWT_SECRET_KEY", SecretKey: "DJANGO_SECRET_KEY"}
	for name, c := range map[string]struct{ others, files, file string }{
		"called after it":       {"", "[{path: ./.django, required: false}, {path: ./.postgres, required: false}]", ".django"},
		"read by it":            {"  store:\n    image: postgres:16\n    env_file: common.conf\n", "[web.conf, common.conf]", "web.conf"},
		"read by one built":     {"  mysql:\n    build: ./mysql\n    env_file: common.conf\n", "[web.conf, common.conf]", "web.conf"},
		"no database":           {"  worker:\n    image: shop\n    env_file: common.conf\n", "[web.conf, common.conf]", "common.conf"},
		"only the database's":   {"  db:\n    image: postgres\n    env_file: common.conf\n", "[common.conf]", "common.conf"},
		"feedback, no db in it": {"", "[web.conf, feedback.conf]", "feedback.conf"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := composeBench(t, "services:\n  web:\n    env_file: "+c.files+"\n"+c.others, nil)
			run.Options.Static, run.Project.Names = true, names
			targets, _ := Targets([]string{"compose:docker-compose.yml#web"})
			run.Targets = targets
			if err := run.Home().Look(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := run.Project.Rel(targets[0].File(run)); got != c.file {
				t.Errorf("the key goes into %s, not %s", got, c.file)
			}
			if err := os.WriteFile(targets[0].File(run), []byte("DJANGO_SECRET_KEY="+stepstest.Key()+"\nDJANGO_JWT_SECRET_KEY="+run.Key.Reveal()+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := run.Home().Look(t.Context()); err != nil || !run.Held[0].Key.Equal(run.Key) || !run.Held[0].SecretKey.Set() {
				t.Errorf("the keys are not seen by their names: %v", err)
			}
		})
	}
}
