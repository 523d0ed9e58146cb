package steps

import "strings"

// SecretEntry is the key's name in a Kubernetes Secret, as in the upgrade guide's
// manifest.
const SecretEntry = "jwt-secret-key" // #nosec G101 -- a name, no value

// IsDockerfile tells by a file's name (without folders) that an image is built
// from it.
func IsDockerfile(base string) bool {
	base = strings.ToLower(base)
	return base == "dockerfile" || strings.HasPrefix(base, "dockerfile.") || strings.HasSuffix(base, ".dockerfile")
}
