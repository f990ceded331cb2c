//go:build !unix

package config

// Privately does nothing where files have no modes.
func Privately() {}

// openByNature says whether modes mean nothing on this system.
func openByNature() bool { return true }
