package smoketest

import (
	"net/http"
	"sort"
	"strings"

	"dj/keysplit/steps/secret"
)

// processHeaders are those by which proxies, platforms and backends tell which
// process, pod or machine answered.
var processHeaders = []string{
	"X-Pod-Name", "X-Pod", "X-Hostname", "X-Host", "X-Instance-Id", "X-Container-Id", "X-Worker-Id", "X-Served-By", "X-Backend", "X-Backend-Server", "X-Upstream", "Fly-Machine-Id", "X-Dyno",
}

// processes are the names that answered, by whether they took the new key.
type processes struct{ fresh, old map[string]bool }

// saw notes who gave an answer, where the answer tells. A server can put anything
// into a header.
func (p *processes) saw(r *secret.Redactor, h http.Header, accepted bool) {
	if p.fresh == nil {
		p.fresh, p.old = map[string]bool{}, map[string]bool{}
	}
	for _, name := range processHeaders {
		if v := strings.TrimSpace(r.Show(secret.Said(h.Get(name)))); v != "" && len(v) <= 100 {
			if accepted {
				p.fresh[name+": "+v] = true
			} else {
				p.old[name+": "+v] = true
			}
		}
	}
}

// stale names those that never took the new key, in a sentence of its own; "" where
// no header tells them from the others.
func (p processes) stale() string {
	var names []string
	for name := range p.old {
		if !p.fresh[name] {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	sort.Strings(names)
	if len(names) > 5 {
		names = append(names[:5], "and more")
	}
	return " It answers with " + strings.Join(names, ", ") + "."
}
