//go:build linux

package load

import (
	"time"

	"social-server/cmd/bench/internal/wire"
)

// changed takes a change that has arrived at a device: it is a delivery of every
// revision above what the device had.
func (f *Fleet) changed(d *Device, n wire.Note, now time.Time) {
	had := d.revision
	switch {
	case n.Revision <= had:
		if n.Revision > n.From {
			f.Faults.Repeats++
		}
		return
	case n.From == 0 && had > 0:
		f.Faults.Whole++
	case n.From > had:
		f.Faults.Gaps++
		had = n.From // what it missed stays missing
	case n.From < had:
		f.Faults.Repeats++
	}
	if d.epoch == "" {
		d.epoch = string(n.Epoch)
	}
	d.revision = n.Revision
	if n.Marked {
		d.mark = n.Mark
		f.learn(d.user, n.Revision, n.Mark)
	}
	if f.run == nil {
		return
	}
	for revision := max(had, d.user.base) + 1; revision <= n.Revision; revision++ {
		if seq := d.user.seq(revision); seq >= 0 {
			f.run.deliver(f, d, seq, now)
		} else {
			d.user.parked = append(d.user.parked, parkedNews{revision, d, now})
		}
	}
}

// seq returns the change that made a revision, or -1 if that is not known yet.
func (u *User) seq(revision uint64) int32 {
	if at := revision - u.base - 1; at < uint64(len(u.seqs)) {
		return u.seqs[at]
	}
	return -1
}

// learn notes which change made a revision, and counts the deliveries that
// waited for that.
func (f *Fleet) learn(u *User, revision uint64, m wire.Mark) {
	if f.run == nil || m.Run != f.run.number || revision <= u.base || u.seq(revision) >= 0 {
		return
	}
	at := int(revision - u.base - 1) //nolint:gosec // bounded by the run's length
	for len(u.seqs) <= at {
		u.seqs = append(u.seqs, -1)
	}
	u.seqs[at] = m.Seq
	kept := u.parked[:0]
	for _, p := range u.parked {
		if p.revision == revision {
			f.run.deliver(f, p.device, m.Seq, p.at)
		} else {
			kept = append(kept, p)
		}
	}
	u.parked = kept
}

// deliver counts the arrival of a change at a device.
func (r *run) deliver(f *Fleet, d *Device, seq int32, now time.Time) {
	if int(seq) >= r.next {
		f.Faults.Unwanted++ // it was not even sent
		return
	}
	r.got[seq]++
	if int(r.got[seq]) > len(d.user.Devices) {
		f.Faults.Unwanted++
		return
	}
	r.open--
	r.arrived++
	if int(seq) < r.warm {
		return
	}
	took := now.Sub(r.due(int(seq)))
	if r.GiveUp > 0 && took > r.GiveUp && !d.Slow {
		r.GaveUp = true
	}
	if int(r.got[seq]) == len(d.user.Devices) {
		_ = r.Last.RecordValue(clamp(took)) // within its range
	}
	if d.Slow {
		return
	}
	_ = r.Latency.RecordValue(clamp(took)) // within its range
	if took <= r.Within {
		r.InTime++
	}
}

// clamp brings a latency into a histogram's range.
func clamp(d time.Duration) int64 {
	return int64(min(max(d, time.Microsecond), 2*time.Minute))
}

// refused takes back what was expected of a patch.
func (f *Fleet) refused(d *Device, m wire.Mark) {
	f.Faults.Refused++
	if r := f.run; r != nil && m.Run == r.number {
		r.open -= len(d.user.Devices)
	}
}

// compare looks at where every user's devices have ended.
func (f *Fleet) compare(r *run) {
	for _, u := range f.Users {
		for _, d := range u.Devices {
			if d.state == ready && (d.revision != u.Devices[0].revision || d.mark != u.Devices[0].mark) {
				f.Faults.Unequal++
				break
			}
		}
	}
	f.Faults.Missing = max(r.open, 0)
	r.Faults = f.Faults
}
