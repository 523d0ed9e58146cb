// Keysplit takes a Django project through one breaking change: JWT_SECRET_KEY
// becomes required, must differ from SECRET_KEY and must have 50 characters or
// more.
package main

import (
	"os"

	"dj/keysplit/ui/cli"
	// First, and for its init function: see the package.
	_ "dj/keysplit/ui/nostall"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.Stdio()))
}
