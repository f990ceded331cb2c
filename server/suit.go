package main

import (
	"os"
	"runtime"
)

// suit makes sure that at least two threads run Go code, also on a machine of one
// processor, unless GOMAXPROCS says otherwise. A single one can be kept for up to
// 10 ms by a flush of the disk or a long statement, and nothing is read or sent
// meanwhile. With 5,000 changes a second on one core p50 was 59 to 253 ms, and is
// 56 to 107; where the flush costs nothing, on a RAM disk, a tenth is lost.
func suit() {
	if os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) < 2 {
		runtime.GOMAXPROCS(2)
	}
}
