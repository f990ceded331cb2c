//go:build !unix

package config

import "io/fs"

// Privately does nothing where files have no modes.
func Privately() {}

// openByNature says whether modes mean nothing on this system.
func openByNature() bool { return true }

// ours says no where files have no owners.
func ours(fs.FileInfo) bool { return false }
