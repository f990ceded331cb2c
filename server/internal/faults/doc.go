// Package faults holds what the tests of durability and delivery are made of:
// the built server as a process, a client of the wire that shares no code with
// the product, a proxy that breaks connections, and the oracles that judge a
// run afterwards. Nothing of the product imports it.
//
// SOAK=1 in the environment asks for the long runs (make soak); without it the
// same tests run a small part of them. SEEDS=1,2 plays just those scenarios.
package faults

import "os"

// Soak reports whether the long runs were asked for.
func Soak() bool { return os.Getenv("SOAK") == "1" }

// Runs returns how often a fault is repeated: short in make test, long in make soak.
func Runs(short, long int) int {
	if Soak() {
		return long
	}
	return short
}
