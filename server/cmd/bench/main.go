//go:build linux

// Command bench measures the server beside the floors under it: bare programs
// that do the part of its work nobody can leave out. Server and load have a core
// each; floors and server alternate in one run, so that what the machine does
// meanwhile happens to all of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"social-server/cmd/bench/internal/floor"
	"social-server/cmd/bench/internal/host"
	"social-server/cmd/bench/internal/report"
	"social-server/cmd/bench/internal/seed"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := measure
	if len(os.Args) > 1 && os.Args[1] == "floor" {
		run = serveFloor
	}
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// serveFloor is a floor as a process of its own.
func serveFloor(ctx context.Context, args []string) error {
	var o floor.Options
	flags := flag.NewFlagSet("bench floor", flag.ContinueOnError)
	flags.BoolVar(&o.Durable, "durable", false, "store each change before it is sent")
	flags.StringVar(&o.Dir, "dir", ".", "folder of the database")
	flags.DurationVar(&o.Delay, "delay", 0, "added to each commit")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	return floor.Serve(ctx, o, os.Stdout)
}

// options are what the command line says.
type options struct {
	server, slow string // binaries
	out          string // where the report goes; "" is nowhere
	commit       string
	only         string // scenarios, by a regular expression
	profiles     string // folder of CPU profiles; "" takes none
	short        bool
	rounds       int
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.server, "server", "bin/social-server", "the server's binary")
	flags.StringVar(&o.slow, "slow-server", "", "the server built with cmd/bench/testdata/slowcommit.go.txt; empty: no such rows")
	flags.StringVar(&o.out, "out", "", "file to write the report to")
	flags.StringVar(&o.commit, "commit", "unknown", "what is measured, for the report")
	flags.StringVar(&o.only, "run", "", "run only the scenarios that match; see -list")
	flags.StringVar(&o.profiles, "profiles", "", "folder to keep the server's CPU profiles in")
	flags.BoolVar(&o.short, "short", false, "smaller and shorter: to see that it works")
	flags.IntVar(&o.rounds, "rounds", 0, "rounds of each scenario; 0: 3, or 1 with -short")
	list := flags.Bool("list", false, "list the scenarios")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if *list {
		for _, s := range scenarios() {
			fmt.Printf("%-12s %s\n", s.name, s.headline)
		}
		return o, flag.ErrHelp
	}
	for _, path := range []*string{&o.server, &o.slow} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil { // they start in folders of their own
			return o, err
		}
	}
	return o, nil
}

// measure runs the scenarios in rounds and writes the report.
func measure(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	only, err := regexp.Compile(o.only)
	if err != nil {
		return err
	}
	cores, err := host.PinSelf()
	if err != nil {
		return err
	}
	began := time.Now()
	b, err := newBench(o, cores)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.clean()) }()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	for round := range b.size.rounds {
		b.round = round
		for _, s := range scenarios() {
			if !only.MatchString(s.name) || round > 0 && s.once {
				continue
			}
			fmt.Printf("== round %d of %d: %s (%v so far)\n", round+1, b.size.rounds, s.headline, time.Since(began).Round(time.Second))
			if err := s.run(b, ctx); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	return b.write(o)
}

// write prints the verdicts and writes the report.
func (b *bench) write(o options) error {
	verdicts := b.book.Verdicts(targets())
	fmt.Printf("\n%s\n", verdicts)
	if o.out == "" {
		return nil
	}
	var titles []report.Title
	for _, s := range scenarios() {
		titles = append(titles, report.Title{Scenario: s.name, Headline: s.headline, Text: s.text})
	}
	text := document(o, b.size, host.Machine(), b.book.Notes(), verdicts, b.book.Tables(titles))
	return os.WriteFile(o.out, []byte(text), 0o644) // #nosec G306 -- a page for everybody
}

// newBench makes the folders of a run: one beside the binary, on its disk, and
// one in memory.
func newBench(o options, cores host.Cores) (*bench, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	disk, err := os.MkdirTemp(filepath.Dir(o.server), "bench-")
	if err != nil {
		return nil, err
	}
	ram := ""
	if _, err := os.Stat("/dev/shm"); err == nil {
		if ram, err = os.MkdirTemp("/dev/shm", "social-bench-"); err != nil {
			return nil, errors.Join(err, os.RemoveAll(disk))
		}
	}
	size := full()
	if o.short {
		size = short()
	}
	if o.rounds > 0 {
		size.rounds = o.rounds
	}
	b := &bench{
		options: o, size: size, cores: cores, self: self, disk: disk, ram: ram,
		secret: seed.Secret(), book: report.NewBook(os.Stdout), held: make(map[string]int),
	}
	if cores.Note != "" {
		b.book.Note("%s", cores.Note)
	}
	return b, nil
}

// clean removes what the run has written.
func (b *bench) clean() error {
	err := os.RemoveAll(b.disk)
	if b.ram != "" {
		err = errors.Join(err, os.RemoveAll(b.ram))
	}
	return err
}
