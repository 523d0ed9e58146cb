//go:build !linux

package envfile

import (
	"errors"
	"os"
)

// readAttributes returns nothing: the extended attributes of other systems are not kept.
func readAttributes(*os.File) (map[string][]byte, error) { return nil, nil }

func setAttribute(*os.File, string, []byte) error { return errors.ErrUnsupported }

// sealed returns "": only Linux has chattr.
func sealed(string) Reason { return "" }
