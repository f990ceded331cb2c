package settings

import "time"

// A commit costs the same for one patch and for ten, most of it in the kernel:
// one at a time, 3,000 patches a second fill a processor, and 5,000 do not if
// they come ten to a commit. So the faster patches come, the farther apart
// commits begin, up to pacing. Below calm nobody waits for company.
const (
	calm      = 2500.0 // patches a second
	crowded   = 4500.0 // patches a second, at which commits begin pacing apart
	pacing    = 2 * time.Millisecond
	paceOver  = 250 * time.Millisecond // the rate is an average of about so long
	longSince = time.Second            // after which there is no rate
)

// pace knows how fast patches come. It is the commit loop's own.
type pace struct {
	began time.Time // the last group
	rate  float64   // patches a second, averaged
}

// wait is how long the next group should wait for more.
func (p *pace) wait(now time.Time) time.Duration {
	if p.rate <= calm {
		return 0
	}
	share := min(1, (p.rate-calm)/(crowded-calm))
	return max(0, time.Duration(share*float64(pacing))-now.Sub(p.began))
}

// begin notes a group of n patches.
func (p *pace) begin(now time.Time, n int) {
	over := now.Sub(p.began)
	p.began = now
	if over <= 0 || over > longSince {
		p.rate = 0
		return
	}
	weight := float64(over) / float64(over+paceOver)
	p.rate += weight * (float64(n)/over.Seconds() - p.rate)
}
