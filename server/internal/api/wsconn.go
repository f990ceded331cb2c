package api

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"social-server/internal/protocol"
)

const (
	// chunk is how much a write hands over before its deadline starts afresh: a
	// slow link that makes progress is not cut off (SPEC S8).
	chunk = 16 << 10
	// farewell is how long a close waits for what is being written, and then
	// for the peer's own close.
	farewell = time.Second
	// pongsPerSecond bounds what a flood of pings makes the server write.
	pongsPerSecond = 30
)

// wsConn is the far end of a session over WebSocket (hub.Conn). gorilla does
// the handshake and reads; frames are written here, because one encoded frame
// serves all sessions and several leave in one system call.
type wsConn struct {
	ws          *websocket.Conn
	net         net.Conn
	writeWithin time.Duration

	hurried atomic.Bool // the session is ending: no write may take longer than farewell

	writing sync.Mutex // lets one frame out at a time: the session's writer, and the reader's pongs; guards the following
	closed  bool       // a close frame was written
	left    []byte     // of a frame that was begun: nothing may come before it
	now     *quickly   // nil: the connection only knows how to wait
}

func newWSConn(ws *websocket.Conn, writeWithin time.Duration) *wsConn {
	c := &wsConn{ws: ws, net: ws.NetConn(), writeWithin: writeWithin}
	if upgraded, ok := c.net.(*upgradeConn); ok {
		upgraded.done.Store(true)
		c.net = upgraded.Conn
	}
	c.now = newQuickly(c.net)
	var pings *rate.Limiter // made when one comes: ours send none
	ws.SetPingHandler(func(data string) error {
		if pings == nil {
			pings = rate.NewLimiter(pongsPerSecond, 2*pongsPerSecond)
		}
		if !pings.Allow() {
			return nil // a later ping is answered for this one too (RFC 6455, 5.5.3)
		}
		return c.control(websocket.PongMessage, []byte(data))
	})
	ws.SetCloseHandler(func(code int, _ string) error {
		c.close(websocket.FormatCloseMessage(code, "")) // its own code back (RFC 6455, 5.5.1)
		return nil
	})
	return c
}

// upgradeConn lets the library answer the upgrade, and write nothing after it:
// on a broken frame it would send a close of its own, amid or before what the
// session's writer sends.
type upgradeConn struct {
	net.Conn
	done atomic.Bool
}

// Write writes until the upgrade is done.
func (c *upgradeConn) Write(data []byte) (int, error) {
	if c.done.Load() {
		return len(data), nil
	}
	return c.Conn.Write(data)
}

// buffers holds room to put frames together in: idle sessions keep none.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Write sends each frame as one text message.
func (c *wsConn) Write(frames []*protocol.Frame) error {
	return withFrames(frames, c.write)
}

// withFrames hands over frames as they go over the wire, in room that is used again.
func withFrames(frames []*protocol.Frame, use func(data []byte) error) error {
	room, _ := buffers.Get().(*[]byte)
	defer buffers.Put(room)
	data := (*room)[:0]
	for _, f := range frames {
		data = appendHeader(data, websocket.TextMessage, len(f.Data))
		data = append(data, f.Data...)
	}
	err := use(data)
	if cap(data) <= 4*chunk {
		*room = data
	}
	return err
}

// WriteNow sends what the kernel has room for (hub.Quick). What it has none for
// is kept, and goes out with the Write that follows.
func (c *wsConn) WriteNow(frames []*protocol.Frame) (all bool, err error) {
	err = withFrames(frames, func(data []byte) error {
		c.writing.Lock() // held by a pong at most, which waits only where this could not write either
		defer c.writing.Unlock()
		if c.closed {
			return net.ErrClosed
		}
		n := 0
		if len(c.left) == 0 && c.now != nil {
			if n, err = c.now.write(data); err != nil {
				return err
			}
		}
		all = n == len(data)
		if !all {
			c.left = append(c.left, data[n:]...)
		}
		return nil
	})
	return all, err
}

func (c *wsConn) write(data []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.writeLocked(data)
}

// writeLocked writes what is left, and then data. It waits where it has to.
func (c *wsConn) writeLocked(data []byte) error {
	if c.closed {
		return net.ErrClosed
	}
	left := c.left
	c.left = nil
	for _, part := range [...][]byte{left, data} {
		if err := c.piecewise(part); err != nil {
			return err
		}
	}
	if c.hurried.Load() {
		return nil
	}
	return c.net.SetWriteDeadline(time.Time{}) // the next write may be one that does not wait
}

func (c *wsConn) piecewise(data []byte) error {
	_, err := steadily(c.net, data, func() (more bool, err error) {
		within := c.writeWithin
		if more = !c.hurried.Load(); !more {
			within = min(within, farewell)
		}
		return more, c.net.SetWriteDeadline(time.Now().Add(within))
	})
	return err
}

// control sends a ping, pong or close; its payload is at most 125 bytes (RFC 6455, 5.5).
func (c *wsConn) control(kind int, payload []byte) error {
	return c.write(append(appendHeader(nil, kind, len(payload)), payload...))
}

// Close writes the close frame and lets the reader wait a moment for the
// peer's: closing at once could make the kernel drop what was written.
func (c *wsConn) Close(code int, reason string) {
	payload := binary.BigEndian.AppendUint16(nil, uint16(code))      // #nosec G115 -- close codes have 16 bits
	reason = strings.ToValidUTF8(reason[:min(len(reason), 123)], "") // a cut may go through a character
	c.close(append(payload, reason...))
}

func (c *wsConn) close(payload []byte) {
	c.Hurry()
	c.writing.Lock()
	defer c.writing.Unlock()
	// A failure means the peer is gone, which is what is wanted here.
	_ = c.writeLocked(append(appendHeader(nil, websocket.CloseMessage, len(payload)), payload...))
	c.closed = true
	_ = c.net.SetReadDeadline(time.Now().Add(farewell))
}

// drop reads on for a moment, whatever comes: closing at once could make the
// kernel take back what was written last.
func (c *wsConn) drop() {
	_ = c.net.SetReadDeadline(time.Now().Add(farewell))
	_, _ = io.Copy(io.Discard, c.net)
}

// Hurry shortens a write that is under way.
func (c *wsConn) Hurry() {
	c.hurried.Store(true)
	_ = c.net.SetWriteDeadline(time.Now().Add(farewell))
}

// appendHeader appends the header of an unfragmented frame from a server: never masked (RFC 6455, 5.2).
func appendHeader(data []byte, kind, size int) []byte {
	const final = 0x80
	data = append(data, final|byte(kind)) // #nosec G115 -- an opcode has 4 bits
	switch {
	case size < 126:
		return append(data, byte(size)) // #nosec G115 -- below 126
	case size <= 0xffff:
		return binary.BigEndian.AppendUint16(append(data, 126), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(data, 127), uint64(size))
}
