package backing

import "syscall"

// ownProcess makes sure that whoever ends leaves no service behind.
func ownProcess(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: as, Setpgid: true}
}
