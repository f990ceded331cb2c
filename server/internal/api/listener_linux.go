package api

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// noticeLoss ends a connection whose peer acknowledges nothing for a time.
// Without it the kernel repeats itself for a quarter of an hour.
func noticeLoss(c *net.TCPConn, after time.Duration) {
	if after <= 0 {
		return
	}
	control(c, func(fd int) {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(after.Milliseconds()))
	})
}

// unacknowledged counts the bytes that the kernel has taken and the peer has not.
func unacknowledged(c net.Conn) (bytes int) {
	if socket, ok := c.(syscall.Conn); ok {
		control(socket, func(fd int) { bytes, _ = unix.IoctlGetInt(fd, unix.SIOCOUTQ) })
	}
	return bytes
}

func control(socket syscall.Conn, do func(fd int)) {
	raw, err := socket.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { do(int(fd)) }) // #nosec G115 -- a descriptor
	}
}
