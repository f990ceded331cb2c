//go:build linux

package floor

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Flushes measures a disk: so many writes of size bytes, each group of them
// followed by one flush, for a while. It returns flushes and writes per second.
func Flushes(dir string, size, group int, while time.Duration) (flushes, writes float64, err error) {
	file, err := os.Create(filepath.Join(dir, "flush.tmp")) // #nosec G304 -- a folder of the benchmark's own
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	data := make([]byte, size)
	began, n := time.Now(), 0
	for ; time.Since(began) < while; n++ {
		for range group {
			if _, err := file.Write(data); err != nil {
				return 0, 0, err
			}
		}
		if err := unix.Fdatasync(int(file.Fd())); err != nil {
			return 0, 0, err
		}
	}
	flushes = float64(n) / time.Since(began).Seconds()
	return flushes, flushes * float64(group), nil
}
