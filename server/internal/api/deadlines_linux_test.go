package api_test

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// vanish makes the kernel drop everything that comes for a socket, unseen: to
// its peer the machine is gone. It needs no rights.
func vanish(t *testing.T, conn net.Conn) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	dropAll := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K}}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &dropAll[0]})
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
}

// Fault C7: the client of a stream vanishes without a word.
// [SPEC W4] It is offline once nothing was acknowledged for PING_INTERVAL and PONG_TIMEOUT.
func TestVanishedStream(t *testing.T) {
	w := newWorld(t, func(s *shape) {
		s.hub.PingEvery, s.hub.PongWithin = 200*time.Millisecond, 10*time.Second
		s.wire.LostAfter = 500 * time.Millisecond
	})
	one, _ := w.pair()
	c := w.raw(t)
	c.write("GET", "/api/v1/users/TestUser6/events", "", bearer(one.token))
	lines := bufio.NewScanner(c.in)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "event: ready") {
	}
	user := userID(t, w)
	if len(w.hubs.Online(t.Context(), user)[0]) != 1 {
		t.Fatal("the stream is not open")
	}
	vanish(t, c.conn)
	for deadline := time.Now().Add(10 * time.Second); len(w.hubs.Online(t.Context(), user)[0]) > 0; {
		if time.Now().After(deadline) {
			t.Fatal("it is online ten seconds later")
		}
	}
}
