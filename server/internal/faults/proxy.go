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
// it cuts with a reset, freezes, drops one direction, cuts after so many bytes,
// or slices everything into small pieces.
type Proxy struct {
	target func() string
	listen net.Listener
	ctx    context.Context
	stop   context.CancelFunc
	own    sync.WaitGroup

	dropDown atomic.Bool  // server → client is swallowed
	dropUp   atomic.Bool  // client → server is swallowed
	slice    atomic.Int64 // largest piece passed on at once; 0 is any
	cutAfter atomic.Int64 // bytes server → client until the cut; below 0 is never
	passed   atomic.Int64 // bytes server → client
	swallow  atomic.Int64 // bytes dropped

	mu     sync.Mutex    // guards the following
	thawed chan struct{} // closed while not frozen
	links  map[*link]struct{}
}

// link is one connection through the proxy.
type link struct{ client, server net.Conn }

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
	for _, c := range [...]net.Conn{l.client, l.server} {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
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
			(&link{client, client}).reset()
			continue
		}
		l := &link{client, server}
		p.mu.Lock()
		p.links[l] = struct{}{}
		if p.ctx.Err() != nil {
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

// pass hands bytes on, counts them, and cuts where it was told to.
func (p *Proxy) pass(l *link, to io.Writer, data []byte, down *atomic.Int64) bool {
	if down == nil {
		_, err := to.Write(data)
		return err == nil
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
