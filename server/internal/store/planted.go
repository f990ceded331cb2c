//go:build planted

package store

import "os"

// Bugs planted on purpose, chosen by PLANT: the revision comes from outside the
// transaction; the ids of patches are not remembered.
var (
	plantStaleHead = os.Getenv("PLANT") == "revision-outside"
	plantForgetIDs = os.Getenv("PLANT") == "ids-forgotten"
)
