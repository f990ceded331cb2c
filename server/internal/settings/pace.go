package settings

import "time"

// A commit costs much the same for one patch and for ten, most of it in the kernel:
// one at a time, 2,500 patches a second fill a processor, and 5,000 do not if they
// come ten to a commit. So the more of the time goes into commits, the farther apart
// they begin, up to pacing. Up to calm nobody waits for company. What counts is time
// and not patches: how many fill a processor depends on it, and on the disk.
const (
	calm      = 0.4 // part of the time that goes into commits
	crowded   = 0.7 // part of the time, at which commits begin pacing apart
	pacing    = 2 * time.Millisecond
	paceOver  = 250 * time.Millisecond // the part is an average of about so long
	longSince = time.Second            // after which there is no part
)

// pace knows how busy the commit loop is, and is its own.
type pace struct {
	began, ended time.Time // the last group
	busy         float64   // part of the time, averaged
}

// wait is how long the next group should wait for more.
func (p *pace) wait(now time.Time) time.Duration {
	if p.busy <= calm {
		return 0
	}
	share := min(1, (p.busy-calm)/(crowded-calm))
	return max(0, time.Duration(share*float64(pacing))-now.Sub(p.began))
}

// begin notes the beginning of a group, and what part of the time the last one took.
func (p *pace) begin(now time.Time) {
	over, took := now.Sub(p.began), p.ended.Sub(p.began)
	p.began = now
	if over <= 0 || over > longSince {
		p.busy = 0
		return
	}
	weight := float64(over) / float64(over+paceOver)
	p.busy += weight * (float64(took)/float64(over) - p.busy)
}

// end notes the end of a group.
func (p *pace) end(now time.Time) { p.ended = now }
