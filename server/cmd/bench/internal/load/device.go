//go:build linux

package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"social-server/cmd/bench/internal/wire"
)

// state is how far a device's connection is.
type state uint8

const (
	away     state = iota
	dialling       // the kernel connects
	asking         // the request was sent, its answer is awaited
	opening        // the server says what there is
	ready
)

// Device is a device that may connect to its user.
type Device struct {
	Name   string
	Token  string
	Stream bool // it listens over SSE, and sends nothing
	Narrow bool // its receive buffer is small, so that not reading is felt at once
	Slow   bool // it does not read for a time: its latency is nobody's
	Node   int  // which of the fleet's targets it connects to

	user    *User
	number  int32 // in the fleet
	fd      int
	state   state
	paused  bool
	decoder wire.Decoder
	answer  []byte // of the server to the request, until it is whole
	out     []byte // what the socket did not take yet

	epoch    string
	revision uint64
	mark     wire.Mark // of the newest value
}

// narrow is the receive buffer of a Narrow device.
const narrow = 64 << 10

// dial begins to connect.
func (d *Device) dial(f *Fleet) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	d.fd, d.state = fd, dialling
	f.opening++
	if d.Narrow {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, narrow); err != nil {
			return err
		}
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	// A reset instead of a farewell: no port is kept waiting.
	if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
		return err
	}
	target := f.targets[d.Node].Addr
	addr := &unix.SockaddrInet4{Port: int(target.Port()), Addr: target.Addr().As4()}
	if err := unix.Connect(fd, addr); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return err
	}
	return unix.EpollCtl(f.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLOUT, Fd: d.number})
}

// watch tells epoll what the device waits for.
func (d *Device) watch(f *Fleet) error {
	if d.fd < 0 {
		return nil
	}
	var events uint32
	if !d.paused {
		events |= unix.EPOLLIN
	}
	if len(d.out) > 0 {
		events |= unix.EPOLLOUT
	}
	return unix.EpollCtl(f.epoll, unix.EPOLL_CTL_MOD, d.fd, &unix.EpollEvent{Events: events, Fd: d.number})
}

// drop breaks the connection.
func (d *Device) drop(f *Fleet) {
	switch d.state {
	case away:
		return
	case ready:
		f.ready--
	default:
		f.opening--
	}
	_ = unix.Close(d.fd) // it is gone either way, from the epoll too
	d.fd, d.state, d.paused, d.answer, d.out = -1, away, false, nil, nil
}

// writable goes on with what waited for the socket.
func (d *Device) writable(f *Fleet) {
	if d.state == dialling {
		code, err := unix.GetsockoptInt(d.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
		if err != nil {
			f.failed(d, err)
			return
		}
		d.ask(f)
		return
	}
	waiting := d.out
	d.out = nil
	d.send(f, waiting)
	if len(d.out) == 0 && d.state != away {
		if err := d.watch(f); err != nil {
			f.failed(d, err)
		}
	}
}

// ask sends the request that opens the connection.
func (d *Device) ask(f *Fleet) {
	d.state = asking
	f.frame = f.frame[:0]
	if d.Stream {
		d.decoder, f.frame = &wire.Events{}, wire.AppendStream(f.frame, d.user.Name, d.Token)
	} else {
		d.decoder, f.frame = &wire.Frames{}, wire.AppendUpgrade(f.frame, d.user.Name, d.Token)
	}
	d.send(f, f.frame)
	if d.state == away {
		return
	}
	if err := d.watch(f); err != nil {
		f.failed(d, err)
	}
}

// send writes, and keeps what the socket does not take.
func (d *Device) send(f *Fleet, data []byte) {
	if len(d.out) > 0 {
		d.out = append(d.out, data...)
		return
	}
	n, err := unix.Write(d.fd, data)
	if errors.Is(err, unix.EAGAIN) {
		n, err = 0, nil
	}
	if err == nil && n < len(data) {
		d.out = append(d.out, data[n:]...)
		err = d.watch(f)
	}
	if err != nil {
		f.failed(d, err)
	}
}

// read takes what has arrived.
func (d *Device) read(f *Fleet) {
	if d.state == away {
		return
	}
	n, err := unix.Read(d.fd, f.room)
	switch {
	case errors.Is(err, unix.EAGAIN):
		return
	case err == nil && n == 0:
		err = io.EOF
	}
	data := f.room[:max(n, 0)]
	if err == nil && d.state == asking {
		data, err = d.answered(f, data)
	}
	if err == nil && d.state >= opening {
		now := time.Now()
		err = d.decoder.Feed(data, func(head []byte) { f.heard(d, head, now) })
	}
	if err != nil {
		f.failed(d, err)
	}
}

// answered takes the answer to the request; what follows it is left.
func (d *Device) answered(f *Fleet, data []byte) (left []byte, err error) {
	d.answer = append(d.answer, data...)
	head, left, whole := bytes.Cut(d.answer, []byte("\r\n\r\n"))
	if !whole {
		return nil, nil
	}
	want := "HTTP/1.1 101 "
	if d.Stream {
		want = "HTTP/1.1 200 "
	}
	if !bytes.HasPrefix(head, []byte(want)) {
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		return nil, fmt.Errorf("the server answered %s", line)
	}
	d.answer, d.state = nil, opening
	switch {
	case f.targets[d.Node].Bare:
		d.becomeReady(f)
	case !d.Stream:
		f.text = wire.AppendHello(f.text[:0], d.epoch, d.revision)
		f.frame = wire.AppendText(f.frame[:0], f.text)
		d.send(f, f.frame)
	}
	return left, nil
}

func (d *Device) becomeReady(f *Fleet) {
	if d.state == opening {
		d.state = ready
		f.opening--
		f.ready++
	}
}

// epollWait is epoll_pwait2: its timeout is in nanoseconds, which an open loop
// of thousands of changes a second needs.
func epollWait(epoll int, events []unix.EpollEvent, wait time.Duration) (int, error) {
	timeout := unix.NsecToTimespec(int64(max(wait, 0)))
	n, _, code := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])),
		uintptr(len(events)), uintptr(unsafe.Pointer(&timeout)), 0, 0)
	if code != 0 {
		return 0, code
	}
	return int(n), nil
}
