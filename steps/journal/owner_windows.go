package journal

import "io/fs"

const noBlock = 0

// othersMayWrite finds nothing: who may write is not in the mode here, and the
// folder inherits the rights of the user's profile.
func othersMayWrite(fs.FileInfo) string { return "" }

// anothers names nobody: a profile of Windows is closed to other users.
func anothers(fs.FileInfo) string { return "" }
