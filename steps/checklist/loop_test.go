package checklist

import (
	"strings"
	"testing"

	"dj/keysplit/steps/finding"
)

// A compose service that is given a secret for SECRET_KEY alone lacks the key where a script
// exports a variable for each secret; and a frontend's image is no place.
func TestSecretsOfAServiceAreAPlaceWhereAScriptExportsThem(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.write("compose.yaml", "services:\n  web:\n    image: shop\n    secrets: [secret_key]\n")
	h.write("frontend/Dockerfile", "FROM node:22\nENV SECRET_KEY=x\n")
	lacks := func() (said string) {
		for _, f := range h.look().Findings {
			if f.File == "compose.yaml" || strings.HasPrefix(f.File, "frontend/") {
				said += string(f.Code) + " " + f.File + " " + f.Message.Rendered() + "\n"
			}
		}
		return said
	}
	if said := lacks(); said != "" {
		t.Errorf("no script exports them: %s", said)
	}
	h.write("entrypoint.sh", "#!/bin/sh\nfor f in /run/secrets/*; do export \"$(basename $f)=$(cat $f)\"; done\n")
	if said := lacks(); !strings.HasPrefix(said, string(finding.ComposeMissingKey)+" compose.yaml") || !strings.Contains(said, "entrypoint.sh exports a variable for each") {
		t.Errorf("said %q", said)
	}
	h.write("compose.yaml", "services:\n  web:\n    image: shop\n    secrets: [secret_key, jwt_secret_key]\n")
	if said := lacks(); said != "" {
		t.Errorf("both are there: %s", said)
	}
}

// A file whose values are encrypted is named with the command of its program.
func TestAnEncryptedFileIsNamedWithItsProgram(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.write("deploy/prod.enc.yaml", "SECRET_KEY: ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\nsops:\n  version: 3.9.0\n")
	said := map[string]string{}
	for _, f := range h.look().Findings {
		said[f.File] = f.Fix.Rendered()
	}
	for file, want := range map[string]string{"deploy/prod.enc.yaml": "sops edit "} {
		if !strings.Contains(said[file], want) {
			t.Errorf("%s: %q", file, said[file])
		}
	}
}
