package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
)

// listen opens the port of a host:port, or returns one line that names the
// address which cannot be had. localhost is both loopback addresses, with one
// port: proxies and browsers resolve it to either.
func listen(variable, addr string) ([]net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && strings.EqualFold(host, "localhost") {
		listeners, err := listenLoopback(port)
		return listeners, refusal(variable, addr, err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, refusal(variable, addr, err)
	}
	return []net.Listener{l}, nil
}

// listenLoopback listens on both loopback addresses. Port 0 is one that is free
// on both: the one that the first address gives may be taken on the second.
func listenLoopback(port string) ([]net.Listener, error) {
	const tries = 100
	for range tries {
		listeners, err := bothLoopbacks(port)
		if port != "0" || !errors.Is(err, syscall.EADDRINUSE) {
			return listeners, err
		}
	}
	return bothLoopbacks(port)
}

// bothLoopbacks listens on those loopback addresses that this machine has.
func bothLoopbacks(port string) (listeners []net.Listener, err error) {
	var missing error
	for _, ip := range []string{"127.0.0.1", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(ip, port))
		switch {
		case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT):
			missing = err
			continue
		case err != nil:
			return nil, errors.Join(err, closeAll(listeners))
		}
		listeners = append(listeners, l)
		if at, ok := l.Addr().(*net.TCPAddr); ok {
			port = strconv.Itoa(at.Port)
		}
	}
	if len(listeners) == 0 {
		return nil, missing
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) error {
	var failures []error
	for _, l := range listeners {
		failures = append(failures, l.Close())
	}
	return errors.Join(failures...)
}

// refusal returns why an address cannot be listened on, in one line.
func refusal(variable, addr string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Addr != nil {
		addr = op.Addr.String()
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: %s is taken by another program", variable, addr)
	case err != nil:
		return fmt.Errorf("%s: %w", variable, err)
	}
	return nil
}
