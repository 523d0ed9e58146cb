package envfile_test

import (
	"fmt"

	"dj/keysplit/envfile"
)

func ExampleEdit() {
	old := []byte("# settings\nDEBUG=True")
	c, err := envfile.Edit(old, envfile.For{}, envfile.Set{Name: "API_KEY", Value: "n3w-key"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", c.New)
	for _, d := range c.Diff {
		fmt.Println(d, d.FinalNewline)
	}
	// Output:
	// # settings
	// DEBUG=True
	// API_KEY=n3w-key
	// line 2: 1 removed, 1 added true
	// line 3: 0 removed, 1 added false
}

func ExampleLookup() {
	data := []byte("export PORT=8000 # the usual\n")
	for _, d := range []envfile.Dialect{envfile.Decouple, envfile.PythonDotenv, envfile.Systemd} {
		value, found, err := envfile.Lookup(d, data, "PORT", nil)
		fmt.Printf("%s: %q %v %v\n", d, value, found, err)
	}
	// Output:
	// decouple: "" false <nil>
	// python-dotenv: "8000" true <nil>
	// systemd: "" false <nil>
}

func ExampleParse() {
	f := envfile.Parse([]byte("DEBUG=True\r\nexport TOKEN='abc'\r\nstray\r\n"))
	fmt.Println(f.CRLF(), f.FinalNewline())
	for _, l := range f.Lines() {
		fmt.Println(l.Num, l.Kind == envfile.Assignment, l.Name, l.Export)
	}
	// Output:
	// true true
	// 1 true DEBUG false
	// 2 true TOKEN true
	// 3 false  false
}
