package faults

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Options are what a Client is told besides its device.
type Options struct {
	User      string
	Target    func() string // host:port, asked at every attempt to connect
	Ledger    *Ledger       // nil: none is kept
	NoRetry   bool          // a refusal that may be retried is final instead
	FreshOnly bool          // never resume: every connection is a first contact
	Back      time.Duration // the longest wait before connecting again; 0 is 40 ms
	Polite    bool          // after a bye wait as long as it says before connecting again
	Silence   time.Duration // a connection that says nothing for so long is given up; 0: never
}

// Client is a device at the far end of the wire. It keeps connecting until it
// is closed or offline; patches without an answer are sent again, under the
// same id and in order, on every new connection. It shares no code with the
// product's own packages, so that a mistake there cannot hide itself.
type Client struct {
	Device
	Options

	stop context.CancelFunc
	ran  sync.WaitGroup

	mu      sync.Mutex // guards the following
	replica Replica
	queue   []*Patch // without a final answer, in the order they were made
	unsent  int      // index in queue of the first not yet sent on this connection
	control [][]byte // frames to send before any patch
	ready   bool
	offline bool
	socket  *websocket.Conn
	opened  int           // connections that became ready
	closes  []int         // close codes received
	byes    int           // frames bye received
	byed    bool          // on this connection
	late    int           // answers that came after a bye
	retryIn time.Duration // what the last bye asked for; 0: nothing, or it was done
	again   int           // refusals after which the patch was sent again
	wake    chan struct{} // holds a token while the sender may have work
	news    chan struct{} // closed and replaced whenever anything changes
}

// NewClient starts a client; Close ends it.
func NewClient(ctx context.Context, d Device, o Options) *Client {
	ctx, stop := context.WithCancel(ctx)
	if o.Back == 0 {
		o.Back = 40 * time.Millisecond
	}
	c := &Client{Device: d, Options: o, stop: stop, wake: make(chan struct{}, 1), news: make(chan struct{})}
	c.ran.Go(func() { c.run(ctx) })
	return c
}

// Close ends the client and waits until it is gone. What it knows stays readable.
func (c *Client) Close() {
	c.stop()
	c.Drop()
	c.ran.Wait()
}

// Patch makes a change and returns at once; the answer closes its Done.
func (c *Client) Patch(set map[string]string, base map[string]uint64) *Patch {
	return c.Submit(&Patch{ID: rand.Text(), Set: set, Base: base})
}

// Submit sends a patch whose id the caller chose.
func (c *Client) Submit(p *Patch) *Patch {
	p.Device, p.Done = c.ID, make(chan struct{})
	if c.Ledger != nil && !p.quiet {
		c.Ledger.Made(p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, p)
	c.nudgeLocked()
	return p
}

// Unrecorded sends a patch the ledger is not to hear of: a repetition, made on purpose.
func (c *Client) Unrecorded(p *Patch) *Patch {
	p.quiet = true
	return c.Submit(p)
}

// Put makes a change and waits for its answer, or for ctx.
func (c *Client) Put(ctx context.Context, set map[string]string) (*Patch, error) {
	p := c.Patch(set, nil)
	select {
	case <-p.Done:
		return p, nil
	case <-ctx.Done():
		return p, ctx.Err()
	}
}

// Send sends a raw frame, before any patch that waits.
func (c *Client) Send(frame string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sendLocked(frame)
}

func (c *Client) sendLocked(frame string) {
	c.control = append(c.control, []byte(frame))
	c.nudgeLocked()
}

func (c *Client) nudgeLocked() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *Client) newsLocked() {
	close(c.news)
	c.news = make(chan struct{})
}

// Drop breaks the connection as a killed process does: with a reset, no farewell.
func (c *Client) Drop() {
	c.mu.Lock()
	ws := c.socket
	c.mu.Unlock()
	if ws == nil {
		return
	}
	if tcp, ok := ws.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = ws.NetConn().Close()
}

// SetOffline cuts the client off, or lets it come back.
func (c *Client) SetOffline(offline bool) {
	c.mu.Lock()
	c.offline = offline
	c.newsLocked()
	c.mu.Unlock()
	if offline {
		c.Drop()
	}
}

// State returns a copy of the replica.
func (c *Client) State() Replica {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.replica.Clone()
}

// Seen returns everything the replica went through. The client must be closed.
func (c *Client) Seen() *Replica { return &c.replica }

// Counts returns how often the connection became ready, the close codes it
// ended with, and how many answers came after a bye.
func (c *Client) Counts() (opened int, closes []int, byes, late int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opened, append([]int(nil), c.closes...), c.byes, c.late
}

// Retried counts the refusals after which a patch was sent again.
func (c *Client) Retried() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.again
}

// Pending counts the patches without a final answer.
func (c *Client) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue)
}

// InFlight counts the patches that were sent and have no final answer.
func (c *Client) InFlight() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, p := range c.queue {
		if p.Sends > 0 {
			n++
		}
	}
	return n
}

// Await waits until cond holds for the replica, and the connection is ready.
func (c *Client) Await(ctx context.Context, within time.Duration, cond func(*Replica) bool) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		c.mu.Lock()
		holds, news := c.ready && cond(&c.replica), c.news
		c.mu.Unlock()
		if holds {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return errors.New(c.Name + " waited in vain at revision " + c.describe())
		}
	}
}

// run connects, again and again.
func (c *Client) run(ctx context.Context) {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		c.mu.Lock()
		offline, news := c.offline, c.news
		c.mu.Unlock()
		if offline {
			select {
			case <-news:
			case <-ctx.Done():
			}
			continue
		}
		if c.connection(ctx) {
			attempt = 0
		}
		pause(ctx, c.asked())
		pause(ctx, min(c.Back, time.Duration(attempt+1)*5*time.Millisecond))
	}
}

// asked takes the wait that a bye asked for.
func (c *Client) asked() (wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wait, c.retryIn = c.retryIn, 0
	if !c.Polite {
		return 0
	}
	return wait
}

// connection is one connection, from dialling to its end. It reports whether
// it became ready.
func (c *Client) connection(ctx context.Context) bool {
	dialer := websocket.Dialer{HandshakeTimeout: c.patience(), Subprotocols: []string{"settings-sync.v1"}}
	header := http.Header{"Authorization": {"Bearer " + c.Token}}
	ws, answer, err := dialer.DialContext(ctx, "ws://"+c.Target()+"/api/v1/users/"+c.User+"/ws", header)
	if answer != nil && answer.Body != nil {
		_ = answer.Body.Close()
	}
	if err != nil {
		return false
	}
	defer ws.Close()
	resumed := c.begin(ctx, ws)
	var sender sync.WaitGroup
	gone := make(chan struct{})
	sender.Go(func() { c.sendAll(ws, gone) })
	for err == nil {
		if c.Silence > 0 {
			_ = ws.SetReadDeadline(time.Now().Add(c.Silence)) // if it fails so does the read
		}
		var text []byte
		if _, text, err = ws.ReadMessage(); err == nil {
			c.receive(text, resumed)
		}
	}
	close(gone)
	_ = ws.NetConn().Close() // a sender that is stuck fails now
	sender.Wait()
	return c.finish(err)
}

// patience is how long a connection may take to open.
func (c *Client) patience() time.Duration {
	if c.Silence > 0 {
		return c.Silence
	}
	return 10 * time.Second
}

// waiting returns the patches without a final answer.
func (c *Client) waiting() []*Patch {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*Patch(nil), c.queue...)
}

// frames returns the changes received so far.
func (c *Client) frames() []Frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Frame(nil), c.replica.Frames...)
}
