package steps

import (
	"strings"
	"testing"
)

// References and ciphertext are known by what their programs write; a key, a password
// and an address are none.
func TestFilesOfOtherPrograms(t *testing.T) {
	t.Parallel()
	names := Names{Key: "SHOP_KEY", SecretKey: "DJANGO_SECRET_KEY"}
	for text, want := range map[string]string{
		"DJANGO_SECRET_KEY=op://dev/shop/secret\n":                           "1Password",
		"SHOP_KEY=\"{{ op://dev/shop/secret }}\"\n":                          "1Password",
		"A=1\nDJANGO_SECRET_KEY=\"encrypted:BDqDBib\"\n":                     "dotenvx",
		"DOTENV_PUBLIC_KEY_PRODUCTION=03f8\nA=1\n":                           "dotenvx",
		"DJANGO_SECRET_KEY=ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]\n":     "sops",
		"A=1\nsops_version=3.9.0\n":                                          "sops",
		"SHOP_KEY=vault:secret/data/shop#key\n":                              "Vault",
		"SHOP_KEY=ref+awsssm://shop/key\n":                                   "vals",
		"SHOP_KEY=arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop": "another program",
		"SHOP_KEY=gcp-sm://projects/1/secrets/shop\n":                        "another program",
		"DJANGO_SECRET_KEY=a-plain_key.0123456789\nSHOP_KEY=x\n":             "",
		"DATABASE_URL=postgres://a:b@c/d\nOTHER=op://dev/shop/other\n":       "",
		"# DJANGO_SECRET_KEY=op://dev/shop/secret\n":                         "",
	} {
		m := ManagerOf(names, []byte(text))
		if got := map[bool]string{true: ""}[m == nil]; m != nil {
			got = m.Name
			if got != want {
				t.Errorf("%q: %s, want %s", text, got, want)
			}
			continue
		} else if got != want {
			t.Errorf("%q: none, want %s", text, want)
		}
	}
	for _, m := range managers {
		said := m.Set(".env").Rendered() + " " + string(m.Command(".env", "keysplit", "check"))
		if m.Name == "sops" && !strings.Contains(said, "'keysplit check'") {
			t.Errorf("sops takes the command as one word: %s", said)
		}
		if strings.Contains(said, "FILE") || m.run != nil && !strings.Contains(said, "keysplit check") {
			t.Errorf("%s: %s", m.Name, said)
		}
	}
}
