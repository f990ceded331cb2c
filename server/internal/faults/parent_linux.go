package faults

import "syscall"

// diesWithParent makes sure that a test run that is killed leaves no server behind.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
