package demo

import (
	"crypto/rand"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"dj/keysplit/steps"
)

//go:embed all:project
var projectFiles embed.FS

const projectName = "plants"

// placeholder is the value of the guide's .env.example, 66 characters.
const placeholder = "REQUIRED__GENERATE_WITH__python_-c_import_secrets_token_urlsafe_64"

// layProject writes the project's files below dir, all but .env.
func layProject(dir string) error {
	root, _ := fs.Sub(projectFiles, "project") // the name is one of a folder
	return fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		// These two are without their dot in the source, where they would act.
		target := name
		switch filepath.Base(name) {
		case "gitignore", "env.example":
			target = filepath.Join(filepath.Dir(name), "."+filepath.Base(name))
		}
		target = filepath.Join(dir, filepath.FromSlash(target))
		if d.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o600)
	})
}

// writeEnv writes the .env of a state, with fresh keys. Written again in state
// Stale, only JWT_SECRET_KEY is another.
func writeEnv(root string, state State, secretKey string) error {
	lines := []string{"# The backend's settings. Never commit this file.", "DEBUG=True", "SECRET_KEY=" + secretKey}
	last := "EMAIL_FROM=plants@example.invalid\n"
	switch state {
	case Missing:
	case Equal:
		lines = append(lines, steps.GuideNames.Key+"="+secretKey)
	case Short:
		lines = append(lines, steps.GuideNames.Key+"="+newKey()[:32])
	case Placeholder:
		lines = append(lines, steps.GuideNames.Key+"="+placeholder)
	case Glued:
		last = strings.TrimSuffix(last, "\n") + steps.GuideNames.Key + "=" + newKey() + "\n"
	case Stale:
		lines = append(lines, steps.GuideNames.Key+"="+newKey())
	default:
		return fmt.Errorf("unknown state of the demo: %q", string(state))
	}
	text := strings.Join(lines, "\n") + "\n" + last
	return os.WriteFile(filepath.Join(root, ".env"), []byte(text), 0o600)
}

// newKey makes a key in the form of Python's secrets.token_urlsafe(64).
func newKey() string {
	b := make([]byte, 64)
	_, _ = rand.Read(b) // crypto/rand.Read never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}
