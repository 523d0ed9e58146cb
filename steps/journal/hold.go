package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/secret"
)

// Holder is a run that has a project and environment for itself.
type Holder struct {
	Owner   string    `json:"owner"` // the user's name, or number
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
	Command string    `json:"command"`
}

// String is the holder in half a sentence.
func (h Holder) String() string {
	if h.PID == 0 {
		return "a run that has only just begun"
	}
	return fmt.Sprintf("%s of %s, process %d, since %s", secret.Inert(h.Command), secret.Inert(h.Owner), h.PID, h.Since.UTC().Format("2006-01-02 15:04:05 MST"))
}

// HeldError says that another run has the project and environment.
type HeldError struct {
	Environment string
	By          Holder
	Asks        bool // this run asks what to do about it
}

func (e *HeldError) Error() string {
	text := fmt.Sprintf("another run of keysplit is at work on %s of this project: %s", secret.Inert(e.Environment), e.By)
	if e.Asks {
		return text
	}
	return text + ". Wait until it ends, or add --wait"
}

// Headline is the same for a person, without who it is and what to do.
func (e *HeldError) Headline() string {
	return fmt.Sprintf("Another run of keysplit is at work on %s of this project.", secret.Inert(e.Environment))
}

// holdPoll is how often a waiting run looks again.
const holdPoll = 100 * time.Millisecond

// holdLeft is how often it looks again where the run that had the lock has ended: a child
// that was killed with it, or was just about to start another program, may have it for a moment longer.
const holdLeft = 20

// ended reports whether no process of this number runs here.
func ended(pid int) bool {
	p, err := os.FindProcess(pid)
	return err != nil || errors.Is(p.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// Hold takes a project and environment for one run, until release is called or the
// process ends in any way. Where another run has it, the error is a *HeldError; with
// waiting, which is told once who that is, Hold waits for its end.
//
// The lock is the system's, on a file of the journal's folder. Runs on two machines
// do not see each other's: there the places themselves refuse what changed.
func (f Folder) Hold(ctx context.Context, project, environment, command string, waiting func(Holder)) (release func(), err error) {
	if err := f.placed(project); err != nil {
		return nil, err
	}
	dir := f.Of(project, environment)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, f.cannotKeep(err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "run.lock"), os.O_RDWR|os.O_CREATE|noBlock, 0o600)
	if err != nil {
		return nil, f.cannotKeep(err)
	}
	told := false
	for tries := 0; ; tries++ {
		err := envfile.TryLock(file)
		if err == nil {
			err = sign(file, command)
		}
		switch {
		case err == nil:
			return func() { file.Close() }, nil
		case !errors.Is(err, envfile.ErrHeld):
			err = f.full(fmt.Errorf("lock %s of the project: %w", environment, err))
		case waiting != nil:
			if !told {
				told = true
				waiting(holder(file))
			}
			err = pause(ctx)
		default:
			by := holder(file)
			if tries < holdLeft && by.PID != 0 && ended(by.PID) {
				err = pause(ctx)
			} else {
				err = &HeldError{Environment: environment, By: by}
			}
		}
		if err != nil {
			file.Close()
			return nil, err
		}
	}
}

// pause is the time between two looks, or why there is no second one.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(holdPoll):
		return nil
	}
}

// sign writes who holds the lock, for the message of the next one.
func sign(file *os.File, command string) error {
	line, err := json.Marshal(Holder{Owner: owner(), PID: os.Getpid(), Since: time.Now().UTC(), Command: command})
	if err == nil {
		err = file.Truncate(0)
	}
	if err == nil {
		_, err = file.WriteAt(line, 0)
	}
	return err
}

func owner() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Getuid())
}

// holder reads who signed. One that is only about to gets a moment; nobody is named where
// nobody signs.
func holder(file *os.File) Holder {
	for range 20 {
		var h Holder
		if line, err := io.ReadAll(io.NewSectionReader(file, 0, 4<<10)); err == nil && json.Unmarshal(line, &h) == nil {
			return h
		}
		time.Sleep(10 * time.Millisecond)
	}
	return Holder{}
}
