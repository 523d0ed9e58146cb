package checklist

import (
	"bytes"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/repo"
)

// A place has a line of the file, and a code of the catalogue.
func FuzzMentions(f *testing.F) {
	f.Add(".gitlab-ci.yml", []byte("variables:\n  SECRET_KEY: x\n  # JWT_SECRET_KEY\n"))
	f.Add("README.md", []byte("| SECRET_KEY | x |\r\nSECRET_KEY=\"\xff"))
	f.Add("k8s/\n.yaml", []byte("&a [*a, *a]: {SECRET_KEY: !!binary x}"))
	f.Fuzz(func(t *testing.T, file string, data []byte) {
		k := repo.KindOf(file)
		text := repo.Read(steps.GuideNames, k == repo.Pipeline, file, data, nil)
		secretKey, key := text.Provides(), text.Key()
		if lines := bytes.Count(data, []byte("\n")) + 1; secretKey < 0 || key < 0 || secretKey > lines || key > lines {
			t.Errorf("lines %d and %d of %d", secretKey, key, lines)
		}
		if code := codeFor(k, file, data); code != "" && finding.New(code, "").Message.Empty() {
			t.Errorf("code %q", code)
		}
		_ = lineOf(data, steps.GuideNames.Key)
	})
}
