package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// ownFiles are the beginnings of the names of the server's files in DATA_DIR.
var ownFiles = []string{keyFile, "social.db"}

// PrepareDataDir makes DATA_DIR, for this account of the machine alone, and
// makes sure that it can be written to. It takes from the server's files in it
// every permission that the folder itself does not give.
func (c *Config) PrepareDataDir() error {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return bad("DATA_DIR", "%s cannot be made: %v", c.DataDir, cause(err))
	}
	info, err := os.Stat(c.DataDir)
	if err != nil {
		return bad("DATA_DIR", "%s cannot be read: %v", c.DataDir, cause(err))
	}
	if !openByNature() {
		if err := closeFolder(c.DataDir, info); err != nil {
			return err
		}
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

// closeFolder closes DATA_DIR and the server's files in it to everyone else. A
// folder that is open is closed only while it is empty and ours, as container
// engines make it. The group keeps what the folder gives it: Kubernetes shares a
// volume with its fsGroup.
func closeFolder(dir string, info fs.FileInfo) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return bad("DATA_DIR", "%s cannot be read: %v", dir, cause(err))
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		if len(entries) > 0 || !ours(info) || os.Chmod(dir, 0o700) != nil { // #nosec G302 -- a folder
			return bad("DATA_DIR", "%s is open to everyone on this machine (mode %04o): run chmod 700 on it, or name a new folder in it", dir, mode)
		}
		return nil
	}
	for _, entry := range entries {
		if !slices.ContainsFunc(ownFiles, func(prefix string) bool { return strings.HasPrefix(entry.Name(), prefix) }) {
			continue
		}
		file, err := entry.Info()
		if err != nil || !file.Mode().IsRegular() {
			continue // a file of SQLite's that is gone again, or something that whoever reads it refuses
		}
		if excess := tooMuch(file.Mode(), info.Mode()); excess != 0 {
			if err := os.Chmod(filepath.Join(dir, entry.Name()), file.Mode().Perm()&^excess); err != nil {
				return bad("DATA_DIR", "%s is open to others (mode %04o), and that cannot be changed: %v", filepath.Join(dir, entry.Name()), file.Mode().Perm(), cause(err))
			}
		}
	}
	return nil
}

// tooMuch returns the permissions of a file of others that its folder does not
// give them. One rule for every file in DATA_DIR.
func tooMuch(file, folder fs.FileMode) fs.FileMode {
	return file & 0o077 &^ (folder & 0o060)
}

// syncDir makes a new or renamed name in a folder survive a power cut.
func syncDir(dir string) error {
	f, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
