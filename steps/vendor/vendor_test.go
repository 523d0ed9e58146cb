package vendor

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// A line of the table can be read, and what its store is called reads back to the same.
func TestTheTableOfVendors(t *testing.T) {
	arguments := map[string][]string{
		"kubernetes": {"secret", "ns/secret#key"}, "vault": {"kv/app", "kv/team/app#field"}, "aws": {"shop", "arn:aws:x#key"},
		"heroku": {"shop"}, "github": {"acme/shop", "acme/shop@staging"}, "railway": {"web", "web@staging"}, "fly": {"shop"},
		"compose": {"compose.yaml", "compose.yaml#web"},
	}
	seen := map[string]bool{}
	for _, v := range All {
		if seen[v.Name] || v.Name == "" || strings.ContainsAny(v.Name, ":, ") {
			t.Errorf("the name %q", v.Name)
		}
		seen[v.Name] = true
		if (v.Store.Usage == "") != (v.Store.Parse == nil) || (v.File.Usage == "") != (v.File.Parse == nil) || (v.Restart.Usage == "") != (v.Restart.Parse == nil) {
			t.Errorf("%s: a form without a parser, or a parser without a form", v.Name)
		}
		if v.Store.Parse == nil && v.File.Parse == nil && v.Restart.Parse == nil {
			t.Errorf("%s can do nothing", v.Name)
		}
		parse := func(argument string) (fmt.Stringer, error) {
			if v.File.Parse != nil {
				f, err := v.File.Parse(argument)
				s, _ := f.(fmt.Stringer)
				return s, err
			}
			return v.Store.Parse(argument)
		}
		if v.Store.Parse == nil && v.File.Parse == nil {
			continue
		}
		if len(arguments[v.Name]) == 0 {
			t.Errorf("%s has no example here", v.Name)
		}
		for _, argument := range arguments[v.Name] {
			one, err := parse(argument)
			if runtime.GOOS == "windows" && (v.Name == "kubernetes" || v.Name == "aws") {
				if err == nil || !strings.Contains(err.Error(), "/dev/stdin, and Windows has none") {
					t.Errorf("%s:%s: %v", v.Name, argument, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s:%s: %v", v.Name, argument, err)
				continue
			}
			name, rest, _ := strings.Cut(one.String(), ":")
			again, err := parse(rest)
			if err != nil || name != v.Name || again.String() != one.String() {
				t.Errorf("%s:%s reads as %s, and that as %v, %v", v.Name, argument, one, again, err)
			}
		}
		wrong := []string{""}
		if v.Store.Parse != nil { // it goes to a program, where it would be an option
			wrong = append(wrong, "-x")
		}
		for _, wrong := range wrong {
			if one, err := parse(wrong); err == nil {
				t.Errorf("%s:%s was taken for %s", v.Name, wrong, one)
			}
		}
	}
}
