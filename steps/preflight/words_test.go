package preflight

import (
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// What a finding says fits the very case.
func TestWhatFindingsSay(t *testing.T) {
	t.Parallel()
	secret, key := stepstest.Key(), stepstest.Key()
	good := "SECRET_KEY=" + secret + "\nJWT_SECRET_KEY=" + key + "\n"
	environ := "import environ\nfrom pathlib import Path\nBASE_DIR = Path(__file__).resolve().parent.parent\nenv = environ.Env()\nenviron.Env.read_env(BASE_DIR / '.env')\nSECRET_KEY = env('SECRET_KEY')\nJWT_SECRET_KEY = env('JWT_SECRET_KEY')\n"
	example := map[string]string{"backend/.env": "-", "backend/.env.example": "SECRET_KEY=\n"}
	for name, c := range map[string]struct {
		env      string
		more     map[string]string
		environ  map[string]string
		set      func(*steps.Run)
		code     finding.Code
		severity finding.Severity
		says     string
	}{
		"another variable":     {"SECRET_KEY=" + secret + "\nOTHER_KEY=" + key + "\nJWT_SECRET_KEY=" + key + "\n", nil, nil, func(r *steps.Run) { r.Options.DistinctFrom = []string{"OTHER_KEY"} }, "jwt-key-equals-secret-key", finding.Error, "JWT_SECRET_KEY equals OTHER_KEY."},
		"SECRET_KEY itself":    {"SECRET_KEY=" + key + "\nOTHER_KEY=" + key + "\nJWT_SECRET_KEY=" + key + "\n", nil, nil, func(r *steps.Run) { r.Options.DistinctFrom = []string{"OTHER_KEY"} }, "jwt-key-equals-secret-key", finding.Error, "JWT_SECRET_KEY equals SECRET_KEY."},
		"behind a mark":        {"\xef\xbb\xbfJWT_SECRET_KEY=" + key + "\nSECRET_KEY=" + secret + "\n", nil, nil, nil, "key-unread", finding.Error, "behind a byte order mark"},
		"a mark hides the key": {"\xef\xbb\xbf" + good, nil, nil, nil, "encoding-bom", finding.Error, "hides SECRET_KEY"},
		"a mark hides nothing": {"\xef\xbb\xbf# first\n" + good, nil, nil, nil, "encoding-bom", finding.Warning, "begins with a byte order mark"},
		"spaces":               {"SECRET_KEY=" + secret + "\nJWT_SECRET_KEY = " + key + "\n", map[string]string{"backend/config/settings.py": environ}, nil, nil, "key-unread", finding.Error, "with spaces around the ="},
		"lower case":           {"SECRET_KEY=" + secret + "\njwt_secret_key=" + key + "\n", nil, nil, nil, "key-unread", finding.Error, "in another case"},
		"the shell's":          {good, nil, map[string]string{"SECRET_KEY": ""}, nil, "secret-key-missing", finding.Error, "is set to an empty value in this shell"},
		"an example to copy":   {"", example, nil, nil, "env-file-missing", finding.Error, "It makes the file from backend/.env.example"},
	} {
		t.Run(name, func(t *testing.T) {
			run, _, err := lookStatic(t, filepath.Join(lay(t, tree(c.env, c.more)), "backend"), c.set, c.environ)
			if run.Project == nil {
				t.Fatal(err)
			}
			for _, f := range run.Project.Findings {
				if f.Code != c.code {
					continue
				}
				if f.Severity != c.severity || !strings.Contains(f.Message.Rendered()+" "+f.Fix.Rendered(), c.says) {
					t.Errorf("it says %s: %s %s", f.Severity, f.Message, f.Fix.Rendered())
				}
				return
			}
			t.Errorf("there is no %s: %v", c.code, codes(run.Project.Findings))
		})
	}
}
