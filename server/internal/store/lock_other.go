//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package store

import "os"

// lockFile does nothing: there is no flock here. A second server on the same
// file is then refused only by its port; SQLite's own locks still keep the file whole.
func lockFile(*os.File) error { return nil }
