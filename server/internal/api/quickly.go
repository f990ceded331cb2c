//go:build unix

package api

import (
	"errors"
	"net"
	"syscall"
)

// quickly writes to a socket what its buffer takes, and never waits. The runtime
// wants to wait for the rest: it is asked to leave that to us.
type quickly struct {
	raw  syscall.RawConn
	once func(fd uintptr) bool // made once: a new one for every write would be garbage

	data []byte // of the write that is under way
	n    int
	err  error
}

// newQuickly returns nil where there is no socket to be had, as behind TLS.
func newQuickly(conn net.Conn) *quickly {
	plain, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return nil
	}
	q := &quickly{raw: raw}
	q.once = func(fd uintptr) bool {
		for {
			q.n, q.err = syscall.Write(int(fd), q.data) // #nosec G115 -- a descriptor
			if !errors.Is(q.err, syscall.EINTR) {
				return true
			}
		}
	}
	return q
}

// write returns how much was taken: all, some, or nothing.
func (q *quickly) write(data []byte) (int, error) {
	q.data, q.n, q.err = data, 0, nil
	err := q.raw.Write(q.once)
	q.data = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(q.err, syscall.EAGAIN):
		return 0, nil
	case q.err != nil:
		return 0, q.err
	}
	return q.n, nil
}
