package faults

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy stands between clients and the server and breaks what passes through:
// it cuts with a reset, refuses, freezes, delays, drops one direction, cuts after
// so many bytes or after a certain message, or slices everything into small
// pieces. The server may be any: ours, PostgreSQL, Redis.
type Proxy struct {
	target func() string
	listen net.Listener
	ctx    context.Context
	stop   context.CancelFunc
	own    sync.WaitGroup

	dropDown atomic.Bool  // server → client is swallowed
	dropUp   atomic.Bool  // client → server is swallowed
	refuse   atomic.Bool  // new connections are reset
	latency  atomic.Int64 // of every piece client → server, in nanoseconds
	slice    atomic.Int64 // largest piece passed on at once; 0 is any
	cutAfter atomic.Int64 // bytes server → client until the cut; below 0 is never
	passed   atomic.Int64 // bytes server → client
	swallow  atomic.Int64 // bytes dropped

	mu     sync.Mutex    // guards the following
	thawed chan struct{} // closed while not frozen
	links  map[*link]struct{}
	cutUp  func(sent []byte) bool // nil: never
	fired  int                    // cuts by cutUp
}

// link is one connection through the proxy.
type link struct {
	client, server net.Conn
	sent           []byte // by the client, since CutUp
}

// NewProxy starts a proxy to wherever target points at the time.
func NewProxy(target func() string) (*Proxy, error) {
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Proxy{target: target, listen: listen, ctx: ctx, stop: stop,
		links: make(map[*link]struct{}), thawed: make(chan struct{})}
	close(p.thawed)
	p.cutAfter.Store(-1)
	p.own.Go(p.accept)
	return p, nil
}

// Addr returns host:port of the proxy.
func (p *Proxy) Addr() string { return p.listen.Addr().String() }

// Close ends the proxy and everything through it, and waits.
func (p *Proxy) Close() {
	p.stop()
	_ = p.listen.Close()
	p.Thaw()
	p.Cut()
	p.own.Wait()
}

// Cut resets every connection, on both sides.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.reset()
	}
}

func (l *link) reset() {
	reset(l.client)
	reset(l.server)
}

// reset ends a connection as a dying machine does.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// Refuse resets every connection and each new one, while on.
func (p *Proxy) Refuse(on bool) {
	p.refuse.Store(on)
	if on {
		p.Cut()
	}
}

// Delay holds up whatever clients send, piece by piece; 0 ends it.
func (p *Proxy) Delay(d time.Duration) { p.latency.Store(int64(d)) }

// CutUp cuts one connection, once: the first on which what the client sent from
// now on satisfies the condition. The server gets all of it and an orderly end,
// so that it acts on it; the client gets a reset and no answer.
func (p *Proxy) CutUp(when func(sent []byte) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutUp = when
	for l := range p.links {
		l.sent = nil
	}
}

// Fired counts the cuts of CutUp.
func (p *Proxy) Fired() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fired
}

// Freeze stops all traffic, without closing anything; Thaw lets it go on.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.thawed:
		p.thawed = make(chan struct{})
	default:
	}
}

// Thaw ends Freeze.
func (p *Proxy) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.thawed:
	default:
		close(p.thawed)
	}
}

// DropDown swallows what the server sends, while on.
func (p *Proxy) DropDown(on bool) { p.dropDown.Store(on) }

// DropUp swallows what clients send, while on.
func (p *Proxy) DropUp(on bool) { p.dropUp.Store(on) }

// CutAfter cuts everything once the server has sent n more bytes.
func (p *Proxy) CutAfter(n int64) { p.cutAfter.Store(n) }

// Slice passes on at most n bytes at once.
func (p *Proxy) Slice(n int) { p.slice.Store(int64(n)) }

// Passed and Swallowed count the bytes from the server that reached clients,
// and those dropped in either direction.
func (p *Proxy) Passed() int64    { return p.passed.Load() }
func (p *Proxy) Swallowed() int64 { return p.swallow.Load() }

func (p *Proxy) accept() {
	for {
		client, err := p.listen.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.DialTimeout("tcp", p.target(), 2*time.Second)
		if err != nil {
			reset(client)
			continue
		}
		l := &link{client: client, server: server}
		p.mu.Lock()
		p.links[l] = struct{}{}
		if p.ctx.Err() != nil || p.refuse.Load() {
			l.reset()
		}
		p.mu.Unlock()
		p.own.Go(func() { p.serve(l) })
	}
}

// serve passes bytes both ways until either side is done.
func (p *Proxy) serve(l *link) {
	var both sync.WaitGroup
	both.Go(func() { p.copy(l, l.server, l.client, &p.dropUp, nil) })
	both.Go(func() { p.copy(l, l.client, l.server, &p.dropDown, &p.passed) })
	both.Wait()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

func (p *Proxy) copy(l *link, to, from net.Conn, drop *atomic.Bool, down *atomic.Int64) {
	defer to.Close() // an orderly end is passed on
	room := make([]byte, 32<<10)
	for {
		piece := room
		if n := p.slice.Load(); n > 0 {
			piece = room[:n]
		}
		n, err := from.Read(piece)
		p.mu.Lock()
		thawed := p.thawed
		p.mu.Unlock()
		<-thawed
		switch {
		case drop.Load():
			p.swallow.Add(int64(n))
		case !p.pass(l, to, piece[:n], down):
			return
		}
		if err != nil {
			return // io.EOF too
		}
	}
}

// pass hands bytes on, counts them, and cuts where it was told to. Without a
// counter they are the client's.
func (p *Proxy) pass(l *link, to io.Writer, data []byte, down *atomic.Int64) bool {
	if down == nil {
		return p.passUp(l, to, data)
	}
	left := p.cutAfter.Load()
	if left >= 0 && int64(len(data)) >= left {
		_, _ = to.Write(data[:left])
		p.cutAfter.Store(-1)
		l.reset()
		return false
	}
	if left >= 0 {
		p.cutAfter.Add(-int64(len(data)))
	}
	down.Add(int64(len(data)))
	_, err := to.Write(data)
	return err == nil
}

func (p *Proxy) passUp(l *link, to io.Writer, data []byte) bool {
	if d := time.Duration(p.latency.Load()); d > 0 {
		pause(p.ctx, d)
	}
	cut := p.mustCut(l, data)
	if cut {
		reset(l.client) // first: the answer may be quick
	}
	_, err := to.Write(data)
	return err == nil && !cut // then copy ends the server's side in order
}

// mustCut asks the condition of CutUp, if there is one.
func (p *Proxy) mustCut(l *link, data []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cutUp == nil {
		return false
	}
	l.sent = append(l.sent, data...)
	if !p.cutUp(l.sent) {
		return false
	}
	p.cutUp = nil
	p.fired++
	return true
}
