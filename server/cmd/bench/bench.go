//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"social-server/cmd/bench/internal/host"
	"social-server/cmd/bench/internal/load"
	"social-server/cmd/bench/internal/report"
	"social-server/cmd/bench/internal/seed"
	"social-server/cmd/bench/internal/wire"
)

// bench is one run of the benchmark.
type bench struct {
	options
	size
	cores     host.Cores
	self      string // this program, which is the floors too
	disk, ram string // folders; ram is "" where there is none
	secret    string
	users     map[string][]seed.User // of the template, by group
	template  string                 // the folder whose database every server starts with
	book      *report.Book
	round     int
	held      map[string]int // the highest rate a subject has held, where the next search starts
}

// Groups of users in the template.
const (
	groupIdle  = "idle"  // the first of them are the busy ones
	groupCrowd = "crowd" // one user, very many devices
	groupSlow  = "slow"  // few users, of whom some devices do not read
)

// Of the slow group.
const (
	slowUsers   = 20
	slowDevices = 10
)

// subject is what is measured.
type subject struct {
	name    string
	binary  string   // "" is a floor
	floor   []string // arguments of a floor
	ram     bool     // its data is in memory
	env     []string
	storage string // the folder of its data, if another than the template's copy
}

func (b *bench) product() subject { return subject{name: "server", binary: b.server} }

func fanOut() subject  { return subject{name: "floor (a)"} }
func durable() subject { return subject{name: "floor (b)", floor: []string{"-durable"}} }

// inMemory is the subject with its data on a RAM disk.
func (s subject) inMemory() subject {
	s.ram, s.name = true, s.name+", RAM disk"
	return s
}

// prepare makes the template: accounts and log-ins of every device, and one
// change of every user, made through a server.
func (b *bench) prepare(ctx context.Context) error {
	fmt.Println("== preparing a database with a log-in of every device")
	b.template = filepath.Join(b.place(true), "template")
	if err := os.MkdirAll(b.template, 0o700); err != nil {
		return err
	}
	schema := filepath.Join(b.disk, "schema.json")
	if err := os.WriteFile(schema, []byte(wire.Schema), 0o600); err != nil {
		return err
	}
	users, err := seed.Fill(ctx, b.template, b.secret,
		seed.Group{Name: groupIdle, Users: max(b.idle, b.busy), Devices: devicesEach},
		seed.Group{Name: groupCrowd, Users: 1, Devices: b.crowd},
		seed.Group{Name: groupSlow, Users: slowUsers, Devices: slowDevices})
	if err != nil {
		return err
	}
	b.users = users
	first := b.fleetUsers(groupIdle, 0)
	for _, u := range first {
		u.Devices = u.Devices[:1]
	}
	s := b.product()
	s.storage = b.template
	return b.connected(ctx, s, first, func(_ *host.Process, f *load.Fleet) error {
		_, err := b.apply(ctx, f, load.Load{Rate: 1000, For: time.Duration(len(first)) * time.Millisecond, Size: small})
		return err
	})
}

// place is the folder of the run on the disk, or in memory where there is that.
func (b *bench) place(ram bool) string {
	if ram && b.ram != "" {
		return b.ram
	}
	return b.disk
}

// fleetUsers makes devices of a group's first users that have not connected; 0 is all.
func (b *bench) fleetUsers(group string, first int) []*load.User {
	all := b.users[group]
	if first > 0 {
		all = all[:first]
	}
	users := make([]*load.User, len(all))
	for i, u := range all {
		users[i] = &load.User{Name: u.Name}
		for _, d := range u.Devices {
			users[i].Devices = append(users[i].Devices, &load.Device{Name: d.Name, Token: d.Token})
		}
	}
	return users
}

// program says how to start a subject with its data in dir.
func (b *bench) program(s subject, dir string) host.Program {
	if s.binary == "" {
		return host.Program{Argv: append([]string{b.self, "floor", "-dir", dir}, s.floor...), Dir: dir}
	}
	env := []string{
		"LISTEN_ADDR=127.0.0.1:0", "METRICS_ADDR=127.0.0.1:0", "DATA_DIR=" + dir, "JWT_SECRET=" + b.secret,
		"SETTINGS_SCHEMA=" + filepath.Join(b.disk, "schema.json"),
		// Limits that protect a server from what is done to it here.
		"MAX_FRAME_BYTES=131072", "MAX_VALUE_BYTES=65536", "FRAMES_PER_SECOND=10000", "FRAME_BURST=100000", "FRAME_EXCESS=1000000",
		"MAX_DEVICES_PER_USER=10000", "LOGINS_PER_MINUTE=100000",
		"MAX_WAITING_SOCKETS=100000", "MAX_WAITING_PER_ADDRESS=100000", "MAX_CONNECTIONS_PER_ADDRESS=100000",
	}
	return host.Program{Argv: []string{s.binary}, Env: append(env, s.env...), Dir: dir}
}

// with starts a subject and a fleet of its users, and ends both after work.
func (b *bench) with(ctx context.Context, s subject, users []*load.User, work func(*host.Process, *load.Fleet) error) (err error) {
	dir, err := b.storageOf(s)
	if err != nil {
		return err
	}
	if s.storage == "" {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	p, err := b.cores.Start(ctx, b.program(s, dir))
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	f, err := load.New(users, b.target(s, p))
	if err != nil {
		return errors.Join(err, p.Kill())
	}
	defer func() { err = errors.Join(err, f.Close(), p.Stop()) }()
	if err := work(p, f); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// connected is with, once every device is ready.
func (b *bench) connected(ctx context.Context, s subject, users []*load.User, work func(*host.Process, *load.Fleet) error) error {
	return b.with(ctx, s, users, func(p *host.Process, f *load.Fleet) error {
		if _, err := f.Connect(ctx, atOnce, connectWithin); err != nil {
			return err
		}
		if err := f.Idle(ctx, settleFor); err != nil {
			return err
		}
		return work(p, f)
	})
}

const (
	atOnce        = 128 // connections that are being made at a time
	connectWithin = time.Minute
	settleFor     = 200 * time.Millisecond // presence of the last to connect goes round
)

func (b *bench) target(s subject, p *host.Process) load.Target {
	return load.Target{Addr: p.Addr, Bare: s.binary == ""}
}

// storageOf makes a subject's folder, with a copy of the template for a server.
func (b *bench) storageOf(s subject) (string, error) {
	if s.storage != "" {
		return s.storage, nil
	}
	dir, err := os.MkdirTemp(b.place(s.ram), "data-")
	if err != nil || s.binary == "" {
		return dir, err
	}
	return dir, copyFile(filepath.Join(b.template, seed.Database), filepath.Join(dir, seed.Database))
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from) // #nosec G304 -- a folder of the benchmark's own
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600) // #nosec G304 -- another
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// apply runs a load in which nothing may go wrong.
func (b *bench) apply(ctx context.Context, f *load.Fleet, l load.Load) (*load.Result, error) {
	r, err := f.Run(ctx, l)
	if err != nil {
		return r, err
	}
	return r, r.Faults.Err()
}

// gauged runs a load of which patches may be refused, for that is how a server
// says that it is too much, and nothing else may go wrong. It returns what the
// load took of the machine, too.
func (b *bench) gauged(ctx context.Context, p *host.Process, f *load.Fleet, l load.Load) (r *load.Result, used host.Usage, err error) {
	var before, after host.Usage
	var errBefore, errAfter error
	began := l.Began
	l.Began = func() {
		if began != nil {
			began()
		}
		before, errBefore = p.Usage()
	}
	l.Ended = func() { after, errAfter = p.Usage() }
	if r, err = f.Run(ctx, l); err != nil {
		return r, used, err
	}
	wrong := r.Faults
	wrong.Refused = 0
	return r, after.Sub(before), errors.Join(wrong.Err(), errBefore, errAfter)
}

// tool is how busy the load's core was, 0 to 1.
func tool(used host.Usage, took time.Duration) float64 { return used.Load.Seconds() / took.Seconds() }

// profile keeps a CPU profile of the next while, if profiles are wanted. What
// it returns waits for it.
func (b *bench) profile(p *host.Process, name string, while time.Duration) (wait func() error) {
	if b.profiles == "" {
		return func() error { return nil }
	}
	ended := make(chan error, 1)
	go func() {
		ended <- fetch(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", p.Inside, max(1, int(while.Seconds()))),
			filepath.Join(b.profiles, name+".pprof"))
	}()
	return func() error { return <-ended }
}

func fetch(url, to string) (err error) {
	answer, err := http.Get(url) // #nosec G107 -- the process under measurement
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	file, err := os.Create(to) // #nosec G304 -- the folder of the command line
	if err != nil {
		return err
	}
	_, err = io.Copy(file, answer.Body)
	return errors.Join(err, file.Close())
}
