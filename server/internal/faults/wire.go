package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gorilla/websocket"
)

// begin prepares a new connection and queues its hello. It reports whether the
// device says what it has.
func (c *Client) begin(ctx context.Context, ws *websocket.Conn) (resumed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.socket, c.ready, c.byed, c.unsent, c.control = ws, false, false, 0, nil
	hello := `{"type":"hello"}`
	if c.replica.Epoch != "" && !c.FreshOnly {
		resumed = true
		hello = fmt.Sprintf(`{"type":"hello","resume":{"epoch":%q,"revision":%d}}`, c.replica.Epoch, c.replica.Revision)
	}
	if c.offline || ctx.Err() != nil {
		_ = ws.NetConn().Close() // it was cut off while it dialled
	}
	c.sendLocked(hello)
	return resumed
}

// finish forgets a connection that has ended.
func (c *Client) finish(err error) (wasReady bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wasReady = c.ready
	c.socket, c.ready = nil, false
	var closed *websocket.CloseError
	if errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
		c.closes = append(c.closes, closed.Code)
	}
	c.newsLocked()
	return wasReady
}

// sendAll sends what there is to send, until the connection is gone.
func (c *Client) sendAll(ws *websocket.Conn, gone <-chan struct{}) {
	for {
		select {
		case <-c.wake:
		case <-gone:
			return
		}
		for frame := c.nextFrame(); frame != nil; frame = c.nextFrame() {
			if ws.WriteMessage(websocket.TextMessage, frame) != nil {
				return // the reader will find out
			}
		}
	}
}

// nextFrame takes the next frame to send: controls first, then patches in order.
func (c *Client) nextFrame() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.control) > 0 {
		frame := c.control[0]
		c.control = c.control[1:]
		return frame
	}
	if !c.ready || c.unsent >= len(c.queue) {
		return nil
	}
	p := c.queue[c.unsent]
	c.unsent++
	p.Sends++
	if p.Sent.IsZero() {
		p.Sent = time.Now()
	}
	return p.frame()
}

// message is any frame from the server.
type message struct {
	Type      string `json:"type"`
	Epoch     string `json:"epoch"`
	From      uint64 `json:"from"`
	Revision  uint64 `json:"revision"`
	Values    values `json:"values"`
	ID        string `json:"id"`
	Duplicate bool   `json:"duplicate"`
	Code      any    `json:"code"` // a word in refused, a number in bye
	Current   values `json:"current"`
	RetryIn   int64  `json:"retryIn"`
	Seal      string `json:"seal"`
}

type values map[string]map[string]struct {
	Value    json.RawMessage `json:"value"`
	Revision uint64          `json:"revision"`
}

func (v values) flat() map[string]Value {
	flat := make(map[string]Value)
	for block, keys := range v {
		for key, one := range keys {
			flat[block+"."+key] = Value{string(one.Value), one.Revision}
		}
	}
	return flat
}

// frame is a change as the checkers keep it.
func (m message) frame() Frame {
	return Frame{Epoch: m.Epoch, From: m.From, Revision: m.Revision, Values: m.Values.flat(), At: time.Now()}
}

// receive handles one frame.
func (c *Client) receive(text []byte, resumed bool) {
	var m message
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.newsLocked()
	if err := json.Unmarshal(text, &m); err != nil {
		c.replica.fault("a frame that is not JSON: %v", err)
		return
	}
	switch m.Type {
	case "welcome":
		c.replica.Welcomed(m.Epoch, m.Revision, resumed)
	case "change":
		if c.replica.Apply(m.frame()) {
			c.syncLocked(c.replica.Revision)
		}
	case "ready":
		c.readyLocked(m.Revision)
	case "ping":
		c.pingedLocked(m)
	case "ack", "refused":
		c.answeredLocked(m)
	case "bye":
		c.byed = true
		c.byes++
		c.retryIn = time.Duration(m.RetryIn) * time.Millisecond
	}
}

func (c *Client) syncLocked(revision uint64) {
	c.replica.Synced(revision)
	c.sendLocked(fmt.Sprintf(`{"type":"sync","revision":%d}`, revision))
}

func (c *Client) readyLocked(revision uint64) {
	c.replica.Reached("ready", revision)
	c.ready = true
	c.opened++
	c.nudgeLocked()
}

// pingedLocked answers a ping and checks its seal (SPEC S6, S7).
func (c *Client) pingedLocked(m message) {
	c.replica.Reached("ping", m.Revision)
	if m.Revision == c.replica.Revision && m.Seal != c.replica.Seal() {
		c.replica.fault("seal of revision %d is %s here, %s there", m.Revision, c.replica.Seal(), m.Seal)
		c.syncLocked(0)
	}
	c.sendLocked(fmt.Sprintf(`{"type":"pong","seen":%d}`, c.replica.Revision))
}

// answeredLocked takes the answer to a patch.
func (c *Client) answeredLocked(m message) {
	at := -1
	for i, p := range c.queue {
		if p.ID == m.ID {
			at = i
		}
	}
	if at < 0 {
		return // an answer to an earlier try came first
	}
	p := c.queue[at]
	code, _ := m.Code.(string)
	if m.Type == "refused" && retryable[code] && !c.NoRetry {
		c.againLocked(at, code, m.RetryIn)
		return
	}
	if c.byed {
		c.late++
	}
	p.End = time.Now()
	p.Result = Result{Acked: m.Type == "ack", Code: code, Revision: m.Revision, Duplicate: m.Duplicate, Current: m.Current.flat()}
	if p.Acked && m.Revision > c.replica.Revision {
		c.replica.fault("ack of revision %d at revision %d: before its change", m.Revision, c.replica.Revision)
	}
	if c.Ledger != nil && !p.quiet {
		c.Ledger.Answered(p)
	}
	c.queue = append(c.queue[:at], c.queue[at+1:]...)
	if at < c.unsent {
		c.unsent--
	}
	close(p.Done)
}

// againLocked puts a refused patch at the end of those to send, after a moment.
func (c *Client) againLocked(at int, code string, retryIn int64) {
	p := c.queue[at]
	c.again++
	if code == "not-ready" {
		c.replica.fault("patch %s was refused as not-ready after ready", p.ID)
	}
	c.queue = append(append(c.queue[:at], c.queue[at+1:]...), p)
	if at < c.unsent {
		c.unsent--
	}
	wait := min(time.Duration(retryIn)*time.Millisecond, 200*time.Millisecond)
	c.ran.Go(func() {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		<-timer.C // at most 200 ms, and Close waits for it
		c.mu.Lock()
		defer c.mu.Unlock()
		c.nudgeLocked()
	})
}

func (c *Client) describe() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("%d (ready %v, connected %d times, %d patches waiting, closes %v)",
		c.replica.Revision, c.ready, c.opened, len(c.queue), c.closes)
}
