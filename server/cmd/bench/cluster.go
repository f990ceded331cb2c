//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"social-server/cmd/bench/internal/host"
	"social-server/cmd/bench/internal/load"
	"social-server/cmd/bench/internal/report"
	"social-server/cmd/bench/internal/seed"
	"social-server/internal/backing"
)

// clusterUsers is how many users there are: they register over HTTP, with the
// hash that takes its time, since the database is not ours to fill.
const clusterUsers = 20

// onPostgres measures one node whose data is in PostgreSQL.
func (b *bench) onPostgres(ctx context.Context) error {
	return b.onCluster(ctx, "postgres", "server, PostgreSQL", 1)
}

// twoNodes measures two nodes over PostgreSQL and Redis.
func (b *bench) twoNodes(ctx context.Context) error {
	return b.onCluster(ctx, "two-nodes", "two servers", 2)
}

// onCluster starts what several nodes stand on and the nodes, and measures the
// rates. What this machine or the server does not have is noted, not a failure.
func (b *bench) onCluster(ctx context.Context, scenario, name string, nodes int) (err error) {
	dir, err := os.MkdirTemp("", "bench-cluster-") // PostgreSQL's own account must get there
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	env, stop, err := b.stands(ctx, dir, nodes > 1)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		b.book.Note("%s: not present on this machine.", name)
		return nil
	}
	var running []*host.Process
	defer func() {
		for _, p := range running {
			err = errors.Join(err, p.Stop())
		}
	}()
	for range nodes {
		s := subject{name: name, binary: b.server, env: env}
		home, err := os.MkdirTemp(b.disk, "node-")
		if err != nil {
			return err
		}
		p, err := b.cores.Start(ctx, b.program(s, home))
		if err != nil {
			b.book.Note("%s: this server does not take them.", name)
			return nil
		}
		running = append(running, p)
	}
	return b.clusterRates(ctx, scenario, name, running)
}

// stands starts PostgreSQL and, if it is wanted, Redis, on the server's core.
// stop ends what was started, whatever the error.
func (b *bench) stands(ctx context.Context, dir string, redis bool) (env []string, stop func() error, err error) {
	var stops []func() error
	stop = func() (err error) {
		for _, one := range stops {
			err = errors.Join(err, one())
		}
		return err
	}
	err = b.cores.AtServer(func() error {
		p, err := backing.StartPostgres(ctx, dir)
		if err != nil {
			return err
		}
		stops = append(stops, p.Stop)
		if err := p.CreateDatabase(ctx, "bench", ""); err != nil {
			return err
		}
		env = append(env, "DATABASE_URL="+p.URL("bench"))
		if !redis {
			return nil
		}
		r, err := backing.StartRedis(ctx, dir)
		if err != nil {
			return err
		}
		stops = append(stops, r.Stop)
		env = append(env, "REDIS_URL="+r.URL())
		return nil
	})
	return env, stop, err
}

// clusterRates connects the devices to the nodes in turn and measures each rate.
func (b *bench) clusterRates(ctx context.Context, scenario, subject string, nodes []*host.Process) (err error) {
	var users []*load.User
	for n := range clusterUsers {
		u, err := seed.Register(ctx, nodes[0].Addr.String(), fmt.Sprintf("%s-%d", scenario, n), devicesEach)
		if err != nil {
			return err
		}
		one := &load.User{Name: u.Name}
		for i, d := range u.Devices {
			one.Devices = append(one.Devices, &load.Device{Name: d.Name, Token: d.Token, Node: i % len(nodes)})
		}
		users = append(users, one)
	}
	var targets []load.Target
	for _, p := range nodes {
		targets = append(targets, load.Target{Addr: p.Addr})
	}
	f, err := load.New(users, targets...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Connect(ctx, atOnce, connectWithin); err != nil {
		return err
	}
	if err := f.Idle(ctx, settleFor); err != nil {
		return err
	}
	for _, rate := range b.size.rates[:2] {
		if err := b.clusterRate(ctx, scenario, subject, rate, nodes[0], f); err != nil {
			return fmt.Errorf("%s at %d changes/s: %w", subject, rate, err)
		}
	}
	return nil
}

func (b *bench) clusterRate(ctx context.Context, scenario, subject string, rate int, p *host.Process, f *load.Fleet) error {
	r, used, err := b.gauged(ctx, p, f, load.Load{Rate: rate, Warm: b.warm, For: b.window, Size: small, Settle: 20 * time.Second})
	if err != nil {
		return err
	}
	busy := tool(used, r.Took)
	add := func(figure string, value float64) {
		b.book.Add(report.Name{Scenario: scenario, Subject: subject, Figure: fmt.Sprintf(figure, rate)}, value, busy)
	}
	add("p50 at %d changes/s, ms", ms(r.Latency.ValueAtQuantile(50)))
	add("p99 at %d changes/s, ms", ms(r.Latency.ValueAtQuantile(99)))
	if used.Core > 0 {
		add("CPU per delivery at %d changes/s, whole core, µs", micros(used.Core)/float64(r.Received))
	}
	return nil
}
