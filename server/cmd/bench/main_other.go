//go:build !linux

// Command bench measures the server beside the floors under it.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: the benchmark pins processes to cores and reads /proc, and so it needs Linux.")
	os.Exit(1)
}
