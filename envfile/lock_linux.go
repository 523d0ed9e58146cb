package envfile

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// lockHolder names the process that holds the lock on f, as /proc tells it, or says that it cannot be seen.
func lockHolder(f *os.File) string {
	const unseen = "a process that keysplit may not look into"
	fi, err := f.Stat()
	if err != nil {
		return unseen
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return unseen
	}
	locks, _ := os.ReadFile("/proc/locks")
	// "1: FLOCK  ADVISORY  WRITE 4711 08:01:131137 0 EOF". The device may be told otherwise than by stat (btrfs).
	for line := range strings.Lines(string(locks)) {
		words := strings.Fields(line)
		if len(words) < 6 || words[1] != "FLOCK" || !strings.HasSuffix(words[5], fmt.Sprintf(":%d", st.Ino)) {
			continue
		}
		if pid, err := strconv.Atoi(words[4]); err == nil && pid > 0 {
			return describeProcess(pid)
		}
	}
	return unseen
}

// describeProcess gives a process in words, such as "process 4711 (backup) of nobody".
func describeProcess(pid int) string {
	dir := fmt.Sprintf("/proc/%d", pid)
	words := "process " + strconv.Itoa(pid)
	if name, err := os.ReadFile(dir + "/comm"); err == nil {
		words += " (" + strings.TrimSpace(string(name)) + ")"
	}
	if fi, err := os.Stat(dir); err == nil {
		id := strconv.Itoa(ownerOf(fi))
		if u, err := user.LookupId(id); err == nil {
			id = u.Username
		}
		words += " of " + id
	}
	return words
}
