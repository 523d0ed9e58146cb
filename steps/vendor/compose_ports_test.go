package vendor

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"dj/keysplit/steps/stepstest"
)

func TestPublishedPorts(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	file := filepath.Join(run.Project.Root, "docker-compose.yml")
	if got := Published(run); got != nil {
		t.Errorf("without a file: %v", got)
	}
	text := `services:
  web:
    image: shop
    ports: ["8000:80", "127.0.0.1:8001:80/tcp", "[::1]:8002:80", "9000", "53:53/udp", "${PORT:-8003}:80", "$OTHER:80", "8010-8011:80-81"]
  two:
    ports:
      - {target: 80, published: "8004"}
      - {target: 80, published: 8005, protocol: udp}
      - {target: 80}
      - 8006:80
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []uint16{8000, 8001, 8002, 8003, 8004, 8006, 8010, 8011}
	if got := Published(run); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	// The override adds its own; a file that is none publishes nothing.
	over := filepath.Join(run.Project.Root, "docker-compose.override.yml")
	if err := os.WriteFile(over, []byte("services: {web: {ports: ['8020:80']}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Published(run); !slices.Equal(got, append(want, 8020)) {
		t.Errorf("with an override: %v", got)
	}
	if err := os.WriteFile(file, []byte("services: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Published(run); got != nil {
		t.Errorf("of a broken file: %v", got)
	}
}
