package vendor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/internal/lazyregexp"
)

// Published are the TCP ports of this machine by which the compose files of the project
// publish their services. A file that cannot be read publishes none.
func Published(run *steps.Run) (out []uint16) {
	for _, folder := range slices.Compact([]string{run.Project.Root, run.Project.TopLevel}) {
		path := usual(folder)
		if path == "" {
			continue
		}
		whole, _ := readCompose(path) // what cannot be read publishes nothing that is known
		for _, s := range whole.Services {
			for _, p := range s.Ports {
				out = append(out, published(p)...)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// fallback is the value of a variable that has one: ${PORT:-8000}.
var fallback = lazyregexp.New(`\$\{[A-Za-z_][A-Za-z0-9_]*:?-([^}]*)\}`)

// published are the ports of one entry: "8000:80", "127.0.0.1:8000-8001:80-81/tcp", or a
// mapping with published. A container's port alone gets one by chance, which only
// compose knows.
func published(entry any) (out []uint16) {
	text := ""
	switch e := entry.(type) {
	case map[string]any:
		if protocol, _ := e["protocol"].(string); protocol != "" && protocol != "tcp" || e["published"] == nil {
			return nil
		}
		text = fmt.Sprint(e["published"])
	case string:
		long, protocol, _ := strings.Cut(fallback.ReplaceAllString(e, "$1"), "/")
		parts := strings.Split(long, ":")
		if len(parts) < 2 || protocol != "" && protocol != "tcp" {
			return nil
		}
		text = parts[len(parts)-2]
	}
	first, last, ranged := strings.Cut(fallback.ReplaceAllString(text, "$1"), "-")
	if !ranged {
		last = first
	}
	from, err := strconv.ParseUint(first, 10, 16)
	to, err2 := strconv.ParseUint(last, 10, 16)
	if err != nil || err2 != nil || to-from > 100 || to < from {
		return nil
	}
	for port := from; port <= to; port++ {
		out = append(out, uint16(port)) // #nosec G115 -- read as 16 bits
	}
	return out
}
