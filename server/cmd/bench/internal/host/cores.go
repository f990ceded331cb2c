//go:build linux

// Package host starts the programs that are measured, each on the core that is
// its own, and reads what they take of the machine.
package host

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Cores says which core is whose.
type Cores struct {
	Server, Load int    // numbers, or -1: wherever the kernel likes
	Note         string // what a reader of the figures must know; "" is all well
}

// pinned tells a process that it has been started again on its core.
const pinned = "BENCH_PINNED"

// Plan decides on the cores: the server's, and the load's beside it. Without
// taskset, or a second core, it says so.
func Plan(cpus int, taskset func() error) Cores {
	switch {
	case cpus < 2:
		return Cores{-1, -1, "There is one core only: the load takes its time from the server, and every figure includes it."}
	case taskset() != nil:
		return Cores{-1, -1, "There is no taskset: server and load move between the cores, and CPU figures are the processes' own."}
	}
	return Cores{Server: 0, Load: 1}
}

// FindTaskset looks for the program that pins others.
func FindTaskset() error {
	_, err := exec.LookPath("taskset")
	return err
}

// PinSelf starts this program again on the load's core, in the same process,
// and returns only if there is nothing to do or it fails. It returns the plan.
func PinSelf() (Cores, error) {
	if os.Getenv(pinned) != "" {
		return Cores{Server: 0, Load: 1}, nil
	}
	plan := Plan(runtime.NumCPU(), FindTaskset)
	if plan.Load < 0 {
		return plan, nil
	}
	argv := plan.wrap(plan.Load, append([]string{"/proc/self/exe"}, os.Args[1:]...))
	self, err := os.Executable()
	if err != nil {
		return plan, err
	}
	argv[3] = self
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return plan, err
	}
	return plan, syscall.Exec(path, argv, append(os.Environ(), pinned+"=1")) // #nosec G204 -- ourselves
}

// wrap makes a command run on one core.
func (c Cores) wrap(core int, argv []string) []string {
	if core < 0 {
		return argv
	}
	return append([]string{"taskset", "-c", fmt.Sprint(core)}, argv...)
}

// AtServer runs start on the server's core, so that what it starts stays there.
func (c Cores) AtServer(start func() error) error {
	if c.Server < 0 {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, server unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	server.Set(c.Server)
	if err := unix.SchedSetaffinity(0, &server); err != nil {
		return err
	}
	err := start()
	return errors.Join(err, unix.SchedSetaffinity(0, &before))
}

// Machine describes the machine, without its name.
func Machine() []string {
	model := "unknown CPU"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	kernel := "unknown"
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel, _, _ = strings.Cut(strings.TrimSpace(string(text)), "-")
	}
	cores := runtime.NumCPU()
	if text, err := os.ReadFile("/proc/stat"); err == nil {
		cores = strings.Count(string(text), "\ncpu")
	}
	return []string{
		fmt.Sprintf("%s, %d cores", model, cores),
		"Linux " + kernel,
		runtime.Version() + " " + runtime.GOARCH,
	}
}
