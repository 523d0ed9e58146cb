//go:build unix

package vendor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
)

// A compose file with ${KEY:?} refuses every command until the key is there, which is what
// keysplit is asked to bring about: the service's Python is started all the same, without it.
func TestTheServicesPythonWithoutTheKey(t *testing.T) {
	const answers = `case "$*" in
*"config --images web") [ -n "$JWT_SECRET_KEY" ] || [ ! -e "$DIR/demands" ] || exit 15; echo shop-web ;;
"image inspect"*" shop-web") [ ! -e "$DIR/unbuilt" ] ;;
*) exit 9 ;;
esac`
	const plain, lent = "docker compose --file FILE run --rm -T --no-deps --entrypoint python web", "env JWT_SECRET_KEY=- docker compose --file FILE run --rm -T --no-deps --entrypoint env web -u JWT_SECRET_KEY python"
	for name, c := range map[string]struct {
		with        []string
		set         bool
		want, build string
	}{
		"no demand":           {nil, false, plain, "docker compose --file FILE build web"},
		"demanded":            {[]string{"demands"}, false, lent, "env JWT_SECRET_KEY=- docker compose --file FILE build web"},
		"demanded, not built": {[]string{"demands", "unbuilt"}, false, "", "env JWT_SECRET_KEY=- docker compose --file FILE build web"},
		"demanded, and there": {[]string{"demands"}, true, plain, "docker compose --file FILE build web"},
		"an image not built":  {[]string{"unbuilt"}, false, "", "docker compose --file FILE build web"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			docker := stepstest.NewTool(t, "docker", answers)
			for _, file := range c.with {
				if err := os.WriteFile(filepath.Join(docker.Dir, file), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			environ := map[string]string{}
			if c.set {
				environ["JWT_SECRET_KEY"] = stepstest.Key()
			}
			run := stepstest.NewRun(t, "", environ)
			service := Contained{File: filepath.Join(run.Project.Root, "docker-compose.yml"), Service: "web"}
			words := service.Python(t.Context(), run)
			if len(words) > 0 {
				words[0] = filepath.Base(words[0])
			}
			for what, got := range map[string][2]string{"Python": {strings.Join(words, " "), c.want}, "build": {string(service.Build()), c.build}} {
				said := strings.Fields(got[0])
				for i, word := range said {
					if strings.HasSuffix(word, "docker-compose.yml") {
						said[i] = "FILE"
					}
				}
				if strings.Join(said, " ") != got[1] {
					t.Errorf("%s: %q, want %q", what, said, got[1])
				}
			}
		})
	}
}
