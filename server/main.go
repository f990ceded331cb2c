// Command social-server keeps the settings of a person's devices in sync.
// Its commands are listed by social-server help, and in commands.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"social-server/internal/config"
	"social-server/internal/errs"
)

// version is set by the linker (see the Makefile).
var version = "dev"

func main() {
	signal.Ignore(syscall.SIGPIPE) // when nobody reads the log, writing it fails and serving goes on
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // under nohup it stays ignored
		// A closing terminal may send it twice: unlike the others, the second does not end the stop.
		hangup, done := signal.NotifyContext(ctx, syscall.SIGHUP)
		defer done()
		ctx = hangup
	}
	err := run(ctx, stop, os.Args[1:], os.Environ(), os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "social-server:", errs.Chain(err))
		os.Exit(1)
	}
}

// run does what the arguments say. When ctx ends it calls stop, so that a
// second signal ends the process at once, and stops in order.
func run(ctx context.Context, stop func(), args, environ []string, out io.Writer) error {
	c, rest, err := pick(args)
	if err != nil {
		return err
	}
	switch c.name {
	case "version":
		_, err = fmt.Fprintln(out, version)
		return err
	case "help":
		text, err := usage(rest)
		if err == nil {
			_, err = fmt.Fprint(out, text)
		}
		return err
	}
	cfg, err := config.Load(".env", environ)
	if err != nil {
		return err
	}
	return c.run(ctx, stop, cfg, rest, out)
}

// serve runs the server until ctx ends.
func serve(ctx context.Context, stop func(), cfg config.Config, out io.Writer) error {
	config.Privately()
	p, err := start(ctx, cfg, out)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Social server %s is ready at %s\nIts data is in %s. Ctrl-C stops it.\n", version, p.url, p.data)
	select {
	case <-ctx.Done():
		stop()
	case err = <-p.failed:
	}
	return errors.Join(err, p.stop())
}

// healthcheck asks the server of this configuration whether it is ready. It
// serves container engines, whose images have no other client.
func healthcheck(ctx context.Context, cfg config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	client, url, err := ownClient(cfg)
	if err != nil {
		return err
	}
	url += "/readyz"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}
