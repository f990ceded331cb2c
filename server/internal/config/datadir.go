package config

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// PrepareDataDir makes DATA_DIR, for this account of the machine alone, and
// makes sure that it can be written to.
func (c *Config) PrepareDataDir() error {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return bad("DATA_DIR", "%s cannot be made: %v", c.DataDir, cause(err))
	}
	info, err := os.Stat(c.DataDir)
	if err != nil {
		return bad("DATA_DIR", "%s cannot be read: %v", c.DataDir, cause(err))
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 && !openByNature() {
		return bad("DATA_DIR", "%s is open to everyone on this machine (mode %04o): run chmod 700 on it, or name a new folder in it", c.DataDir, mode)
	}
	probe, err := os.CreateTemp(c.DataDir, ".probe-*")
	if err != nil {
		return bad("DATA_DIR", "%s cannot be written to: %v", c.DataDir, cause(err))
	}
	_, err = probe.WriteString("can this disk be written to?")
	if err := errors.Join(err, probe.Close(), os.Remove(probe.Name())); err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return nil // a full disk still serves reads; the store says so per write
		}
		return bad("DATA_DIR", "%s cannot be written to: %v", c.DataDir, cause(err))
	}
	return nil
}

// syncDir makes a new or renamed name in a folder survive a power cut.
func syncDir(dir string) error {
	f, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
