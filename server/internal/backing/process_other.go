//go:build !linux

package backing

import "syscall"

func ownProcess(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: as, Setpgid: true}
}
