package store

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// While one patch after the other is stored, the WAL begins anew. Left to the
// writer it would do so at 64 MiB.
func TestCheckpointBesideTheWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openAt(t, path)
	populate(t, s)
	var longest int64
	for i := range 3 * checkpointRows / 2 { // three rows each
		commit(t, s, write("u_1", "d_1", fmt.Sprintf("p%d", i), fmt.Sprintf(`{"billing":{"salary":%d}}`, i)))
		if i%100 == 0 {
			wal, err := os.Stat(path + "-wal")
			must(t, err)
			longest = max(longest, wal.Size())
		}
	}
	const own = 16384 * 4096 // when the writer would do it
	if longest > 3*own/4 {
		t.Errorf("the WAL grew to %d MiB", longest>>20)
	}
	t.Logf("the WAL grew to %d MiB", longest>>20)
}
