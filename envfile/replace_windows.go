package envfile

import "os"

// syncMode is how a file is opened only to sync it: FlushFileBuffers asks for write access.
const syncMode = os.O_RDWR

// syncFolder: Windows has no sync for folders; its file systems journal names by themselves.
func syncFolder(*os.File) error { return nil }

// cannotRename: Windows has no mounts of single files.
func cannotRename(error) bool { return false }
