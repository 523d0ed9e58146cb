package repo

import (
	"bytes"
	"testing"

	"dj/keysplit/steps/finding"
)

// An edit only inserts lines: without them the file is as it was, apart from a
// line end that its last line lacked.
func FuzzEdit(f *testing.F) {
	for _, text := range []string{
		"env:\n  SECRET_KEY: ${{ secrets.SECRET_KEY }}\n", "services:\r\n  web:\r\n    environment:\r\n      - SECRET_KEY=${SECRET_KEY}",
		"- name: SECRET_KEY\n  valueFrom:\n    secretKeyRef:\n      name: a\n      key: SECRET_KEY\n", "SECRET_KEY=\n", "export SECRET_KEY='x' # y\n",
		"{\"SECRET_KEY\": {\"generator\": \"secret\"}}", "\xff\x00SECRET_KEY:\r\r\n", "/.venv\n!*.env\n",
	} {
		f.Add(".github/workflows/ci.yml", []byte(text))
		f.Add("backend/.env.example", []byte(text))
	}
	f.Fuzz(func(t *testing.T, file string, data []byte) {
		for code, edit := range editOf {
			out, diff := edit(finding.New(code, "").At(file, 0), data)
			added := map[int]bool{}
			for _, d := range diff {
				if d.Op == "+" {
					added[d.Line] = true
				}
			}
			var kept []byte
			n := 0
			for line := range bytes.Lines(out) {
				if n++; !added[n] {
					kept = append(kept, line...)
				}
			}
			if len(diff) > 0 && !bytes.Equal(bytes.TrimRight(kept, "\r\n"), bytes.TrimRight(data, "\r\n")) {
				t.Errorf("%s: the other lines are not what they were", code)
			}
		}
	})
}
