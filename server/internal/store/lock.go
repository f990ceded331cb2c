package store

import (
	"errors"
	"fmt"
	"os"
)

// errLocked is the failure to lock a file that another process has locked.
var errLocked = errors.New("locked")

// takeLock makes sure that no other process has the database open to write, for
// as long as the file it returns is open: two servers on one file would each
// tell their devices only half of what happens. The lock ends with the process,
// however that ends; its file stays, for removing it could let two in.
func takeLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600) // #nosec G304 -- beside the database of the configuration
	if err != nil {
		return nil, err
	}
	err = lockFile(file)
	if err == nil {
		return file, nil
	}
	if errors.Is(err, errLocked) {
		err = fmt.Errorf("%s is in use by another social-server: stop that one first", path)
	}
	return nil, errors.Join(err, file.Close())
}
