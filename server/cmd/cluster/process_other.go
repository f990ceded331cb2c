//go:build !linux

package main

import "syscall"

func ownProcess() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
