package main

import "syscall"

// ownProcess keeps a terminal's Ctrl-C from the nodes, which are stopped in
// order, and leaves none behind if this process is killed.
func ownProcess() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
