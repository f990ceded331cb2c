//go:build unix

package config

import "syscall"

// Privately takes from every file made from now on the rights of other people
// of this machine. It holds for the whole process: call it first in main.
func Privately() { syscall.Umask(0o077) }

// openByNature says whether modes mean nothing on this system.
func openByNature() bool { return false }
