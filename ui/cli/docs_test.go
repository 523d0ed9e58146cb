package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/sys/shell"
	"dj/keysplit/steps/write"
)

var updateDocs = flag.Bool("update", false, "write the pages of .github/docs that are made from the code")

const docs = "../../.github/docs/"

// spec is a --target or --restart in the second column of a table.
var spec = regexp.MustCompile("`([^`]+)`")

// The pages of targets and restarts have a row for each that there is, and for no other.
func TestTheDocumentedTablesAreThoseOfTheCode(t *testing.T) {
	for page, table := range map[string][][2]string{"targets.md": write.Table(), "restarts.md": restart.Table()} {
		var want, got []string
		for _, row := range table {
			want = append(want, row[0])
		}
		for line := range strings.Lines(read(t, docs+page)) {
			if cells := strings.Split(line, " | "); len(cells) > 3 {
				for _, m := range spec.FindAllStringSubmatch(cells[1], -1) {
					got = append(got, m[1])
				}
			}
		}
		got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "--") }) // the head
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has\n%q, the code\n%q", page, got, want)
		}
	}
}

// The page of findings is the catalogue: go test ./ui/cli -run Documented -update
// writes it.
func TestTheDocumentedFindingsAreThoseOfTheCode(t *testing.T) {
	var b strings.Builder
	fmt.Fprint(&b, "# Findings\n\nWhat `keysplit check` and the wizard can report. Codes are stable: scripts rely on them.\n"+
		"`keysplit explain CODE` shows the same, and `keysplit explain` recognises error messages.\n")
	for _, code := range finding.Codes() {
		p, _ := finding.LookUp(code)
		fmt.Fprintf(&b, "\n## %s\n\n**%s.** %s\n\n%s\n\nFix: ", code, strings.ToUpper(string(p.Severity)[:1])+string(p.Severity)[1:], p.Message, p.Why)
		for _, part := range p.Fix.Parts() {
			if part.Command {
				part.Text = "`" + part.Text + "`"
			}
			b.WriteString(part.Text)
		}
		b.WriteString("\n")
	}
	want := strings.ReplaceAll(b.String(), shell.Unset("JWT_SECRET_KEY"), "unset JWT_SECRET_KEY") // the page is the same everywhere
	path := docs + "findings.md"
	if *updateDocs {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil { //nolint:gosec // a page of the repository
			t.Fatal(err)
		}
	}
	if read(t, path) != want {
		t.Error("findings.md is not the catalogue: go test ./ui/cli -run Documented -update")
	}
}

// link is one in Markdown to a place that is not on the network.
var link = regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`)

// Every link of the README and the documents leads to a file, and to a heading in it.
func TestLinksLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob("../../.github/*.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(docs + "*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(append(pages, more...), "../../README.md")
	for _, page := range pages {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			if why := broken(page, m[1], m[2]); why != "" {
				t.Errorf("%s: %s: %s", page, m[0], why)
			}
		}
	}
	// The control.
	if broken("../../README.md", "nowhere.md", "") == "" || broken("../../README.md", "", "no-such-heading") == "" || broken("../../README.md", "README.md", "install") != "" {
		t.Error("a link that leads nowhere is not noticed, or a good one is")
	}
}

// broken says what is wrong with a link of a page; "" for nothing.
func broken(page, file, heading string) string {
	target := page
	if file != "" {
		target = filepath.Join(filepath.Dir(page), file)
	}
	text, err := os.ReadFile(target)
	if heading == "" {
		if _, err := os.Stat(target); err != nil {
			return err.Error()
		}
		return ""
	}
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(text)) {
		title := strings.TrimLeft(strings.TrimSpace(line), "# ")
		if strings.HasPrefix(line, "#") && strings.ReplaceAll(strings.ToLower(title), " ", "-") == heading {
			return ""
		}
	}
	return "there is no such heading"
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
