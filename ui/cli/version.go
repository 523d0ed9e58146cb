package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// What the release tools stamp with -ldflags -X, "" in any other build:
// .goreleaser.yaml and .ci/install name these variables.
var (
	release string // the version, SemVer without the v
	commit  string // the commit's full hash
	date    string // the commit's time, RFC 3339
)

// built is what `version --json` prints. Its names are stable.
type built struct {
	Version string `json:"version"`
	Commit  string `json:"commit"` // "" when the build does not know it
	Date    string `json:"date"`   // of the commit, "" likewise
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func newVersion(stdio IO) *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long: `Print the version. With --json also the commit, its date, the version of Go and
the system that this program was built for.`,
		Args: noWords,
		RunE: func(*cobra.Command, []string) error {
			if json {
				return printJSON(stdio.Out, thisBuild())
			}
			_, err := fmt.Fprintln(stdio.Out, "keysplit version "+version())
			return err
		},
	}
	cmd.Flags().BoolVar(&json, "json", false, "print JSON")
	return cmd
}

// version is the release, or what the build recorded: a module version, or the
// commit.
func version() string {
	b := thisBuild()
	if b.Version == "devel" && len(b.Commit) >= 12 {
		return "devel " + b.Commit[:12]
	}
	return b.Version
}

func thisBuild() built {
	b := built{Version: "devel", Commit: commit, Date: date, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if v := info.Main.Version; v != "" && v != "(devel)" {
			b.Version = v
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision" && b.Commit == "":
				b.Commit = s.Value
			case s.Key == "vcs.time" && b.Date == "":
				b.Date = s.Value
			}
		}
	}
	if release != "" {
		b.Version = release
	}
	return b
}
