package preflight

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest/djangotest"
)

// A secret that the settings fetch by code is known in what a restart command or a
// server says, and keysplit does not get it.
func TestASecretThatOnlyTheSettingsKnowIsHiddenInTextOfOthers(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	api, broker := canary.New(), canary.New()
	settings, err := os.ReadFile(p.Settings)
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		filepath.Join(p.Root, "api.bin"):    api,
		filepath.Join(p.Root, "broker.bin"): "amqp://shop:" + broker + "@queue.example.com:5672/orders",
		p.Settings:                          string(settings) + "\nSTRIPE_API_KEY = open('api.bin').read()\nPLACES = {'queue': [open('broker.bin').read()]}\nJWT_AUTH_SERIALIZER = 'shop.parcels.LabelSerializer'\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := newRun(t)
	var tap bytes.Buffer
	s, err := openSession(t.Context(), run, projectOf(p), &tap)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Recheck(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{api, broker} {
		if canary.Leaks(tap.String(), value) {
			t.Error("the probe wrote a secret")
		}
		for _, piece := range []string{value, value[:11], value[20:40], strings.ToUpper(value[5:]), base64.StdEncoding.EncodeToString([]byte(value[:60]))} {
			got := run.Redactor.Show(secret.Said("web-1  | refused: " + piece + " of LabelSerializer at queue.example.com:5672"))
			if strings.ReplaceAll(got, "=", "") != "web-1  | refused: **** of LabelSerializer at queue.example.com:5672" {
				t.Errorf("%q is shown as %q", piece, got)
			}
		}
	}
}
