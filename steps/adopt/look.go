package adopt

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/sys/child"
	"dj/keysplit/steps/sys/file"
)

//go:embed look/*.py
var lookFiles embed.FS

// question is the argument of the look, whose answer is a place.
type question struct {
	What      string   `json:"what"`       // "key" or "apps"
	Settings  []string `json:"settings"`   // source files, absolute
	Roots     []string `json:"roots"`      // folders that modules are imported from
	Folders   []string `json:"folders"`    // that say how long a line may be, the nearest first
	Key       string   `json:"key"`        // variables, as the project has them
	SecretKey string   `json:"secret_key"` //
	Ninja     bool     `json:"ninja"`      // NINJA_JWT before SIMPLE_JWT
}

// place is where the settings are edited, and in which manner. Lines count from 1,
// columns from 0 in bytes, as Python's parser has them.
type place struct {
	Unsure  string `json:"unsure"`  // why there is no edit that is sure, "" where there is one
	File    string `json:"file"`    // absolute
	Line    int    `json:"line"`    // that the edit is about; 0 for none
	Dict    string `json:"dict"`    // SIMPLE_JWT or NINJA_JWT
	Var     string `json:"var"`     // what the settings call the key
	Secret  string `json:"secret"`  // the expression for SECRET_KEY
	Reader  string `json:"reader"`  // the package that reads variables in a way that is not known, "" for none
	Reading string `json:"reading"` // how the key is read from that package's object; "" where it makes the settings itself
	Ways    []way  `json:"ways"`    // to read a variable, the likeliest first
	Raises  string `json:"raises"`  // what ImproperlyConfigured is called, "" where it is not imported
	Imports head   `json:"imports"` // where imports come
	Block   int    `json:"block"`   // the line before which the block comes; 0: it takes the place of a span
	Base    string `json:"base"`    // what the block is indented by
	Unit    string `json:"unit"`    // what one level is indented by
	Quote   string `json:"quote"`
	Limit   int    `json:"limit"`   // characters of a line
	Spans   []span `json:"spans"`   // that get another text
	Read    bool   `json:"read"`    // the block reads the key; else a span does
	Tail    string `json:"tail"`    // the block's end: "entry" of the dictionary, a new "dictionary", "apps" or ""
	Class   bool   `json:"class"`   // the block is in a class of django-configurations
	Tuple   bool   `json:"tuple"`   // INSTALLED_APPS is one
	Literal bool   `json:"literal"` // the key is in the text of the settings
	// LeftOut are the settings of other environments that share modules with these, and
	// do not load the one that is edited; absolute.
	LeftOut []string `json:"left_out"`
}

// way is one way to read a variable.
type way struct {
	Call    string `json:"call"`    // what is called with its name
	Form    string `json:"form"`    // "get", "default", "plain" or "value" (of django-configurations)
	Import  string `json:"import"`  // a statement that the module lacks, "" for none
	Also    string `json:"also"`    // another one
	Setup   string `json:"setup"`   // a statement before the first reading
	Package string `json:"package"` // that is installed, and that nothing of the project imported so far
	Version string `json:"version"` // of that package
}

// head is the end of a module's imports.
type head struct {
	After  int  `json:"after"`  // the line behind which an import comes
	Gap    bool `json:"gap"`    // it is set apart from the lines before it
	Behind bool `json:"behind"` // there is no import yet
}

// span is a part of the text.
type span struct {
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"end_line"`
	EndColumn int    `json:"end_column"`
	Role      string `json:"role"` // it becomes the "variable", "none", the reading ("read") or the "block"
}

// look has the project's Python find the place. It runs none of the project's code.
func look(ctx context.Context, run *steps.Run, what string) (place, error) {
	var p place
	project, names := run.Project, run.Names()
	q := question{
		What: what, Settings: []string{project.SettingsFile}, Roots: roots(project), Folders: upward(project.Root, project.TopLevel),
		Key: names.Key, SecretKey: names.SecretKey, Ninja: project.Facts != nil && project.Facts.Package == "ninja-jwt",
	}
	asked, _ := json.Marshal(q) // texts always have a form
	python := project.Python
	if project.Inside() { // it only parses files, of which a container has other paths
		var err error
		if python, err = exec.LookPath("python3"); err != nil {
			return place{Unsure: "this machine has no Python to find the place with", File: project.SettingsFile}, nil
		}
	}
	res, err := child.Command{
		Path: python, Args: []string{"-I", "-", string(asked)}, Dir: project.Root, As: project.User,
		Stdin: bytes.NewReader(file.Joined(lookFiles, "look")), Unset: child.Withheld,
	}.Run(ctx)
	if err != nil {
		return p, fmt.Errorf("look for the place in the settings: %w", err)
	}
	if err := json.Unmarshal(res.Stdout, &p); err != nil {
		return p, fmt.Errorf("look for the place in the settings: the answer cannot be read (exit code %d)", res.Code)
	}
	likeliest(project, p.Ways)
	return p, nil
}

// roots are the folders that the settings can import the project's modules from: the one
// that their own name counts from, that of manage.py, and its src.
func roots(p *steps.Project) []string {
	from := p.SettingsFile
	if filepath.Base(from) == "__init__.py" {
		from = filepath.Dir(from)
	}
	for range strings.Count(p.SettingsModule, ".") + 1 {
		from = filepath.Dir(from)
	}
	return []string{from, p.Root, filepath.Join(p.Root, "src")}
}

// upward are the folders from inner to outer.
func upward(inner, outer string) []string {
	out := []string{inner}
	for inner != outer && inner != filepath.Dir(inner) {
		inner = filepath.Dir(inner)
		out = append(out, inner)
	}
	return out
}
