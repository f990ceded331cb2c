//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// Privately takes from every file made from now on the rights of other people
// of this machine. It holds for the whole process: call it first in main.
func Privately() { syscall.Umask(0o077) }

// openByNature says whether modes mean nothing on this system.
func openByNature() bool { return false }

// ours reports whether a file belongs to the account that runs this process.
func ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int64(stat.Uid) == int64(os.Geteuid())
}
