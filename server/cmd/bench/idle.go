//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"social-server/cmd/bench/internal/floor"
	"social-server/cmd/bench/internal/host"
	"social-server/cmd/bench/internal/load"
	"social-server/cmd/bench/internal/report"
	"social-server/cmd/bench/internal/seed"
)

// diskFloor measures what the disk allows: floor (c).
func (b *bench) diskFloor(context.Context) error {
	for _, group := range []int{1, 32} {
		flushes, writes, err := floor.Flushes(b.disk, 4096, group, b.window/2)
		if err != nil {
			return err
		}
		subject := fmt.Sprintf("floor (c), %d a flush", group)
		b.book.Add(report.Name{Scenario: "disk", Subject: subject, Figure: "flushes/s"}, flushes, 0)
		b.book.Add(report.Name{Scenario: "disk", Subject: subject, Figure: "writes/s"}, writes, 0)
	}
	return nil
}

// restAfter is how long after the last connect the server has given back what it
// took for the connecting.
const restAfter = 9 * time.Second

// idleSessions measures what a session costs that does nothing.
func (b *bench) idleSessions(ctx context.Context) error {
	for _, s := range []subject{fanOut(), durable(), b.product()} {
		users := b.fleetUsers(groupIdle, b.idle)
		err := b.with(ctx, s, users, func(p *host.Process, f *load.Fleet) error { return b.idleOf(ctx, s, len(users)*devicesEach, p, f) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) idleOf(ctx context.Context, s subject, sessions int, p *host.Process, f *load.Fleet) error {
	name := func(figure string) report.Name { return report.Name{Scenario: "idle", Subject: s.name, Figure: figure} }
	empty, err := held(ctx, p)
	if err != nil {
		return err
	}
	before, err := p.Usage()
	if err != nil {
		return err
	}
	wait := b.profile(p, "connect-"+s.name, 2*time.Second)
	took, err := f.Connect(ctx, atOnce, connectWithin)
	if err != nil {
		return err
	}
	if err := f.Idle(ctx, settleFor); err != nil {
		return err
	}
	if err := wait(); err != nil {
		return err
	}
	after, err := p.Usage()
	if err != nil {
		return err
	}
	used := after.Sub(before)
	busy := tool(used, took)
	b.book.Add(name("CPU per connect, own, µs"), micros(used.Server)/float64(sessions), busy)
	b.book.Add(name("sessions ready, each second"), float64(sessions)/took.Seconds(), busy)
	switch {
	case s.binary == "":
	case b.round == 0: // it takes as long as all the rest
		err = b.silent(ctx, p, f, name)
	default:
		err = f.Idle(ctx, restAfter)
	}
	if err != nil {
		return err
	}
	full, err := held(ctx, p)
	if err != nil {
		return err
	}
	b.book.Add(name("bytes per session"), float64(full-empty)/float64(sessions), 0)
	return f.Faults.Err()
}

// silent measures the CPU that sessions take that only answer pings: after each
// has told what it has shown, which is news to the others once.
func (b *bench) silent(ctx context.Context, p *host.Process, f *load.Fleet, name func(string) report.Name) error {
	f.Show()
	if err := f.Idle(ctx, restAfter); err != nil {
		return err
	}
	if err := p.Collect(ctx); err != nil { // what the connecting left
		return err
	}
	before, err := p.Usage()
	if err != nil {
		return err
	}
	wait := b.profile(p, "pings", b.silence)
	if err := f.Idle(ctx, b.silence); err != nil {
		return err
	}
	if err := wait(); err != nil {
		return err
	}
	after, err := p.Usage()
	used := after.Sub(before)
	b.book.Add(name("CPU with pings, % of a core"), 100*used.Server.Seconds()/after.At.Sub(before.At).Seconds(), 0)
	return err
}

// held is what a process holds once its garbage is collected and given back.
func held(ctx context.Context, p *host.Process) (bytes int64, err error) {
	for range 3 { // finalisers need a second time; pools, a third
		if err := p.Collect(ctx); err != nil {
			return 0, err
		}
	}
	return p.Memory()
}

// comeBack kills the server and lets every device resume.
func (b *bench) comeBack(ctx context.Context) error {
	s := b.product()
	dir, err := b.storageOf(s)
	if err != nil {
		return err
	}
	s.storage = dir
	users := b.fleetUsers(groupIdle, b.idle)
	f, err := load.New(users)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // its descriptors are all it has
	if _, err := b.life(ctx, s, f, (*host.Process).Kill); err != nil {
		return err
	}
	f.Drop()
	f.Faults = load.Faults{}
	var whole int
	second, err := b.life(ctx, s, f, func(p *host.Process) error {
		whole = f.Faults.Whole
		return p.Stop()
	})
	if err != nil {
		return err
	}
	name := func(figure string) report.Name {
		return report.Name{Scenario: "reconnect", Subject: s.name, Figure: figure}
	}
	b.book.Add(name("start to ready, s"), second.ready.Seconds(), 0)
	b.book.Add(name(fmt.Sprintf("%d sessions back after ready, s", len(users)*devicesEach)), second.back.Seconds(), 0)
	b.book.Add(name("whole states sent to devices that had them"), float64(whole), 0)
	return nil
}

// life is one run of a server: how long until it was ready, and then until all
// devices were.
type life struct{ ready, back time.Duration }

// life starts a server, connects the fleet, sends a change to some users, and
// ends the server.
func (b *bench) life(ctx context.Context, s subject, f *load.Fleet, end func(*host.Process) error) (l life, err error) {
	p, err := b.cores.Start(ctx, b.program(s, s.storage))
	if err != nil {
		return l, err
	}
	f.Retarget(b.target(s, p))
	l.ready = p.Ready
	if l.back, err = f.Connect(ctx, atOnce, connectWithin); err == nil {
		whole := f.Faults.Whole // a run counts afresh
		_, err = b.apply(ctx, f, load.Load{Rate: 1000, For: time.Second, Size: small})
		f.Faults.Whole += whole
	}
	if err != nil {
		return l, errors.Join(err, p.Kill())
	}
	return l, end(p)
}

// largeStore measures a start with very many users stored, and the first connect.
func (b *bench) largeStore(ctx context.Context) error {
	s := b.product()
	dir, err := b.storageOf(s)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // clean sees to what is left
	if err := seed.Crowd(ctx, dir, b.stored); err != nil {
		return err
	}
	file, err := os.Stat(filepath.Join(dir, seed.Database))
	if err != nil {
		return err
	}
	s.storage = dir
	name := func(figure string) report.Name {
		return report.Name{Scenario: "stored", Subject: s.name, Figure: figure}
	}
	for range 3 {
		err := b.with(ctx, s, b.fleetUsers(groupIdle, 1), func(p *host.Process, f *load.Fleet) error {
			b.book.Add(name("start to ready, s"), p.Ready.Seconds(), 0)
			took, err := f.Connect(ctx, 1, connectWithin)
			b.book.Add(name("first connects, each, ms"), ms(int64(took))/devicesEach, 0)
			return err
		})
		if err != nil {
			return err
		}
	}
	b.book.Add(name("users stored"), float64(b.stored), 0)
	b.book.Add(name("database, MB"), float64(file.Size())/1e6, 0)
	return nil
}
