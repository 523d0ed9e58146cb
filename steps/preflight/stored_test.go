package preflight

import (
	"cmp"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// Settings that fetch both keys, and get the same for both, do not fall back to SECRET_KEY:
// what is wrong is the value, and where that is.
func TestKeysOfAStoreThatAreEqual(t *testing.T) {
	t.Parallel()
	const call = "SIMPLE_JWT = {'SIGNING_KEY': fetch('/shop/jwt')}\n"
	stored := steps.Facts{State: "ok", SigningEqualsSecretKey: true, SigningEqualsKey: true, Key: steps.KeyFacts{Set: true, Source: "code", File: "keys.json"}}
	for name, c := range map[string]struct {
		facts  steps.Facts
		source steps.Source
		text   string
		code   finding.Code
		says   string
	}{
		"a file of a form of its own": {stored, steps.Source{}, "", finding.JWTKeyEqualsSecretKey, "Put a new key into keys.json"},
		"a file of one value":         {steps.Facts{State: "ok", SigningEqualsSecretKey: true, SigningEqualsKey: true, Key: steps.KeyFacts{Set: true, Source: "value-file"}}, steps.Source{Kind: steps.ValueFile, File: "jwt"}, "", finding.JWTKeyEqualsSecretKey, "Write a new key there"},
		"a call":                      {steps.Facts{State: "ok", SigningEqualsSecretKey: true}, steps.Source{}, call, finding.JWTKeyEqualsSecretKey, "where the settings fetch it from"},
		"a call, and a variable wins": {steps.Facts{State: "ok", SigningEqualsSecretKey: true, Takes: true}, steps.Source{}, call, finding.SettingsNotUpgraded, ""},
		"a default of a variable":     {steps.Facts{State: "ok", SigningEqualsSecretKey: true, SigningEqualsKey: true, Takes: true, Key: steps.KeyFacts{Set: true, Source: "code"}}, steps.Source{}, "", finding.SettingsNotUpgraded, ""},
		"SECRET_KEY itself":           {steps.Facts{State: "ok", SigningEqualsSecretKey: true}, steps.Source{}, "SIMPLE_JWT = {'SIGNING_KEY': str(SECRET_KEY)}\n", finding.SettingsNotUpgraded, ""},
		"a variable":                  {steps.Facts{State: "ok", SigningEqualsSecretKey: true}, steps.Source{}, "SIMPLE_JWT = {'SIGNING_KEY': os.environ.get('JWT_SECRET_KEY', x)}\n", finding.SettingsNotUpgraded, ""},
		"nothing":                     {steps.Facts{State: "ok", SigningEqualsSecretKey: true}, steps.Source{}, "SIMPLE_JWT = {}\n", finding.SettingsNotUpgraded, ""},
		"two that differ":             {steps.Facts{State: "ok", Key: steps.KeyFacts{Set: true, Source: "code"}}, steps.Source{}, call, finding.SettingsNotUpgraded, ""},
	} {
		run := stepstest.NewRun(t, "", nil)
		p := run.Project
		for _, file := range []*string{&c.facts.Key.File, &c.source.File} {
			if *file != "" {
				*file = filepath.Join(p.Root, *file)
			}
		}
		p.Source = c.source
		d := &diagnosis{run: run, project: p, sources: []source{{path: "settings.py", text: c.text}}}
		var found []finding.Finding
		for _, f := range d.judgeFacts(&c.facts, true) {
			if f.Code == finding.JWTKeyEqualsSecretKey || f.Code == finding.SettingsNotUpgraded {
				found = append(found, f)
			}
		}
		if len(found) != 1 || found[0].Code != c.code || !strings.Contains(found[0].Fix.Rendered(), c.says) || c.says != "" && found[0].Fixable {
			t.Errorf("%s: %v", name, found)
		}
		if file := cmp.Or(c.source.File, c.facts.Key.File); file != "" && found[0].File != p.Rel(file) {
			t.Errorf("%s: it is in %s", name, found[0].File)
		}
	}
}

// Settings that get their secrets from a store through a library, and have no key for
// tokens there, are told where the key belongs: no file is known.
func TestSettingsWithALibraryOfAStore(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"import boto3\nSECRET_KEY = fetch('a')\n":                           "The settings fetch their secrets themselves",
		"from google.cloud import secretmanager\nSECRET_KEY = fetch('a')\n": "The settings fetch their secrets themselves",
		"from azure.keyvault.secrets import SecretClient\n":                 "The settings fetch their secrets themselves",
		"import hvac\n": "The settings fetch their secrets themselves",
		"import boto3\nSECRET_KEY = env('A')\nJWT_SECRET_KEY = fetch('a')\n":                             "the settings can fetch JWT_SECRET_KEY",
		"import boto3\nSECRET_KEY = env('A')\nSIMPLE_JWT = {'SIGNING_KEY': fetch('a')}\n":                "the settings can fetch JWT_SECRET_KEY",
		"import boto3\nSECRET_KEY = fetch('a')\nJWT_SECRET_KEY = fetch('b')\n":                           "the settings can fetch JWT_SECRET_KEY",
		"import boto3\nSECRET_KEY = fetch('a')\nJWT_SECRET_KEY = os.environ['JWT_SECRET_KEY']\n":         "load_dotenv",
		"import boto3\nSECRET_KEY = os.environ['SECRET_KEY']\nBUCKET = boto3.client('s3').bucket('a')\n": "load_dotenv",
		"import boto3_stubs\n": "load_dotenv",
		"import requests\nSECRET_KEY = requests.get('https://a').json()['k']\n": "load_dotenv",
		// Under other names than the settings'.
		"import hvac\nSECRET_KEY = vault['shop_secret']\nJWT_SECRET_KEY = vault['shop_key']\n": "the settings can fetch",
		"import boto3\nSECRET_KEY = os.environ['shop_secret']\n":                               "load_dotenv",
	} {
		run := stepstest.NewRun(t, "", nil)
		if strings.Contains(text, "shop_") {
			run.Options.Names = steps.Names{SecretKey: "shop_secret", Key: "shop_key"}
			run.Project.Names = run.Options.Names
		}
		d := &diagnosis{run: run, project: run.Project, sources: []source{{path: "settings.py", text: text}}}
		for _, from := range []string{"", "code"} {
			if said := run.Untaken(d.nothingReads(steps.KeyFacts{Source: from})).Fix.Rendered(); !strings.Contains(said, says) {
				t.Errorf("%q: fix %q", text, said)
			}
		}
		if said := run.Untaken(d.nothingReads(steps.KeyFacts{Source: "environment"})).Fix.Rendered(); !strings.Contains(said, "load_dotenv") {
			t.Errorf("%q: a variable: fix %q", text, said)
		}
	}
}
