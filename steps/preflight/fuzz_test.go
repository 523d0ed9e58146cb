package preflight

import (
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// The sources of a project are anyone's. Without its comments a text has the
// lines that it had.
func FuzzSource(f *testing.F) {
	f.Add("from decouple import config # x\nSECRET_KEY = config('SECRET_KEY', default=\"\"\"a#b\n\"\"\")\n")
	f.Add("'''\\'''#\nimport os; os.environ['A'] = f\"{x!r}#\"")
	f.Add("\xff'\x00\r\"")
	f.Fuzz(func(t *testing.T, text string) {
		out := withoutComments(text)
		if strings.Count(out, "\n") != strings.Count(text, "\n") {
			t.Errorf("%d lines of %d", strings.Count(out, "\n"), strings.Count(text, "\n"))
		}
		for d := range readerUse {
			_ = usesReader(d, out)
		}
		_ = argument(text)
		_, _ = looksLikeKey(text), wrappedKey(text)
		_, _, _ = literalSecretKey(steps.GuideNames, []source{{path: "settings.py", text: text}})
	})
}

// What stands in a string of several lines is no code; its quotes stay, so that what follows
// is no part of it.
func TestAStringOfSeveralLinesKeepsItsQuotes(t *testing.T) {
	t.Parallel()
	if got := withoutComments("\"\"\"a # b\nc\"\"\" # d\nK = 'e'\n"); got != "\"\"\"     \n \"\"\" \nK = 'e'\n" {
		t.Errorf("%q", got)
	}
}

// A .dockerignore may hold any pattern.
func FuzzDockerIgnores(f *testing.F) {
	f.Add([]byte("*\n!backend/**\n**/.env?\n"), "backend/.env")
	f.Add([]byte("[\\\n(\xff*{\n"), "a/\xff/b")
	f.Fuzz(func(t *testing.T, rules []byte, rel string) {
		if strings.HasPrefix(rel, "/") || rel == "" || strings.Contains(rel, "..") {
			t.Skip()
		}
		if dockerIgnores(nil, rel) {
			t.Error("no rule ignores it")
		}
		_ = dockerIgnores(rules, rel)
	})
}

// The project's settings can write anything into the channel of the probe.
func FuzzAnswer(f *testing.F) {
	const token = "0123456789abcdef"
	f.Add([]byte(token + ` {"facts":{"state":"ok"},"output":["x"]}` + "\n"))
	f.Add([]byte("noise\n" + token + ` {"error":{"type":"x","message":"\u001b[31m"}}` + "\n"))
	f.Add([]byte(token + " {\n" + token + " null\n" + token + " []\n"))
	run := stepstest.NewRun(f, "A=1\n", nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &session{answers: make(chan []byte, 100), token: token, project: run.Project, show: run.Redactor.Show, learn: &run.Redactor, secret: run.Secret}
		if strings.Count(string(data), token) > 99 {
			t.Skip()
		}
		s.listen(strings.NewReader(string(data)))
		for answer := range s.answers {
			if r, err := s.read(answer); (r == nil) == (err == nil) {
				t.Errorf("answer %v, error %v", r, err)
			}
		}
	})
}

// A static look at a project with any .env ends with findings of the catalogue.
func FuzzLook(f *testing.F) {
	f.Add([]byte("DEBUG=TrueJWT_SECRET_KEY=x\nSECRET_KEY=y # z\nexport JWT_SECRET_KEY: \"\n\xef\xbb\xbf"))
	f.Add([]byte("JWT_SECRET_KEY\n=\nJWT_SECRET_KEY==\r\rSECRET_KEY='\xff"))
	dir := lay(f, map[string]string{"manage.py": manage, "config/settings.py": "from decouple import config\nSECRET_KEY = config('SECRET_KEY')\n"})
	run := stepstest.NewRun(f, "A=1\n", nil)
	run.Options.Static = true
	run.Project.Root, run.Project.TopLevel = dir, dir
	f.Fuzz(func(t *testing.T, data []byte) {
		d := &diagnosis{run: run, project: run.Project}
		file := envfile.Parse(data)
		vars := d.encoding(file)
		d.lines(file, vars)
		for _, found := range d.found {
			if found.Message.Rendered() == "" || found.Line < 0 || found.Line > file.Len()+1 {
				t.Errorf("finding %+v", found)
			}
		}
	})
}
