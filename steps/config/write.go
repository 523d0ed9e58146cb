package config

import (
	"cmp"
	"fmt"
	"strings"

	"dj/keysplit/steps"
)

// For makes the text of a keysplit.toml from what a run knows, so that the next
// person is asked nothing: the settings module, and of the run's environment its
// targets, way to restart, addresses, routes and account name. No secret is in a
// run's options that could get into it. Parse reads it back to the same.
func For(run *steps.Run) []byte {
	o, p := run.Options, run.Project
	var b strings.Builder
	b.WriteString("# How keysplit finds its way in this project. No secret belongs here; commit it.\n")
	text := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s = %s\n", name, quote(value))
		}
	}
	list := func(name string, values []string) {
		if len(values) == 0 {
			return
		}
		quoted := make([]string, len(values))
		for i, v := range values {
			quoted[i] = quote(v)
		}
		fmt.Fprintf(&b, "%s = [%s]\n", name, strings.Join(quoted, ", "))
	}
	text("settings", p.SettingsModule)
	text("key", o.Names.Key)
	text("secret_key", o.Names.SecretKey)
	list("distinct_from", o.DistinctFrom)
	if o.MinLength > 0 {
		fmt.Fprintf(&b, "min_length = %d\n", o.MinLength)
	}
	name := cmp.Or(o.Environment, steps.DefaultEnvironment)
	key := name
	if strings.Contains(key, ".") {
		key = quote(key)
	}
	fmt.Fprintf(&b, "\n[environments.%s]\n", key)
	list("targets", steps.SpecsOf(o.Targets))
	if o.Restart != nil {
		text("restart", o.Restart.String())
	}
	switch {
	case len(o.URLs) > 1:
		list("url", o.URLs)
	case o.URL != "":
		text("url", o.URL)
	case name == steps.DefaultEnvironment && len(run.Servers) == 1:
		// Of several, all are found and asked, which a name here would end. One that
		// keysplit started for itself is gone by the next time.
		text("url", run.Servers[0].URL)
	}
	routes := o.Routes
	if p.Facts != nil && routes == (steps.Routes{}) {
		routes = p.Facts.Routes
	}
	text("login", routes.Login)
	text("protected", routes.Protected)
	text("refresh", routes.Refresh)
	text("username", run.Answers.Username)
	if o.Production && !steps.NamesProduction(name) {
		b.WriteString("production = true\n")
	}
	return []byte(b.String())
}

// quote writes a basic TOML string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
