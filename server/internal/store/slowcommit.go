//go:build slowcommit

package store

import (
	"time"

	"modernc.org/sqlite"
)

// This build is for the benchmark alone: every commit takes 2 ms longer, as on
// a disk whose flush takes its time.
func init() {
	sqlite.RegisterConnectionHook(func(c sqlite.ExecQuerierContext, _ string) error {
		if hooks, ok := c.(sqlite.HookRegisterer); ok {
			hooks.RegisterCommitHook(func() int32 {
				time.Sleep(2 * time.Millisecond)
				return 0
			})
		}
		return nil
	})
}
