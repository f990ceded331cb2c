//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"social-server/cmd/bench/internal/host"
	"social-server/cmd/bench/internal/load"
	"social-server/cmd/bench/internal/report"
)

// crowded measures one user with very many devices.
func (b *bench) crowded(ctx context.Context) error {
	for _, s := range []subject{fanOut(), durable(), b.product()} {
		err := b.connected(ctx, s, b.fleetUsers(groupCrowd, 0), func(p *host.Process, f *load.Fleet) error {
			r, used, err := b.gauged(ctx, p, f, load.Load{Rate: 20, Warm: b.warm, For: 2 * b.window, Size: small})
			if err != nil {
				return err
			}
			name := func(figure string) report.Name {
				return report.Name{Scenario: "crowd", Subject: s.name, Figure: figure}
			}
			busy := tool(used, r.Took)
			b.book.Add(name("last device has it, p50, ms"), ms(r.Last.ValueAtQuantile(50)), busy)
			b.book.Add(name("last device has it, p99, ms"), ms(r.Last.ValueAtQuantile(99)), busy)
			b.book.Add(name("CPU per delivery, own, µs"), micros(used.Server)/float64(r.Received), busy)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// slowReaders measures what devices that do not read do to the others.
func (b *bench) slowReaders(ctx context.Context) error {
	s := b.product()
	s.env = []string{"WRITE_TIMEOUT=1m"}
	users := b.fleetUsers(groupSlow, 0)
	var slow []*load.Device
	for i := 0; i < len(users); i += len(users) / (slowUsers * slowDevices * 2 / 100) {
		d := users[i].Devices[slowDevices-1]
		d.Narrow, d.Slow = true, true
		slow = append(slow, d)
	}
	return b.connected(ctx, s, users, func(p *host.Process, f *load.Fleet) error {
		l := load.Load{Rate: 400, Warm: b.warm, For: b.stall, Size: large, Settle: 30 * time.Second}
		calm := l
		calm.For = l.For / 3
		before, err := b.stalled(ctx, p, f, calm, nil)
		if err != nil {
			return fmt.Errorf("without slow devices: %w", err)
		}
		during, err := b.stalled(ctx, p, f, l, slow)
		if err != nil {
			return fmt.Errorf("with slow devices: %w", err)
		}
		name := func(figure string) report.Name { return report.Name{Scenario: "slow", Subject: s.name, Figure: figure} }
		add := func(figure string, value float64) { b.book.Add(name(figure), value, max(before.busy, during.busy)) }
		add("the others: in time, %", 100*float64(during.InTime)/float64(during.Expected))
		add("the others: p99, ms", ms(during.Latency.ValueAtQuantile(99)))
		add("without slow devices: p99, ms", ms(before.Latency.ValueAtQuantile(99)))
		add("the others: p99 against without", float64(during.Latency.ValueAtQuantile(99))/float64(before.Latency.ValueAtQuantile(99)))
		add("held for each slow device, KiB", (during.heap-before.heap)/1024/float64(len(slow)))
		add("slow devices cut off", float64(during.Faults.Closed))
		add("users whose devices do not end equal", float64(during.Faults.Unequal))
		return nil
	})
}

// stall is a load during which some devices did not read.
type stall struct {
	*load.Result
	heap float64 // of the server, when the others had everything
	busy float64
}

// afterwards is how long after a load the others have everything, and nothing
// is under way: what the server holds then, it holds for the slow devices.
const afterwards = time.Second

// stalled runs a load while the slow devices do not read, and lets them catch up.
func (b *bench) stalled(ctx context.Context, p *host.Process, f *load.Fleet, l load.Load, slow []*load.Device) (s stall, err error) {
	l.Moments = []load.Moment{
		{After: 0, Do: func() error { return f.Pause(true, slow...) }},
		{After: l.For + afterwards, Do: func() (err error) {
			if s.heap, err = liveHeap(ctx, p); err != nil {
				return err
			}
			return f.Pause(false, slow...)
		}},
	}
	var used host.Usage
	s.Result, used, err = b.gauged(ctx, p, f, l)
	if err != nil {
		return s, err
	}
	s.busy = tool(used, s.Took)
	return s, nil
}

// liveHeap is what a process's heap and stacks hold after a collection, in bytes.
func liveHeap(ctx context.Context, p *host.Process) (float64, error) {
	if err := p.Collect(ctx); err != nil { // pools are empty after the second
		return 0, err
	}
	answer, err := http.Get("http://" + p.Inside + "/debug/pprof/heap?gc=1&debug=1") // #nosec G107 -- the process under measurement
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, figure := range []string{"# HeapAlloc = ", "# Stack = "} {
		_, rest, found := bytes.Cut(text, []byte(figure))
		if !found {
			return 0, fmt.Errorf("the profile has no %q", figure)
		}
		digits := bytes.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		n, err := strconv.ParseFloat(string(rest[:digits]), 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// streams compares SSE and WebSocket under the same load.
func (b *bench) streams(ctx context.Context) error {
	const rate = 2000
	for _, stream := range []bool{false, true} {
		users, of := b.fleetUsers(groupIdle, b.busy), "WebSocket"
		if stream {
			of = "SSE"
			for _, u := range users {
				for _, d := range u.Devices[1:] {
					d.Stream = true
				}
			}
		}
		err := b.connected(ctx, b.product(), users, func(p *host.Process, f *load.Fleet) error {
			r, used, err := b.gauged(ctx, p, f, load.Load{Rate: rate, Warm: b.warm, For: b.window, Size: small, Senders: 1})
			if err != nil {
				return err
			}
			name := func(figure string) report.Name { return report.Name{Scenario: "sse", Subject: of, Figure: figure} }
			busy := tool(used, r.Took)
			b.book.Add(name("p50 at 2000 changes/s, ms"), ms(r.Latency.ValueAtQuantile(50)), busy)
			b.book.Add(name("p99 at 2000 changes/s, ms"), ms(r.Latency.ValueAtQuantile(99)), busy)
			b.book.Add(name("CPU per delivery, own, µs"), micros(used.Server)/float64(r.Received), busy)
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", of, err)
		}
	}
	return nil
}
