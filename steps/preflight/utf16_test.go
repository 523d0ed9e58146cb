package preflight

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// A file of UTF-16 is named as what it is, its lines are looked at as they will be, and the
// plan converts it.
func TestUTF16(t *testing.T) {
	t.Parallel()
	secret := stepstest.Key()
	encode := func(order binary.AppendByteOrder, text string) (out string) {
		var b []byte
		for _, u := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, u)
		}
		return string(b)
	}
	run, _, err := lookStatic(t, lay(t, tree(encode(binary.LittleEndian, "\ufeffSECRET_KEY="+secret+"\r\nJWT_SECRET_KEY="+stepstest.Key()+"\r\n"), nil)), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tried := planned(t.Context(), run, run.Project).Files[run.Project.EnvFile.Path]; !strings.Contains(string(tried), "\nJWT_SECRET_KEY=") {
		t.Errorf("the settings are tried with %d bytes, without the key that the file has", len(tried))
	}
	// What nobody can decode is not said to be fixable.
	for env, fixable := range map[string]bool{"\xff\xfeSECRET_KEY=" + secret: false, "A=\x00\xe9\nSECRET_KEY=" + secret + "\n": false, "A=J\xf6rg\nSECRET_KEY=" + secret + "\n": true} {
		run, _, err := lookStatic(t, lay(t, tree(env, nil)), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if f, found := finding.First(run.Project.Findings, finding.EncodingInvalid); !found || f.FixedBySteps() != fixable {
			t.Errorf("%q: %+v", strings.ReplaceAll(env, secret, "..."), f)
		}
	}
	for name, env := range map[string]string{
		"of PowerShell":   encode(binary.LittleEndian, "\ufeffSECRET_KEY="+secret+"\r\n"),
		"big-endian":      encode(binary.BigEndian, "\ufeffSECRET_KEY="+secret+"\r\n"),
		"without a mark":  encode(binary.LittleEndian, "SECRET_KEY="+secret+"\n"),
		"behind UTF-8":    "DEBUG=1\n" + encode(binary.LittleEndian, "SECRET_KEY="+secret+"\r\n"),
		"with umlauts in": encode(binary.LittleEndian, "\ufeffNAME=Jörg\nSECRET_KEY="+secret+"\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := lay(t, tree(env, nil))
			run, _, err := lookStatic(t, dir, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			var f finding.Finding
			for _, one := range run.Project.Findings {
				if one.Code == finding.EncodingInvalid {
					f = one
				}
			}
			if !strings.Contains(f.Message.Rendered(), "UTF-16") || strings.Contains(codes(run.Project.Findings), "secret-key-missing") {
				t.Fatalf("found %s: %s", codes(run.Project.Findings), f.Message.Rendered())
			}
			if got := codes(run.Project.Findings); got != "encoding-invalid:1 jwt-key-missing" || !f.FixedBySteps() {
				t.Errorf("found %s, fixed by the steps: %t", got, f.FixedBySteps())
			}
			now, err := willBe(t.Context(), run)
			if text := string(now); err != nil || !strings.HasSuffix(strings.TrimSpace(text), "SECRET_KEY="+secret) || strings.ContainsRune(text, 0) || strings.HasPrefix(name, "with u") && !strings.Contains(text, "Jörg") {
				t.Errorf("it would be %d bytes: %v", len(now), err)
			}
		})
	}
}
