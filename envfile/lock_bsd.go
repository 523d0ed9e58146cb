//go:build unix && !linux

package envfile

import "os"

// lockHolder cannot name the process: these systems do not say who holds a lock.
func lockHolder(*os.File) string { return "another process" }
