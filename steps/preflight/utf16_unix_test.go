//go:build unix

package preflight

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// A file of UTF-16 is named as what it is, and the command that is printed makes it one
// that readers take.
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
	for name, env := range map[string]string{
		"of PowerShell":   encode(binary.LittleEndian, "\ufeffSECRET_KEY="+secret+"\r\n"),
		"big-endian":      encode(binary.BigEndian, "\ufeffSECRET_KEY="+secret+"\r\n"),
		"without a mark":  encode(binary.LittleEndian, "SECRET_KEY="+secret+"\n"),
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
			if name == "without a mark" {
				return // iconv takes the order of the machine
			}
			if out, err := exec.Command("sh", "-c", f.Fix.Command()).CombinedOutput(); err != nil {
				t.Fatalf("%v %s", err, out)
			}
			path := filepath.Join(dir, "backend", ".env")
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v %v", info, err)
			}
			run, _, err = lookStatic(t, dir, nil, nil)
			if err != nil || codes(run.Project.Findings) != "jwt-key-missing" {
				t.Errorf("then: %s, %v", codes(run.Project.Findings), err)
			}
		})
	}
}
