//go:build planted

package store

import "os"

// Bugs planted on purpose, chosen by PLANT: the revision comes from outside the
// transaction; the ids of patches are not remembered.
var (
	plantStaleHead = os.Getenv("PLANT") == "revision-outside"
	plantForgetIDs = os.Getenv("PLANT") == "ids-forgotten"
)

// plantedHead puts a user's revision back to what it was before the group.
func plantedHead(g *group, user string) {
	for i := range g.pending.changes {
		if c := &g.pending.changes[i]; plantStaleHead && c.user == user {
			g.heads[user].Revision = c.Revision - 1
			return
		}
	}
}
