package steps

import "strings"

// IsDockerfile tells by a file's name (without folders) that an image is built
// from it.
func IsDockerfile(base string) bool {
	base = strings.ToLower(base)
	return base == "dockerfile" || strings.HasPrefix(base, "dockerfile.") || strings.HasSuffix(base, ".dockerfile")
}
