package envfile

import "github.com/joho/godotenv"

// readGodotenv asks joho/godotenv itself. Its error is not passed on: it
// quotes the rest of the file.
func readGodotenv(data []byte) (Vars, error) {
	if line := tooManyReferences(data); line > 0 {
		return nil, &ReadError{Godotenv, line, tooMany}
	}
	got, err := godotenv.UnmarshalBytes(uncommented(data))
	if err != nil {
		return nil, &ReadError{Godotenv, strangeLine(data), "a name or a quote that it does not accept"}
	}
	vars := make(Vars, len(got))
	for name, value := range got {
		vars.set(name, value)
	}
	return vars, nil
}
