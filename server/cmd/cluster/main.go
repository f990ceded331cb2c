// Command cluster runs what the profile "scale" of docker-compose.yml runs, as
// processes of this machine: PostgreSQL, Redis, two nodes and nginx before
// them, in a temporary folder that goes when it ends. It prints where each is,
// one per line, then "ready". Ctrl-C ends all of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// options are what the command line says.
type options struct {
	server string // the program of a node
	port   int    // of the load balancer; 0 is a free one
	count  int    // of nodes
	within string // where the temporary folder is made; empty: where such folders are
}

func main() {
	var o options
	flag.StringVar(&o.server, "server", "bin/social-server", "the built server")
	flag.IntVar(&o.port, "port", 3000, "where the load balancer listens on this machine; 0 picks a free port")
	flag.IntVar(&o.count, "nodes", 2, "how many nodes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if err := run(ctx, stop, o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// run keeps a cluster until ctx ends, then calls stopped, so that a second
// signal ends the process at once, and its children with it.
func run(ctx context.Context, stopped func(), o options, out, log io.Writer) (err error) {
	if o.server, err = filepath.Abs(o.server); err != nil {
		return err
	}
	if _, err := os.Stat(o.server); err != nil {
		return fmt.Errorf("%w (make build makes it)", err)
	}
	folder, err := os.MkdirTemp(o.within, "social-cluster-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	c := &cluster{options: o, folder: folder, out: &lines{to: out}, log: &lines{to: log}}
	if err := c.start(ctx); err != nil {
		return errors.Join(err, c.stop())
	}
	<-ctx.Done()
	stopped()
	return c.stop()
}
