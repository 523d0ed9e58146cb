package finding

import "testing"

// Any text can be pasted.
func FuzzRecognise(f *testing.F) {
	f.Add([]byte("django.core.exceptions.ImproperlyConfigured: JWT_SECRET_KEY must be set"))
	f.Add([]byte("decouple.UndefinedValueError: JWT_SECRET_KEY not found. Declare it as envvar"))
	f.Add([]byte("\x1b[31m\xff\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, code := range Recognise(text) {
			if _, ok := LookUp(code); !ok {
				t.Errorf("%s is not in the catalogue", code)
			}
		}
	})
}
