package preflight

import (
	"bytes"
	"errors"
	"fmt"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// encoding reports what keeps whole readers from the file, and returns the
// variables as the backend's reader has them, none when it refuses.
func (d *diagnosis) encoding(file *envfile.File) envfile.Vars {
	if file.BOM() {
		f := finding.New(finding.EncodingBOM, "").At(d.rel(), 1).OnRequest()
		if first := file.Line(0); first.Kind == envfile.Assignment && d.run.Names().IsSecretKey(first.Name) {
			f = f.WithSeverity(finding.Error).Needed()
			f.Message = prose.Say("The file begins with a byte order mark, which hides SECRET_KEY from the backend: it will not start.")
		}
		d.found = append(d.found, f)
	}
	vars, err := envfile.Read(d.reader(), file.Bytes(), d.run.LookupEnv)
	var refusal *envfile.ReadError
	if isUTF16(file.Bytes()) {
		f := finding.New(finding.EncodingInvalid, "The file is UTF-16, as PowerShell's > writes it. No reader of .env files takes that.").At(d.rel(), 1)
		switch _, from := envfile.Decoded(file.Bytes()); from {
		case envfile.Appended:
			f.Message = prose.Say("The file is UTF-8, and UTF-16 behind that, as PowerShell's >> appends it. No reader of .env files takes that.")
		case "":
			f = f.NotFixable().WithFix(finding.Do("Save the file as UTF-8."))
		}
		d.found = append(d.found, f)
		return nil
	}
	if _, invalid := envfile.Read(envfile.Decouple, file.Bytes(), nil); errors.As(invalid, &refusal) {
		f := finding.New(finding.EncodingInvalid, fmt.Sprintf("Line %d holds a byte that is not UTF-8.", refusal.Line)).At(d.rel(), refusal.Line)
		if _, from := envfile.Decoded(file.Bytes()); from == "" {
			f = f.NotFixable().WithFix(finding.Do("Save the file as UTF-8."))
		}
		d.found = append(d.found, f)
	} else if errors.As(err, &refusal) {
		d.add(finding.QuoteUnbalanced, fmt.Sprintf("The reader %s cannot read line %d: %s.", refusal.Dialect, refusal.Line, refusal.Reason), refusal.Line)
	}
	return vars
}

// isUTF16 reports whether a text is UTF-16: it has the mark of that, or a zero beside
// nearly every letter.
func isUTF16(data []byte) bool {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return true
	}
	_, from := envfile.Decoded(data)
	return from == envfile.Appended || len(data) > 3 && bytes.Count(data, []byte{0}) > len(data)/3
}
