package faults

import (
	"crypto/rand"
	"strings"
	"testing"
)

// The negative controls of the cluster: nodes with a bug planted in them go
// through the same faults as the true ones, and the oracles must find the bug.
func TestPlantedBugsAreFoundOnNodes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		plant string
		fault func(*cluster)
		found string // in what the oracles say
	}{
		{"ids-forgotten", cutCommits, "DUPLICATE"},
		{"ack-early", killTheWriters, "LOST"},
		{"revision-outside", writeOnBoth, "two patches"},
		{"none", cutCommits, ""},
		{"none", killTheWriters, ""},
		{"none", writeOnBoth, ""},
	} {
		t.Run(tt.plant, func(t *testing.T) {
			for range 20 {
				c := newCluster(t, plan{planted: true, env: []string{"PLANT=" + tt.plant}})
				tt.fault(c)
				_, wrong := c.findings()
				hit := strings.Contains(strings.Join(wrong, "\n"), tt.found) && len(wrong) > 0
				switch {
				case tt.plant == "none":
					c.none("without a bug", wrong)
					return
				case hit:
					t.Logf("found: %.150s", wrong[0])
					return
				}
			}
			t.Errorf("not found in 20 scenarios")
		})
	}
}

// cutCommits: the answer to COMMIT is lost, so that the device asks again.
func cutCommits(c *cluster) {
	device := c.client(0, c.at(c.A))
	c.live(device)
	for i := range 5 {
		p := &Patch{ID: rand.Text(), Set: one(key(i), "1")}
		c.cutCommitOf(p)
		c.acked(device.Submit(p))
	}
}

// killTheWriters: the node that writes is killed under load.
func killTheWriters(c *cluster) {
	writers := []*Client{c.client(0, c.at(c.A)), c.client(1, c.at(c.A)), c.client(2, c.at(c.A))}
	c.live(writers...)
	l := write(writers)
	c.ok(Poll(c.Context(), patient, "30 writes", func() bool { return l.acked.Load() >= 30 }))
	c.ok(c.A.Kill())
	l.end()
	c.ok(c.A.Start(c.Context()))
	c.settled(writers...)
}

// writeOnBoth: both nodes write to one user without pause.
func writeOnBoth(c *cluster) {
	l := write(c.spread(6))
	c.ok(Poll(c.Context(), patient, "60 writes", func() bool { return l.acked.Load() >= 60 }))
	l.end()
	c.settled(c.all()...)
}
