//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"social-server/cmd/bench/internal/host"
	"social-server/cmd/bench/internal/load"
	"social-server/cmd/bench/internal/report"
)

// fixedRates measures latency and CPU of each rate, of the server and the floors.
func (b *bench) fixedRates(ctx context.Context) error {
	for _, s := range []subject{fanOut(), durable(), b.product()} {
		if err := b.rates(ctx, "rates", s); err != nil {
			return err
		}
	}
	return nil
}

// slowCommits is fixedRates with 2 ms added to each commit.
func (b *bench) slowCommits(ctx context.Context) error {
	if b.slow == "" {
		b.book.Note("No server with slow commits was given (-slow-server): those rows are missing.")
		return nil
	}
	slow := durable()
	slow.floor = append(slow.floor, "-delay", "2ms")
	for _, s := range []subject{slow, {name: "server", binary: b.slow}} {
		if err := b.rates(ctx, "slow-commit", s); err != nil {
			return err
		}
	}
	return nil
}

// rates measures one subject at each rate.
func (b *bench) rates(ctx context.Context, scenario string, s subject) error {
	return b.connected(ctx, s, b.fleetUsers(groupIdle, b.busy), func(p *host.Process, f *load.Fleet) error {
		for _, rate := range b.size.rates {
			if err := b.rate(ctx, scenario, s.name, rate, p, f); err != nil {
				return fmt.Errorf("at %d changes/s: %w", rate, err)
			}
		}
		return nil
	})
}

func (b *bench) rate(ctx context.Context, scenario, subject string, rate int, p *host.Process, f *load.Fleet) error {
	wait := func() error { return nil }
	l := load.Load{Rate: rate, Warm: b.warm, For: b.window, Size: small, Settle: 20 * time.Second}
	l.Began = func() { wait = b.profile(p, fmt.Sprintf("%s-%s-%d", scenario, subject, rate), b.window) }
	r, used, err := b.gauged(ctx, p, f, l)
	if err != nil {
		return err
	}
	busy := tool(used, r.Took)
	add := func(figure string, value float64) {
		b.book.Add(report.Name{Scenario: scenario, Subject: subject, Figure: fmt.Sprintf(figure, rate)}, value, busy)
	}
	add("p50 at %d changes/s, ms", ms(r.Latency.ValueAtQuantile(50)))
	add("p99 at %d changes/s, ms", ms(r.Latency.ValueAtQuantile(99)))
	add("CPU per delivery at %d changes/s, own, µs", micros(used.Server)/float64(r.Received))
	if used.Core > 0 {
		add("CPU per delivery at %d changes/s, whole core, µs", micros(used.Core)/float64(r.Received))
	}
	add("load's core at %d changes/s, %% busy", 100*busy)
	if r.Faults.Refused > 0 {
		add("patches refused at %d changes/s", float64(r.Faults.Refused))
	}
	return wait()
}

func ms(nanoseconds int64) float64 { return float64(nanoseconds) / 1e6 }

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// inTime is what 99 of 100 deliveries must keep for a rate to be held.
const inTime = 100 * time.Millisecond

// saturation looks for the highest rate each subject holds.
func (b *bench) saturation(ctx context.Context) error {
	subjects := []subject{fanOut(), durable(), b.product()}
	if b.ram != "" {
		subjects = append(subjects, durable().inMemory(), b.product().inMemory())
	}
	for _, s := range subjects {
		err := b.connected(ctx, s, b.fleetUsers(groupIdle, b.busy), func(p *host.Process, f *load.Fleet) error {
			return b.climb(ctx, s.name, p, f)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// climb finds the highest rate held: up until one is not, then the step between
// is halved. It starts below what the last round found.
func (b *bench) climb(ctx context.Context, subject string, p *host.Process, f *load.Fleet) error {
	const factor = 1.5
	low, high, busy := 0.0, 0.0, 0.0
	rate := 2000.0
	if held := b.held[subject]; held > 0 {
		rate = float64(held) * 0.8
	}
	try := func(rate float64) error {
		held, tool, err := b.holds(ctx, int(rate), p, f)
		if held {
			low, busy = rate, tool
		} else {
			high = rate
		}
		return err
	}
	for high == 0 && rate < 500_000 {
		if err := try(rate); err != nil {
			return err
		}
		rate *= factor
	}
	for low == 0 && high > 50 {
		if err := try(high / factor); err != nil {
			return err
		}
	}
	for range b.halves {
		if err := try((low + high) / 2); err != nil {
			return err
		}
	}
	b.held[subject] = int(low)
	name := func(figure string) report.Name {
		return report.Name{Scenario: "saturation", Subject: subject, Figure: figure}
	}
	b.book.Add(name("highest rate held, changes/s"), low, busy)
	b.book.Add(name("the load's core meanwhile, % busy"), 100*busy, 0)
	return nil
}

// holds tries a rate, and waits until all that it caused has arrived.
func (b *bench) holds(ctx context.Context, rate int, p *host.Process, f *load.Fleet) (held bool, busy float64, err error) {
	r, used, err := b.gauged(ctx, p, f, load.Load{
		Rate: rate, Warm: b.step / 2, For: b.step, Size: small, GiveUp: 5 * inTime, Settle: 30 * time.Second,
	})
	if err != nil {
		return false, 0, fmt.Errorf("at %d changes/s: %w", rate, err)
	}
	if r.Took > 0 { // else it gave up before
		busy = tool(used, r.Took)
	}
	held = !r.GaveUp && r.Faults.Refused == 0 && r.Latency.ValueAtQuantile(99) <= int64(inTime)
	return held, busy, nil
}
