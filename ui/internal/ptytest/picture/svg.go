//go:build unix

package main

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"time"
	"unicode/utf8"

	"dj/keysplit/ui/internal/ptytest"
)

// The measures of the picture, in its own units.
const (
	cellWidth  = 8.4
	cellHeight = 19.0
	baseline   = 14.0 // of the text in its row
	margin     = 22.0
	barHeight  = 38.0
	width      = cols*cellWidth + 2*margin
	height     = rows*cellHeight + barHeight + margin

	title = "keysplit takes the demo project through its five steps: key, write, verify, restart, login"
	desc  = "A recording of the terminal. It begins with a backend whose JWT_SECRET_KEY is not set, and ends with the proof that " +
		"the running server signs with a new key of its own, refuses SECRET_KEY and a random key, and lets a test account log in."
)

// theme is the terminal that the picture shows.
type theme struct {
	light                        bool
	background, foreground, edge string
	prompt                       string // the colour of the shell's prompt, as parameters of SGR
}

var (
	dark  = theme{background: "#16151d", foreground: "#e4e1ec", edge: "#4a4658", prompt: "38;2;183;165;255"}
	light = theme{light: true, background: "#fbfaff", foreground: "#25222e", edge: "#c9c5d4", prompt: "38;2;91;63;214"}
)

// drawing collects the parts of the SVG. Rows that are alike on several screens
// are written once.
type drawing struct {
	theme
	rows    bytes.Buffer
	ids     map[string]string // of a row, by its content
	colours []string          // class c0, c1, ...
}

// render writes the screens as one SVG that shows them in turn.
func render(in theme, shots []shot) []byte {
	d := &drawing{theme: in, ids: map[string]string{}}
	var screens bytes.Buffer
	for i, s := range shots {
		class := "s"
		if s.still {
			class = "s still"
		}
		fmt.Fprintf(&screens, "<g id=\"s%d\" class=%q>", i, class)
		for y, row := range s.cells {
			if id := d.row(row); id != "" {
				fmt.Fprintf(&screens, "<use href=\"#%s\" y=\"%s\"/>", id, number(float64(y)*cellHeight))
			}
		}
		screens.WriteString("</g>\n")
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %s %s\" width=\"%s\" height=\"%s\" role=\"img\" aria-labelledby=\"t d\">\n",
		number(width), number(height), number(width), number(height))
	fmt.Fprintf(&b, "<title id=\"t\">%s</title>\n<desc id=\"d\">%s</desc>\n", html.EscapeString(title), html.EscapeString(desc))
	fmt.Fprintf(&b, "<style>\n%s%s</style>\n", d.styles(), timeline(shots))
	fmt.Fprintf(&b, "<defs>\n%s</defs>\n", d.rows.Bytes())
	fmt.Fprintf(&b, "<rect x=\".5\" y=\".5\" width=\"%s\" height=\"%s\" rx=\"10\" fill=\"%s\" stroke=\"%s\"/>\n", number(width-1), number(height-1), d.background, d.edge)
	for i, c := range []string{"#ff8a94", "#ffc95c", "#5ce0a4"} {
		fmt.Fprintf(&b, "<circle cx=\"%s\" cy=\"19\" r=\"5.5\" fill=\"%s\" opacity=\".85\"/>", number(margin+6+float64(i)*18), c)
	}
	fmt.Fprintf(&b, "\n<g transform=\"translate(%s %s)\">\n%s</g>\n</svg>\n", number(margin), number(barHeight), screens.Bytes())
	return b.Bytes()
}

// number writes a measure without needless digits.
func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}

// timeline gives each screen its share of the time. Where nothing may move, or
// nothing can, the still one is shown.
func timeline(shots []shot) string {
	var b strings.Builder
	var total, begin time.Duration
	for _, s := range shots {
		total += s.shown
	}
	b.WriteString(".s{visibility:hidden}.still{visibility:visible}\n")
	share := func(d time.Duration) string { return number(100*float64(d)/float64(total)) + "%" }
	for i, s := range shots {
		fmt.Fprintf(&b, "@keyframes k%d{0%%{visibility:hidden}%s{visibility:visible}%s{visibility:hidden}to{visibility:hidden}}", i, share(begin), share(begin+s.shown))
		fmt.Fprintf(&b, "#s%d{animation:k%d %sms step-end infinite}\n", i, i, number(float64(total.Milliseconds())))
		begin += s.shown
	}
	b.WriteString("@media (prefers-reduced-motion:reduce){.s{animation:none!important}}\n")
	return b.String()
}

func (d *drawing) styles() string {
	var b strings.Builder
	fmt.Fprintf(&b, "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",\"Liberation Mono\",monospace;fill:%s}.b{font-weight:700}.f{opacity:.6}.u{text-decoration:underline}\n", d.foreground)
	for i, c := range d.colours {
		fmt.Fprintf(&b, ".c%d{fill:%s}", i, c)
	}
	b.WriteByte('\n')
	return b.String()
}

// class names a colour.
func (d *drawing) class(colour string) string {
	for i, c := range d.colours {
		if c == colour {
			return fmt.Sprintf("c%d", i)
		}
	}
	d.colours = append(d.colours, colour)
	return fmt.Sprintf("c%d", len(d.colours)-1)
}

// row gives the id of a row, "" for an empty one.
func (d *drawing) row(cells []ptytest.Cell) string {
	var b strings.Builder
	for x := 0; x < len(cells); {
		end := x + 1
		for end < len(cells) && cells[end].Style == cells[x].Style {
			end++
		}
		d.stretch(&b, cells[x:end], x)
		x = end
	}
	content := b.String()
	if content == "" {
		return ""
	}
	id, known := d.ids[content]
	if !known {
		id = fmt.Sprintf("r%d", len(d.ids))
		d.ids[content] = id
		fmt.Fprintf(&d.rows, "<g id=%q>%s</g>\n", id, content)
	}
	return id
}

// stretch draws cells of one style: their background, and their text in pieces
// that keep to the grid whatever font there is.
func (d *drawing) stretch(b *strings.Builder, cells []ptytest.Cell, x int) {
	style := cells[0].Style
	fg, bg := d.hex(style.Fg, ""), d.hex(style.Bg, "")
	if style.Reverse {
		fg, bg = d.hex(style.Bg, d.background), d.hex(style.Fg, d.foreground)
	}
	if bg != "" {
		fmt.Fprintf(b, "<rect x=\"%s\" width=\"%s\" height=\"%s\" class=%q/>", number(float64(x)*cellWidth), number(float64(len(cells))*cellWidth), number(cellHeight), d.class(bg))
	}
	var classes []string
	if fg != "" {
		classes = append(classes, d.class(fg))
	}
	for _, c := range []struct {
		on   bool
		name string
	}{{style.Bold, "b"}, {style.Faint, "f"}, {style.Underline, "u"}} {
		if c.on {
			classes = append(classes, c.name)
		}
	}
	attr := ""
	if len(classes) > 0 {
		attr = fmt.Sprintf(" class=%q", strings.Join(classes, " "))
	}
	for _, p := range pieces(cells) {
		left, n := float64(x+p.at)*cellWidth, float64(p.cells)*cellWidth
		switch p.text[:len(p.text)/p.cells] {
		case "─": // terminals draw these two from edge to edge, whatever the font has
			fmt.Fprintf(b, "<rect x=\"%s\" y=\"9\" width=\"%s\" height=\"1\"%s/>", number(left), number(n), attr)
			continue
		case "┃":
			fmt.Fprintf(b, "<rect x=\"%s\" y=\"-.5\" width=\"2.4\" height=\"%s\"%s/>", number(left+3), number(cellHeight+1), attr)
			continue
		}
		length := ""
		if p.cells > 1 {
			length = fmt.Sprintf(" textLength=\"%s\" lengthAdjust=\"spacingAndGlyphs\"", number(n))
		}
		fmt.Fprintf(b, "<text x=\"%s\" y=\"%s\"%s%s>%s</text>", number(left), number(baseline), length, attr, html.EscapeString(p.text))
	}
}

// piece is a text that is drawn at once.
type piece struct {
	at, cells int
	text      string
}

// pieces cuts cells at double spaces, and between ASCII and other characters,
// which may come from another font. A row of one such character stays whole.
func pieces(cells []ptytest.Cell) []piece {
	var all []piece
	blank := func(i int) bool { return i >= len(cells) || strings.TrimSpace(cells[i].Text) == "" }
	ascii := func(i int) bool { return len(cells[i].Text) == 1 && cells[i].Text[0] < utf8.RuneSelf }
	for i := 0; i < len(cells); {
		if blank(i) {
			i++
			continue
		}
		p := piece{at: i}
		for i < len(cells) {
			if blank(i) && (blank(i+1) || !ascii(i+1) || !ascii(p.at)) {
				break
			}
			if !blank(i) && ascii(i) != ascii(p.at) || !ascii(p.at) && cells[i].Text != cells[p.at].Text {
				break
			}
			p.text += cells[i].Text
			p.cells++
			i++
		}
		all = append(all, p)
	}
	return all
}

// palette is how this terminal shows the colours that every terminal shows in
// its own way: what xterm has for them, and what fits the background here.
var palette = map[string]string{
	"#800000": "#ff8a94", "#008000": "#5ce0a4", "#808000": "#ffc95c", "#000080": "#7cc7ff", "#800080": "#b7a5ff", "#008080": "#7cc7ff",
	"#ff0000": "#ff8a94", "#00ff00": "#5ce0a4", "#ffff00": "#ffc95c", "#0000ff": "#7cc7ff", "#ff00ff": "#b7a5ff", "#00ffff": "#7cc7ff",
	"#c0c0c0": dark.foreground, "#808080": "#a09bb0", "#000000": dark.background,
}

// hex writes a colour, or the one for the terminal's own.
func (d *drawing) hex(c ptytest.Colour, own string) string {
	if !c.Set {
		return own
	}
	text := fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
	if shown, ok := palette[text]; ok && !d.light {
		return shown
	}
	return text
}
