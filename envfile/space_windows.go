package envfile

import "golang.org/x/sys/windows"

// freeIn is how many bytes of the volume of a folder this user can still take, by the
// user's quota as well.
func freeIn(folder string) (bytes uint64, known bool) {
	path, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return 0, false
	}
	if err := windows.GetDiskFreeSpaceEx(path, &bytes, nil, nil); err != nil {
		return 0, false
	}
	return bytes, true
}
