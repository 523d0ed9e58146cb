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
		for _, want := range []string{"keysplit demo", "Step 1 of 5", "Step 5 of 5", "20 of 20 new connections", "refuses SECRET_KEY", "The demo and its project are gone"} {
			if !strings.Contains(all, want) {
				t.Errorf("%s does not show %q", path, want)
			}
		}
		testScreens(t, path, string(svg))
		// 86 characters in a row of the key's alphabet would be a key.
		if regexp.MustCompile(`[A-Za-z0-9_-]{40,}`).MatchString(all) {
			t.Errorf("something in %s looks like a key", path)
		}
	}
}

// testScreens wants as many screens as the walk has at least, the lines of step 5 one by
// one, and the summary as the last and still one.
func testScreens(t *testing.T, path, svg string) {
	rows := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^<g id="(r\d+)">(.*)</g>$`).FindAllStringSubmatch(svg, -1) {
		rows[m[1]] = m[2]
	}
	var shots []shot
	for _, m := range regexp.MustCompile(`(?m)^<g id="s\d+" class="s( still)?">(.*)</g>$`).FindAllStringSubmatch(svg, -1) {
		s := shot{still: m[1] != ""}
		for _, use := range regexp.MustCompile(`href="#(r\d+)"`).FindAllStringSubmatch(m[2], -1) {
			s.cells = append(s.cells, cellsOf(rows[use[1]], ptytest.Style{}))
		}
		shots = append(shots, s)
	}
	if len(shots) < len(scenes()) || strings.Count(svg, "@keyframes") != len(shots) || !steady(shots) {
		t.Errorf("%s: %d screens, or the lines of step 5 come several at a time: draw it again", path, len(shots))
	}
	for i, s := range shots {
		if last := i == len(shots)-1; s.still != last || last && !strings.Contains(textOf(s), "Done. The backend has a JWT key of its own.") {
			t.Errorf("%s: screen %d of %d: still is %v", path, i+1, len(shots), s.still)
		}
	}
	if m := regexp.MustCompile(`animation:k0 (\d+)ms`).FindStringSubmatch(svg); m == nil || len(m[1]) != 5 || m[1] < "18000" || m[1] > "24000" {
		t.Errorf("%s: takes %q ms", path, m)
	}
}

// The controls: lines that come one by one, and lines that come at once.
func TestSteady(t *testing.T) {
	screen := func(passed int) shot {
		rows := [][]ptytest.Cell{cellsOf("✓ Restart", ptytest.Style{}), cellsOf(asking, ptytest.Style{})}
		for range passed {
			rows = append(rows, cellsOf("✓ line", ptytest.Style{}))
		}
		return shot{cells: rows}
	}
	slow := []shot{screen(0), screen(1), screen(2), screen(3), screen(5), screen(6), screen(8)}
	if !steady(slow) || steady(slow[:3]) || steady([]shot{screen(0), screen(1), screen(8)}) {
		t.Error("a picture that fills line by line is refused, or one that does not is taken")
	}
}
