package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"social-server/internal/errs"
)

// checkFilesEvery is how often commits look for the database's files. Whatever
// is committed in between after the files were removed is lost with the process.
const checkFilesEvery = time.Second

// errFilesGone refuses a write. It has no cause, so that a request does not log
// it: the program logs it once, see OnFilesGone.
var errFilesGone = &errs.Error{
	Code: errs.Unavailable, Message: "The server's database is not where it should be.", RetryAfter: retryAfter,
}

// files are the files of an open SQLite database, as they were when it was
// opened. A file that is removed or replaced under an open database still takes
// commits, and nobody finds them afterwards.
type files struct {
	opened []openedFile // not changed after trackFiles
	start  time.Time
	next   atomic.Int64 // when a commit looks again, in nanoseconds since start
	gone   atomic.Bool
	closed atomic.Bool // SQLite removes files of its own when it closes
	told   func(error) // nil: nobody
}

type openedFile struct {
	path string
	info fs.FileInfo
}

// trackFiles notes the files of the database at path, which must be open.
func trackFiles(path string) (*files, error) {
	f := &files{start: time.Now()}
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			return nil, err
		}
		f.opened = append(f.opened, openedFile{path + suffix, info})
	}
	return f, nil
}

// check returns an error that names a file that is not where it was. The first
// failure, and the first success after one, go to told.
func (f *files) check() (err error) {
	if f == nil { // PostgreSQL, or a command
		return nil
	}
	for _, file := range f.opened {
		if err = file.check(); err != nil {
			break
		}
	}
	if f.gone.Swap(err != nil) != (err != nil) && f.told != nil {
		f.told(err)
	}
	return err
}

func (o openedFile) check() error {
	now, err := os.Stat(o.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s was removed while the server ran", o.path)
	case err == nil && !os.SameFile(o.info, now):
		return fmt.Errorf("%s was replaced while the server ran", o.path)
	}
	return err
}

// close is check for the last time; a second call does nothing.
func (f *files) close() error {
	if f == nil || f.closed.Swap(true) {
		return nil
	}
	return f.check()
}

// writable is check for a commit: it looks at most once in checkFilesEvery.
func (f *files) writable() error {
	if f == nil {
		return nil
	}
	now := int64(time.Since(f.start))
	if due := f.next.Load(); now >= due && f.next.CompareAndSwap(due, now+int64(checkFilesEvery)) {
		_ = f.check() // gone holds the result
	}
	if f.gone.Load() {
		return errFilesGone
	}
	return nil
}

// OnFilesGone sets what is called when the database's files are found to be
// removed or replaced, and with nil when they are back. It is to be called
// before the store is used by others; told must not block.
func (s *Store) OnFilesGone(told func(error)) {
	if s.files != nil {
		s.files.told = told
	}
}
