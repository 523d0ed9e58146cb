//go:build unix

package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dj/keysplit/ui/internal/ptytest"
)

// cellsOf makes a row.
func cellsOf(text string, style ptytest.Style) []ptytest.Cell {
	var row []ptytest.Cell
	for _, r := range text {
		row = append(row, ptytest.Cell{Text: string(r), Style: style})
	}
	return row
}

// texts are what an SVG's text elements say, in order. It fails unless the SVG
// is well-formed and has a title and no script.
func texts(t *testing.T, svg []byte) []string {
	t.Helper()
	var all []string
	open, titles := "", 0
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			open = token.Name.Local
			switch open {
			case "script", "image", "foreignObject", "a":
				t.Errorf("the picture has a %s", open)
			case "title":
				titles++
			}
		case xml.EndElement:
			open = ""
		case xml.CharData:
			if open == "text" {
				all = append(all, string(token))
			}
		}
	}
	if titles != 1 {
		t.Errorf("%d titles", titles)
	}
	return all
}

func TestRender(t *testing.T) {
	red := ptytest.Colour{Set: true, R: 0xB3, G: 0x12, B: 0x2F}
	rows := [][]ptytest.Cell{
		cellsOf("  ✓ a <b> & c     40 ──", ptytest.Style{}),
		append(cellsOf(" chip ", ptytest.Style{Reverse: true, Fg: red}), cellsOf(" ••••", ptytest.Style{Bold: true})...),
		cellsOf("     ", ptytest.Style{}),
	}
	svg := render(dark, []shot{{cells: rows, shown: time.Second}, {cells: rows[:1], shown: 3 * time.Second, still: true}})
	got := strings.Join(texts(t, svg), "|")
	if got != "✓|a <b> & c|40|chip|••••" {
		t.Errorf("the texts are %q", got)
	}
	for _, want := range []string{
		"#b3122f", `<g id="s1" class="s still"><use href="#r0"`, // the row is written once
		"@keyframes k0{0%{visibility:hidden}0%{visibility:visible}25%{visibility:hidden}",
		"@keyframes k1{0%{visibility:hidden}25%{visibility:visible}100%{visibility:hidden}",
		"animation:k1 4000ms step-end infinite", "prefers-reduced-motion",
	} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("no %q in\n%s", want, svg)
		}
	}
}

func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"/tmp/keysplit-demo-1483911050/plants/backend":  "/tmp/keysplit-demo-2025110300/plants/backend",
		"…911050/plants/backend":                        "…110300/plants/backend",
		"✓ key made  86 characters, fingerprint a1262f": "✓ key made  86 characters, fingerprint 9c41e2",
		"http://127.0.0.1:41529, folder":                "http://127.0.0.1:48000, folder",
		"Server: process 28612 at":                      "Server: process 24242 at",
		"log in as keysplit-x_dgc-qXUf   200 in 0 ms":   "log in as keysplit-k3Ys1Lp9Qa   200 in 1 ms",
		"86 characters, 401 token_not_valid, 1 of 5":    "86 characters, 401 token_not_valid, 1 of 5",
	} {
		row := cellsOf(text, ptytest.Style{Bold: true})
		mask(row)
		got := ""
		for _, c := range row {
			got += c.Text
			if !c.Style.Bold {
				t.Error("a cell lost its style")
			}
		}
		if got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestUsual(t *testing.T) {
	for folder, want := range map[string]bool{"keysplit-demo-2025110300/": true, "keysplit-demo-025110300/": false} {
		if got := usual([]shot{{}, {cells: [][]ptytest.Cell{cellsOf("/tmp/"+folder+"plants", ptytest.Style{})}}}); got != want {
			t.Errorf("%s: %v", folder, got)
		}
	}
}

// The picture that is in the project has been drawn by this program, and not
// been touched since.
func TestThePicture(t *testing.T) {
	for _, path := range []string{"demo.svg", ".github/demo-light.svg"} {
		svg, err := os.ReadFile(filepath.Join("../../../..", path))
		if err != nil {
			t.Fatal(err)
		}
		if len(svg) > 200<<10 {
			t.Errorf("%s: %d bytes", path, len(svg))
		}
		all := strings.Join(texts(t, svg), "\n")
		for _, want := range []string{"keysplit demo", "Step 1 of 5", "Step 5 of 5", "20 of 20 fresh connections", "refuses SECRET_KEY", "The demo and its project are gone"} {
			if !strings.Contains(all, want) {
				t.Errorf("%s does not show %q", path, want)
			}
		}
		if n := strings.Count(string(svg), "@keyframes"); n != len(scenes()) {
			t.Errorf("%s: %d screens, want %d: draw it again", path, n, len(scenes()))
		}
		// 86 characters in a row of the key's alphabet would be a key.
		if regexp.MustCompile(`[A-Za-z0-9_-]{40,}`).MatchString(all) {
			t.Errorf("something in %s looks like a key", path)
		}
	}
}
