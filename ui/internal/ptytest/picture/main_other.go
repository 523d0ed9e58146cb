//go:build !unix

package main

import "os"

func main() {
	_, _ = os.Stderr.WriteString("picture: needs a pseudo-terminal, as Linux and macOS have\n")
	os.Exit(1)
}
