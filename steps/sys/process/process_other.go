//go:build !linux && !darwin

package process

import (
	"context"
	"time"
)

func list(context.Context) ([]running, error) { return nil, ErrUnsupported }

func startOf(int) (time.Time, bool) { return time.Time{}, false }

func environmentValue(int, string) ([]byte, bool, error) { return nil, false, ErrUnsupported }
