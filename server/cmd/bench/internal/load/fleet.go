//go:build linux

// Package load is a fleet of devices at the far end of the wire: thousands of
// connections on one goroutine, which owns all of them and waits at one epoll.
// It sends changes at a fixed rate whatever the server does, and keeps account
// of every delivery.
package load

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"social-server/cmd/bench/internal/wire"
)

// readRoom is how much one read takes. What is left is read at the next turn.
const readRoom = 64 << 10

// Target is a server under load.
type Target struct {
	Addr netip.AddrPort
	Bare bool // a floor: it knows no hello, and a device is ready once it is connected
}

// User is a user and the devices that joined it.
type User struct {
	Name    string
	Devices []*Device

	sent   int          // changes of the current run
	base   uint64       // revision when the run began
	seqs   []int32      // of the run's revisions above base; -1 is not known yet
	parked []parkedNews // deliveries of revisions whose change is not known yet
}

// parkedNews is a revision that a device passed over, for a newer one.
type parkedNews struct {
	revision uint64
	device   *Device
	at       time.Time
}

// Fleet is devices under one event loop. All its methods belong to one goroutine.
type Fleet struct {
	Users  []*User
	Faults Faults // since the fleet was made

	targets []Target
	devices []*Device
	epoll   int
	events  []unix.EpollEvent
	room    []byte // read into
	text    []byte // frames are put together here
	frame   []byte
	ready   int
	opening int
	err     error // the first failure of a connection
	run     *run  // what is being measured; nil in between
	runs    uint32
}

// Faults count what may not happen.
type Faults struct {
	Gaps     int // changes that continue from what the device does not have
	Repeats  int // changes that the device had
	Refused  int // patches
	Closed   int // connections that the server ended
	Missing  int // deliveries that did not come in time to be counted
	Unequal  int // users whose devices do not end equal
	Whole    int // whole states sent to devices that had some of it
	Unwanted int // deliveries more than there are devices
}

// Err returns an error that names every fault there was. Whole states are the
// business of whoever counts them.
func (f Faults) Err() error {
	f.Whole = 0
	if f == (Faults{}) {
		return nil
	}
	return fmt.Errorf("%+v", f)
}

// New makes a fleet for users; a device connects to the target of its Node. The
// caller must Close it.
func New(users []*User, targets ...Target) (*Fleet, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := &Fleet{
		Users: users, targets: targets, epoll: epoll,
		events: make([]unix.EpollEvent, 512), room: make([]byte, readRoom),
		runs: uint32(time.Now().UnixNano()), //nolint:gosec // any number will do
	}
	for _, u := range users {
		for _, d := range u.Devices {
			d.user, d.fd, d.number = u, -1, int32(len(f.devices)) //nolint:gosec // thousands
			f.devices = append(f.devices, d)
		}
	}
	return f, nil
}

// Close breaks every connection.
func (f *Fleet) Close() error {
	f.Drop()
	return unix.Close(f.epoll)
}

// Drop breaks every connection; the fleet may Connect again and resume.
func (f *Fleet) Drop() {
	for _, d := range f.devices {
		d.drop(f)
	}
}

// Retarget makes the fleet connect elsewhere from now on.
func (f *Fleet) Retarget(targets ...Target) { f.targets = targets }

// Connect connects every device that is not connected, so many at a time, and
// returns how long it took until all were ready.
func (f *Fleet) Connect(ctx context.Context, atOnce int, within time.Duration) (time.Duration, error) {
	began, next := time.Now(), 0
	for f.ready < len(f.devices) {
		for ; next < len(f.devices) && f.opening < atOnce; next++ {
			if d := f.devices[next]; d.state == away {
				if err := d.dial(f); err != nil {
					return 0, fmt.Errorf("connect: %w", err)
				}
			}
		}
		if err := f.turn(ctx, 100*time.Millisecond); err != nil {
			return 0, err
		}
		if f.err != nil {
			return 0, fmt.Errorf("connect: %w", f.err)
		}
		if time.Since(began) > within {
			return 0, fmt.Errorf("%d of %d devices were ready after %v", f.ready, len(f.devices), within)
		}
	}
	return time.Since(began), nil
}

// Idle keeps the connections for a while: pings are answered, and nothing is sent.
func (f *Fleet) Idle(ctx context.Context, while time.Duration) error {
	end := time.Now().Add(while)
	for left := while; left > 0; left = time.Until(end) {
		if err := f.turn(ctx, min(left, 100*time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}

// Show has every device tell what it has shown, as browsers do once they have.
func (f *Fleet) Show() {
	for _, d := range f.devices {
		f.pong(d)
	}
}

// Pause makes devices stop reading, so that what they are sent piles up; or go on.
func (f *Fleet) Pause(paused bool, devices ...*Device) error {
	for _, d := range devices {
		d.paused = paused
		if err := d.watch(f); err != nil {
			return err
		}
	}
	return nil
}

// turn waits until a connection has something, for so long at most, and handles it.
func (f *Fleet) turn(ctx context.Context, wait time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	n, err := epollWait(f.epoll, f.events, wait)
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, e := range f.events[:n] {
		d := f.devices[e.Fd]
		if e.Events&unix.EPOLLOUT != 0 {
			d.writable(f)
		}
		if e.Events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
			d.read(f)
		}
	}
	return nil
}

// failed notes that a connection ended without our doing.
func (f *Fleet) failed(d *Device, err error) {
	f.Faults.Closed++
	f.err = errors.Join(f.err, fmt.Errorf("%s: %w", d.Name, err))
	d.drop(f)
}

// heard handles a frame from the server.
func (f *Fleet) heard(d *Device, head []byte, now time.Time) {
	n := wire.Read(head)
	switch n.Kind {
	case wire.Change:
		f.changed(d, n, now)
	case wire.Ack:
		if n.Marked {
			f.learn(d.user, n.Revision, n.Mark)
		}
	case wire.Refused:
		f.refused(d, n.Mark)
	case wire.Ready:
		d.becomeReady(f)
	case wire.Ping:
		f.pong(d)
	}
}

// pong tells what a device has shown.
func (f *Fleet) pong(d *Device) {
	f.text = wire.AppendPong(f.text[:0], d.revision)
	f.frame = wire.AppendText(f.frame[:0], f.text)
	d.send(f, f.frame)
}
