package repo

import (
	"strings"
	"testing"

	"dj/keysplit/steps"
)

// A job or build that starts Django and gets no key is found, also where it names no
// SECRET_KEY; one that gets the key, or may, is not.
func TestWhatStartsDjango(t *testing.T) {
	t.Parallel()
	const head = "on: push\njobs:\n  t:\n    runs-on: ubuntu-latest\n"
	for name, c := range map[string]struct {
		file, folder, text string
		line               int
	}{
		"a migration check":        {"", ".", head + "    steps:\n      - uses: actions/checkout@v4\n      - run: python manage.py makemigrations --check\n", 7},
		"in a block":               {"", ".", head + "    steps:\n      - run: |\n          pip install -r requirements.txt\n          ./manage.py migrate\n", 8},
		"by a tool":                {"", ".", head + "    steps:\n      - run: uv run manage.py test\n", 6},
		"with coverage":            {"", ".", head + "    steps:\n      - run: coverage run --source=. manage.py test\n", 6},
		"in a folder":              {"", "backend", head + "    defaults:\n      run:\n        working-directory: backend\n    steps:\n      - run: python manage.py check\n", 9},
		"by a path":                {"", "apps/api", head + "    steps:\n      - run: python apps/api/manage.py check\n", 6},
		"after cd":                 {"", "backend", head + "    steps:\n      - run: cd backend && python manage.py check\n", 6},
		"one job of two":           {"", ".", head + "    env:\n      JWT_SECRET_KEY: x\n    steps:\n      - run: python manage.py check\n  u:\n    steps:\n      - run: python manage.py test\n", 11},
		"another project":          {"", "backend", head + "    steps:\n      - run: python manage.py check\n        working-directory: other\n", 0},
		"the key for all":          {"", ".", "env:\n  JWT_SECRET_KEY: x\n" + head + "    steps:\n      - run: python manage.py check\n", 0},
		"a step with the key":      {"", ".", head + "    steps:\n      - run: python manage.py check\n        env:\n          JWT_SECRET_KEY: x\n", 0},
		"a step with others":       {"", ".", head + "    steps:\n      - run: python manage.py check\n        env:\n          DEBUG: x\n", 6},
		"a step before":            {"", ".", head + "    steps:\n      - run: ruff check .\n        env:\n          DEBUG: x\n      - run: python manage.py check\n", 9},
		"another workflow's job":   {"", ".", head + "    uses: ./.github/workflows/other.yml\n    steps:\n      - run: python manage.py check\n", 0},
		"the key on the line":      {"", ".", head + "    steps:\n      - run: JWT_SECRET_KEY=$(openssl rand -hex 40) python manage.py check\n", 0},
		"an earlier step":          {"", ".", head + "    steps:\n      - run: echo \"JWT_SECRET_KEY=$(openssl rand -hex 40)\" >> $GITHUB_ENV\n      - run: python manage.py check\n", 0},
		"a .env":                   {"", ".", head + "    steps:\n      - run: cp .env.example .env\n      - run: python manage.py check\n", 0},
		"other settings":           {"", ".", head + "    env:\n      DJANGO_SETTINGS_MODULE: config.settings.test\n    steps:\n      - run: python manage.py check\n", 0},
		"the same settings":        {"", ".", head + "    env:\n      DJANGO_SETTINGS_MODULE: config.settings\n    steps:\n      - run: python manage.py check\n", 8},
		"settings as an option":    {"", ".", head + "    steps:\n      - run: python manage.py test --settings=config.test\n", 0},
		"in a container":           {"", ".", head + "    steps:\n      - run: docker compose run web python manage.py check\n", 0},
		"a job in an image":        {"", ".", head + "    container: shop:ci\n    steps:\n      - run: python manage.py check\n", 0},
		"an action of their own":   {"", ".", head + "    steps:\n      - uses: ./.github/actions/setup\n      - run: python manage.py check\n", 0},
		"no Django":                {"", ".", head + "    steps:\n      - run: ruff check .\n      - name: manage.py check\n        run: echo\n", 0},
		"pytest":                   {"", ".", head + "    steps:\n      - run: pip install pytest\n      - run: python -m pytest -q\n", 7},
		"tox in a folder":          {"", "backend", head + "    steps:\n      - run: cd backend && tox -e py\n", 6},
		"pytest of another folder": {"", "backend", head + "    steps:\n      - run: pytest\n", 0},
		"pytest with the key":      {"", ".", head + "    steps:\n      - run: pytest\n        env:\n          JWT_SECRET_KEY: x\n", 0},
		"untold pytest":            {"", ".", head + "    steps:\n      - run: pytest\n", 0},
		"pytest in a container":    {"", ".", head + "    steps:\n      - run: docker compose run web pytest\n", 0},
		"pytest installed":         {"", ".", head + "    steps:\n      - run: uv add --dev pytest\n", 0},
		"a comment":                {"", ".", head + "    steps:\n      - run: |\n          # python manage.py check\n          true\n", 0},
		"help":                     {"", ".", head + "    steps:\n      - run: python manage.py help\n", 0},
		"variables of a service":   {".gitlab-ci.yml", ".", "test:\n  script:\n    - python manage.py test\n", 0},
		"an image":                 {"Dockerfile", ".", "FROM python\nRUN pip install . && \\\n    python manage.py collectstatic --noinput\n", 3},
		"an image in a folder":     {"backend/Dockerfile", "backend", "FROM python\nRUN python manage.py collectstatic --noinput\n", 2},
		"an image of another":      {"tools/Dockerfile", "backend", "FROM python\nRUN python manage.py collectstatic --noinput\n", 0},
		"an image with the key":    {"Dockerfile", ".", "FROM python\nRUN JWT_SECRET_KEY=$(openssl rand -hex 40) python manage.py collectstatic\n", 0},
		"an image that starts it":  {"Dockerfile", ".", "FROM python\nCMD python manage.py runserver\n", 0},
		"an image that may fail":   {"Dockerfile", ".", "FROM python\nRUN python manage.py collectstatic || true\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.file == "" {
				c.file = ".github/workflows/ci.yml"
			}
			b := Backend{Names: steps.GuideNames, Folder: c.folder, Settings: "config.settings", Tests: !strings.HasPrefix(name, "untold")}
			if got := Starts(b, c.file, []byte(c.text)); got != c.line {
				t.Errorf("line %d, want %d:\n%s", got, c.line, c.text)
			}
		})
	}
}

// pytest loads the settings of manage.py where its configuration says so, and gets the
// key where that names it.
func TestWhatTestsLoad(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"[pytest]\nDJANGO_SETTINGS_MODULE = config.settings\n":                                            true,
		"[tool.pytest.ini_options]\nDJANGO_SETTINGS_MODULE = \"config.settings\"\n":                       true,
		"[pytest]\naddopts = --ds=config.settings --reuse-db\n":                                           true,
		"[pytest]\nDJANGO_SETTINGS_MODULE = config.settings.test\n":                                       false,
		"[pytest]\nDJANGO_SETTINGS_MODULE = config.settings\nenv =\n    JWT_SECRET_KEY=x\n":               false,
		"[pytest]\nDJANGO_SETTINGS_MODULE = config.settings\nenv_files =\n    .env.test\n":                false,
		"[tool.ruff]\nline-length = 100\n":                                                                false,
		"import os\nos.environ.setdefault('JWT_SECRET_KEY', 'x')\nDJANGO_SETTINGS_MODULE=config.settings": false,
	} {
		b := Backend{Names: steps.GuideNames, Folder: ".", Settings: "config.settings"}
		if got := b.TestedBy([]byte(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
