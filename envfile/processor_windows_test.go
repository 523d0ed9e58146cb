package envfile

import "time"

var begin = time.Now()

// processorTime is the time of the clock here.
func processorTime() time.Duration { return time.Since(begin) }
