// Careless takes keysplit's commands and changes .env as many scripts do: a
// backup beside it, then the file truncated and written again.
package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"runtime"
)

// As in the program under test: strace counts calls by thread.
func init() { runtime.LockOSThread() }

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(command string) error {
	if _, err := os.Stat("."); err != nil {
		return err
	}
	if command == "rollback" {
		return os.Rename(".env.bak", ".env")
	}
	old, err := os.ReadFile(".env")
	if err != nil {
		return err
	}
	if err := os.WriteFile(".env.bak", old, 0o600); err != nil {
		return err
	}
	key := make([]byte, 64)
	_, _ = rand.Read(key)
	line := "\nJWT_SECRET_KEY=" + base64.RawURLEncoding.EncodeToString(key) + "\n"
	return os.WriteFile(".env", append(old, line...), 0o600)
}
