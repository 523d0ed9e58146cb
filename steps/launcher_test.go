package steps

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where a program gives the backend its variables and no file does, its own command is
// named for the key, and keysplit is to be run by it unless it is already.
func TestProgramsThatGiveVariables(t *testing.T) {
	t.Parallel()
	const (
		cipher = "SECRET_KEY=ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\nsops_version=3.9.0\n"
		coded  = "SECRET_KEY: ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\nsops:\n    version: 3.9.0\n"
		dumped = `{"SECRET_KEY": "ENC[AES256_GCM,data:x]", "sops": {"mac": "x"}}`
	)
	for name, c := range map[string]struct {
		files                   map[string]string // below the top level
		variable, set, launched string
	}{
		"Doppler":           {map[string]string{"doppler.yaml": ""}, "", "| doppler secrets set JWT_SECRET_KEY", "doppler run -- keysplit"},
		"its command":       {map[string]string{"api/Makefile": "run:\n\tdoppler run --config dev -- python manage.py runserver\n"}, "", "| doppler secrets set", "doppler run --config dev -- keysplit"},
		"run by Doppler":    {nil, "DOPPLER_CONFIG", "| doppler secrets set JWT_SECRET_KEY", ""},
		"Infisical":         {map[string]string{".infisical.json": ""}, "", "infisical secrets set JWT_SECRET_KEY=VALUE", "infisical run -- keysplit"},
		"a path in it":      {map[string]string{"justfile": "dev:\n  infisical run --env=dev --path=/backend -- docker compose up --build\n"}, "", "infisical secrets set", "infisical run --env=dev --path=/backend -- keysplit"},
		"1Password":         {map[string]string{"Makefile": "dev:\n\t@op run --env-file=.env.op -- uv run python manage.py runserver\n"}, "", "op://VAULT/ITEM/FIELD", "op run --env-file=.env.op -- keysplit"},
		"chamber":           {map[string]string{"Procfile": "web: chamber exec shop -- gunicorn config.wsgi\n"}, "", "| chamber write shop jwt_secret_key -", "chamber exec shop -- keysplit"},
		"an entrypoint":     {map[string]string{"entrypoint.sh": "#!/bin/sh\nexec chamber exec shop -- \"$@\"\n"}, "", "| chamber write", "chamber exec shop -- keysplit"},
		"teller":            {map[string]string{".teller.yml": ""}, "", ".teller.yml", "teller run -- keysplit"},
		"sops":              {map[string]string{".sops.yaml": "", "secrets.enc.env": cipher}, "", "sops edit ", "secrets.enc.env keysplit"},
		"sops, a folder":    {map[string]string{".sops.yaml": "", "deploy/prod.enc.yaml": coded}, "", "prod.enc.yaml", "prod.enc.yaml keysplit"},
		"sops, JSON":        {map[string]string{".sops.yaml": "", "secrets.json": dumped}, "", "secrets.json", "secrets.json keysplit"},
		"sops, its command": {map[string]string{"Makefile": "dev:\n\tsops exec-env conf/a.yaml 'python manage.py runserver'\n"}, "", "sops edit conf/a.yaml", "sops exec-env conf/a.yaml keysplit"},
		"sops for others":   {map[string]string{".sops.yaml": "", "secrets.enc.env": strings.ReplaceAll(cipher, "SECRET_KEY", "TOKEN")}, "", "", ""},
		"direnv":            {map[string]string{".envrc": ""}, "", "", "direnv exec . keysplit"},
		"direnv, allowed":   {map[string]string{".envrc": ""}, "DIRENV_DIR", "", ""},
		"aws-vault":         {map[string]string{"Makefile": "dev:\n\taws-vault exec dev -- python manage.py runserver\n"}, "", "", "aws-vault exec dev -- keysplit"},
		"by another":        {map[string]string{"Procfile": "web: aws-vault exec prod -- chamber exec shop -- gunicorn config.wsgi\n"}, "", "| chamber write", "aws-vault exec prod -- chamber exec shop -- keysplit"},
		"a list of words":   {map[string]string{"Dockerfile": "FROM python\nENTRYPOINT [\"chamber\", \"exec\", \"shop\", \"--\"]\n"}, "", "| chamber write", "chamber exec shop -- keysplit"},
		"of compose":        {map[string]string{"compose.yml": "services:\n  api:\n    command: ['doppler', 'run', '--', 'gunicorn', 'config.wsgi']\n"}, "", "| doppler secrets", "doppler run -- keysplit"},
		"envdir":            {map[string]string{"Makefile": "run:\n\tenvdir conf/env python manage.py runserver\n"}, "", "> conf/env/JWT_SECRET_KEY)", "envdir conf/env keysplit"},
		"uv with a file":    {map[string]string{"Makefile": "run:\n\tuv run --env-file .env python manage.py runserver\n"}, "", "", "uv run --env-file .env keysplit"},
		"uv alone":          {map[string]string{"Makefile": "run:\n\tuv run python manage.py runserver\n"}, "", "", ""},
		"run by uv":         {map[string]string{"Makefile": "run:\n\tuv run --env-file .env python manage.py runserver\n"}, "UV", "", ""},
		"pipenv":            {map[string]string{"Pipfile": ""}, "", "", "pipenv run keysplit"},
		"python-dotenv":     {map[string]string{"Procfile": "web: dotenv run -- gunicorn config.wsgi\n"}, "", "", "dotenv run -- keysplit"},
		"dotenvx":           {map[string]string{"Makefile": "run:\n\tdotenvx run -f .env.dev -- python manage.py runserver\n"}, "", "dotenvx set JWT_SECRET_KEY VALUE", "dotenvx run -f .env.dev -- keysplit"},
		"Phase":             {map[string]string{"Makefile": "dev:\n\tphase run --env dev ./manage.py runserver\n"}, "", "phase secrets create JWT_SECRET_KEY", "phase run --env dev keysplit"},
		"one word":          {map[string]string{"package.json": `{"scripts": {"api": "phase run \"python manage.py runserver\""}}`}, "", "phase secrets", "phase run keysplit"},
		"Bitwarden":         {map[string]string{"justfile": "dev:\n  bws run -- 'uv run python manage.py runserver'\n"}, "", "bws secret create", "bws run -- keysplit"},
		"Berglas":           {map[string]string{"entrypoint.sh": "exec /bin/berglas exec -- \"$@\"\n"}, "", "Secret Manager", "berglas exec -- keysplit"},
		"Summon":            {map[string]string{"Makefile": "dev:\n\tsummon -p ring.py .venv/bin/python manage.py runserver\n"}, "", "secrets.yml", "summon -p ring.py keysplit"},
		"envconsul":         {map[string]string{"start.sh": "exec envconsul -secret=shop/prod -no-prefix gunicorn config.wsgi\n"}, "", "Consul or Vault", "envconsul -secret=shop/prod -no-prefix keysplit"},
		"HCP":               {map[string]string{"Makefile": "dev:\n\thcp vault-secrets run --app=shop -- python manage.py runserver\n"}, "", "hcp vault-secrets secrets create", "hcp vault-secrets run --app=shop -- keysplit"},
		"envchain":          {map[string]string{"Makefile": "dev:\n\tenvchain shop python manage.py runserver\n"}, "", "envchain --set", "envchain shop keysplit"},
		"Railway":           {map[string]string{"Makefile": "dev:\n\trailway run python manage.py runserver\n"}, "", "--target railway:SERVICE", "railway run keysplit"},
		"nobody's word":     {map[string]string{"Makefile": "dev:\n\tmy-summon x python manage.py runserver\n"}, "", "", ""},
		"another backend":   {map[string]string{"package.json": `{"scripts": {"dev": "doppler run -- next dev"}}`}, "", "", ""},
		"none":              {map[string]string{"README.md": "doppler run -- python manage.py runserver"}, "", "", ""},
	} {
		dir := t.TempDir()
		for file, text := range c.files {
			path := filepath.Join(dir, filepath.FromSlash(file))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		run := &Run{Environ: func(name string) (string, bool) {
			if name != "" && name == c.variable {
				return "x", true
			}
			return "", false
		}}
		run.Project = &Project{Root: filepath.Join(dir, "api"), TopLevel: dir}
		said := run.Launched().Rendered()
		if !strings.Contains(said, c.launched) || (said == "") != (c.launched == "") {
			t.Errorf("%s: launched %q", name, said)
		}
		for kind, without := range map[SourceKind]string{NothingReads: "load_dotenv", Launched: "load_dotenv"} {
			said := run.Untaken(Source{Kind: kind}).Fix.Rendered()
			if c.set == "" && !strings.Contains(said, without) || !strings.Contains(said, c.set) || strings.Contains(said, "FILE") {
				t.Errorf("%s, %s: fix %q", name, kind, said)
			}
			if message := run.Untaken(Source{Kind: kind}).Message.Rendered(); c.set != "" && strings.Contains(message, "nothing here loads a .env") != (kind == NothingReads) {
				t.Errorf("%s, %s: %s", name, kind, message)
			}
			if word := strings.HasPrefix(name, "sops") || name == "one word"; c.set != "" && strings.Contains(said, "'keysplit check'") != word {
				t.Errorf("%s, %s: the command is one word, or is none: %q", name, kind, said)
			}
		}
		if (run.Launcher() != "") != (c.set != "") {
			t.Errorf("%s: owned by %q", name, run.Launcher())
		}
	}
}
