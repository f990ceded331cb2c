//go:build linux

package load

import (
	"context"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"social-server/cmd/bench/internal/wire"
)

// Load says what a fleet sends. The n-th change is due n/Rate seconds after the
// start, whether or not the server has taken those before it, and its latency
// counts from then.
type Load struct {
	Rate    int           // changes per second, spread over the users in turn
	Warm    time.Duration // at first, and not counted
	For     time.Duration
	Size    int           // bytes of a value
	Senders int           // so many of each user's devices send; 0 is all
	GiveUp  time.Duration // a delivery that late ends the sending; 0 is never
	Within  time.Duration // what counts as in time; 0 is a second
	Settle  time.Duration // how long the last deliveries may take; 0 is five seconds

	Began   func()   // called when what counts begins; may be nil
	Ended   func()   // called when it has been sent; may be nil
	Moments []Moment // in order
}

// Moment is something to be done while a load is under way, or before the last
// deliveries are waited for to the end.
type Moment struct {
	After time.Duration // from when what counts begins
	Do    func() error
}

// Result is what came of a load.
type Result struct {
	Sent      int                     // changes that count
	Expected  int                     // their deliveries, slow devices apart
	InTime    int                     // of those, that came Within
	Took      time.Duration           // of what counts
	Received  int                     // deliveries while it took
	Latency   *hdrhistogram.Histogram // of each delivery, slow devices apart; nanoseconds
	Last      *hdrhistogram.Histogram // until the last device of the user had a change
	GaveUp    bool                    // it was not sent to its end
	Behindest time.Duration           // how late the tool itself sent a change, at worst
	Faults    Faults
}

// run is a load under way.
type run struct {
	Load
	Result
	number  uint32
	start   time.Time
	total   int      // changes to send, the first ones included
	warm    int      // so many of them do not count
	next    int      // the next to send
	got     []uint16 // deliveries of each change
	open    int      // deliveries still to come
	arrived int
}

// newHistogram returns a histogram of 10 µs to two minutes, to 1 %.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(int64(time.Microsecond), int64(2*time.Minute), 2)
}

// Run sends a load and waits until everything has arrived, or no more comes.
func (f *Fleet) Run(ctx context.Context, l Load) (*Result, error) {
	if l.Within == 0 {
		l.Within = time.Second
	}
	if l.Settle == 0 {
		l.Settle = 5 * time.Second
	}
	r := f.begin(l)
	err := f.sendAll(ctx, r)
	if err == nil {
		err = f.settle(ctx, r)
	}
	f.run = nil
	f.compare(r)
	return &r.Result, err
}

// begin takes stock of where the users are.
func (f *Fleet) begin(l Load) *run {
	f.runs++
	f.Faults = Faults{}
	r := &run{Load: l, number: f.runs, total: count(l.Rate, l.Warm+l.For), warm: count(l.Rate, l.Warm), start: time.Now()}
	r.got = make([]uint16, r.total)
	r.Latency, r.Last = newHistogram(), newHistogram()
	for _, u := range f.Users {
		u.sent, u.seqs, u.parked, u.base = 0, u.seqs[:0], nil, 0
		for _, d := range u.Devices {
			u.base = max(u.base, d.revision)
		}
	}
	f.run = r
	return r
}

func count(rate int, d time.Duration) int { return int(float64(rate) * d.Seconds()) }

// due is when a change should be sent.
func (r *run) due(seq int) time.Time {
	return r.start.Add(time.Duration(float64(seq) / float64(r.Rate) * float64(time.Second)))
}

// burst is how many changes may leave without a look at what arrives.
const burst = 32

// sendAll sends every change when it is due.
func (f *Fleet) sendAll(ctx context.Context, r *run) error {
	var began time.Time
	before := 0
	for r.next < r.total && !r.GaveUp {
		now := time.Now()
		if err := r.moments(now); err != nil {
			return err
		}
		for range burst {
			if r.next == r.total || r.due(r.next).After(now) {
				break
			}
			if r.next == r.warm {
				call(r.Began)
				began, before = time.Now(), r.arrived
			}
			r.Behindest = max(r.Behindest, now.Sub(r.due(r.next)))
			f.sendChange(r)
		}
		wait := time.Duration(0)
		if r.next < r.total {
			wait = time.Until(r.due(r.next))
		}
		if err := f.turn(ctx, wait); err != nil {
			return err
		}
	}
	call(r.Ended)
	if !began.IsZero() {
		r.Took, r.Received = time.Since(began), r.arrived-before
	}
	return nil
}

// moments does what is to be done by now.
func (r *run) moments(now time.Time) error {
	for ; len(r.Moments) > 0 && now.Sub(r.start) >= r.Warm+r.Moments[0].After; r.Moments = r.Moments[1:] {
		if err := r.Moments[0].Do(); err != nil {
			return err
		}
	}
	return nil
}

func call(f func()) {
	if f != nil {
		f()
	}
}

// sendChange sends the next change: users take turns, and so do their devices.
func (f *Fleet) sendChange(r *run) {
	u := f.Users[r.next%len(f.Users)]
	senders := len(u.Devices)
	if r.Senders > 0 {
		senders = min(senders, r.Senders)
	}
	d := u.Devices[u.sent%senders]
	for range senders { // one that does not read does not write either
		if d.state == ready && !d.paused && !d.Stream {
			break
		}
		u.sent++
		d = u.Devices[u.sent%senders]
	}
	seq := int32(r.next) //nolint:gosec // bounded by the run's length
	r.next++
	u.sent++
	r.open += len(u.Devices)
	if r.next > r.warm {
		r.Sent++
		for _, d := range u.Devices {
			if !d.Slow {
				r.Expected++
			}
		}
	}
	if d.state != ready {
		return // it stays missing
	}
	f.text = wire.AppendPatch(f.text[:0], wire.Mark{Run: r.number, Seq: seq}, r.Size)
	f.frame = wire.AppendText(f.frame[:0], f.text)
	d.send(f, f.frame)
}

// settle waits for the deliveries that are still to come.
func (f *Fleet) settle(ctx context.Context, r *run) error {
	end := time.Now().Add(r.Settle)
	for r.open > 0 || len(r.Moments) > 0 {
		left := time.Until(end)
		if left <= 0 {
			return nil
		}
		if err := r.moments(time.Now()); err != nil {
			return err
		}
		if err := f.turn(ctx, min(left, 50*time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}
