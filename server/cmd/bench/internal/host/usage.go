//go:build linux

package host

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of /proc/stat: a hundredth of a second on every Linux.
const tick = 10 * time.Millisecond

// Usage is what was taken of the machine up to a moment.
type Usage struct {
	At     time.Time
	Server time.Duration // the process's own
	Core   time.Duration // whatever ran on its core: the kernel's work for it too
	Load   time.Duration // our own
}

// Sub returns what was taken between two moments.
func (u Usage) Sub(before Usage) Usage {
	return Usage{u.At, u.Server - before.Server, u.Core - before.Core, u.Load - before.Load}
}

// Usage reads the clocks.
func (p *Process) Usage() (u Usage, err error) {
	u.At = time.Now()
	if u.Server, err = processTime(p.cmd.Process.Pid); err != nil {
		return u, err
	}
	if u.Core, err = coreTime(p.core); err != nil {
		return u, err
	}
	var self unix.Rusage
	err = unix.Getrusage(unix.RUSAGE_SELF, &self)
	u.Load = time.Duration(self.Utime.Nano() + self.Stime.Nano())
	return u, err
}

// processTime is the CPU time of a process to the nanosecond where the kernel
// tells, or else to the hundredth of a second.
func processTime(pid int) (time.Duration, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, task := range tasks {
		text, err := os.ReadFile(filepath.Clean(task))
		if err != nil {
			continue // a thread that has ended
		}
		first, _, _ := bytes.Cut(text, []byte(" "))
		ns, err := strconv.ParseInt(string(first), 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	if len(tasks) > 0 {
		return sum, nil
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // past the name, which may hold spaces
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	return ticks(fields[11], fields[12])
}

// coreTime is how long a core was busy; 0 if no core is meant.
func coreTime(core int) (time.Duration, error) {
	if core < 0 {
		return 0, nil
	}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	name := fmt.Sprintf("cpu%d", core)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) >= 8 && fields[0] == name {
			return ticks(fields[1], fields[2], fields[3], fields[6], fields[7]) // user, nice, system, irq, softirq
		}
	}
	return 0, fmt.Errorf("/proc/stat has no %s", name)
}

func ticks(fields ...string) (sum time.Duration, err error) {
	for _, field := range fields {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// Memory is what a process holds of the machine's memory, in bytes.
func (p *Process) Memory() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("statm is %q", text)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
