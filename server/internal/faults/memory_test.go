package faults

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
	"social-server/internal/hub"
	"social-server/internal/protocol"
	"social-server/internal/settings"
	"social-server/internal/store"
)

// node is the server without its sockets: store, settings and hubs as the
// program puts them together, and what breaks them on purpose.
type node struct {
	path   string
	schema *settings.Schema

	store    *store.Store
	hubs     *hub.Registry
	settings *settings.Service

	mu   sync.Mutex // guards the following
	lose bool       // the next change stored is not published
	fail string     // the next commit fails: "before" it is stored, or "after"
	lost map[string]bool
}

func newNode(dir string) (*node, error) {
	schema, err := settings.ParseSchema([]byte(`{"properties":{"set":{"properties":{
		"a":{"default":0},"b":{"default":0},"c":{"default":0},"d":{"default":0},"e":{"default":0}}}}}`))
	if err != nil {
		return nil, err
	}
	n := &node{path: filepath.Join(dir, "model", databaseFile), schema: schema, lost: make(map[string]bool)}
	return n, n.open()
}

func (n *node) open() (err error) {
	if n.store, err = store.Open(context.Background(), n.path); err != nil {
		return err
	}
	n.hubs = hub.NewRegistry(n.store, slog.New(slog.DiscardHandler), time.Now, hub.Options{
		SessionsPerDevice: 8, PingEvery: time.Hour, PongWithin: time.Hour, AuthDueLead: time.Minute,
	})
	n.settings = settings.NewService(breakable{n.store, n}, n.schema, settings.DefaultLimits, n, time.Now)
	return nil
}

func (n *node) close() error {
	n.settings.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(n.hubs.Close(ctx), n.store.Close())
}

// Publish loses a change when it was told to, as a crash between commit and
// publish does, or a relay.
func (n *node) Publish(user string, c settings.Change) {
	n.mu.Lock()
	lose := n.lose
	n.lose = false
	n.lost[user] = lose
	n.mu.Unlock()
	if !lose {
		n.hubs.Publish(user, c)
	}
}

// CommitUncertain passes on that the outcome of a commit is unknown.
func (n *node) CommitUncertain(user string) { n.hubs.CommitUncertain(user) }

// behind reports that the user's hub was not told of its newest change.
func (n *node) behind(user string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lost[user]
}

// breakable is the store with commits that fail.
type breakable struct {
	*store.Store
	node *node
}

func (b breakable) Commit(ctx context.Context, group []*settings.Write, limits settings.Limits) ([]settings.Outcome, error) {
	b.node.mu.Lock()
	fail := b.node.fail
	b.node.fail = ""
	b.node.mu.Unlock()
	broken := &errs.Error{Code: errs.Unavailable, Message: "broken on purpose"}
	if fail == "before" {
		return nil, broken
	}
	outcomes, err := b.Store.Commit(ctx, group, limits)
	if fail == "after" && err == nil {
		return nil, broken
	}
	return outcomes, err
}

// populate makes a user with devices of its own.
func (n *node) populate(user string, devices ...string) error {
	ctx, now := context.Background(), time.Now()
	device := func(id string) account.Device {
		return account.Device{ID: id, AccountID: "a" + user, Name: "name of " + id, CreatedAt: now, LastSeen: now}
	}
	owner := account.Account{ID: "a" + user, Email: user + "@example.org", PasswordHash: "x", CreatedAt: now}
	err := n.store.CreateAccount(ctx, owner, device(devices[0]), false)
	for _, d := range devices[1:] {
		err = errors.Join(err, n.store.CreateDevice(ctx, device(d), 100))
	}
	u := account.User{ID: user, AccountID: "a" + user, Username: user, CreatedAt: now}
	err = errors.Join(err, n.store.CreateUser(ctx, u, devices[0], 100))
	for _, d := range devices[1:] {
		_, joined := n.store.Join(ctx, user, d, now, 100)
		err = errors.Join(err, joined)
	}
	return err
}

// endpoint is a device's end of a session in memory (hub.Conn): it decodes what
// it is sent, as any client must, and keeps a replica.
type endpoint struct {
	user, device string
	resumed      bool
	session      *hub.Session

	mu      sync.Mutex // guards the following
	replica *Replica
	answers map[string]message // by patch id; the last one
	ready   bool
	closed  bool
	news    chan struct{}
}

// connect opens a session for a device that has what the replica says.
func (n *node) connect(user, device string, replica *Replica) (*endpoint, error) {
	e := &endpoint{
		user: user, device: device, replica: replica,
		answers: make(map[string]message), news: make(chan struct{}),
	}
	o := hub.Opening{
		User: user, Username: user, Device: protocol.Device{ID: device, Name: device},
		Expires: time.Now().Add(time.Hour), Conn: e,
	}
	if e.resumed = replica.Epoch != ""; e.resumed {
		// Through the decoder, as the wire has it.
		text := fmt.Sprintf(`{"type":"hello","resume":{"epoch":%q,"revision":%d}}`, replica.Epoch, replica.Revision)
		frame, err := protocol.Decode([]byte(text))
		if err != nil {
			return nil, err
		}
		hello, _ := frame.(protocol.Hello)
		o.Resume = hello.Resume
	}
	var err error
	if e.session, err = n.hubs.Attach(context.Background(), o); err != nil {
		return nil, err
	}
	return e, e.await("ready", func() bool { return e.ready })
}

// Write takes frames as a socket would.
func (e *endpoint) Write(frames []*protocol.Frame) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errors.New("closed")
	}
	for _, f := range frames {
		e.receiveLocked(f.Data)
	}
	close(e.news)
	e.news = make(chan struct{})
	return nil
}

func (e *endpoint) receiveLocked(text []byte) {
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		e.replica.fault("a frame that is not JSON: %s", text)
		return
	}
	switch m.Type {
	case "welcome":
		e.replica.Welcomed(m.Epoch, m.Revision, e.resumed)
	case "change":
		if e.replica.Apply(Frame{Epoch: m.Epoch, From: m.From, Revision: m.Revision, Values: m.Values.flat()}) {
			e.replica.fault("a gap: %s", text)
		}
	case "ready":
		e.replica.Reached("ready", m.Revision)
		e.ready = true
	case "ack", "refused":
		e.answers[m.ID] = m
	}
}

// Close ends the connection, from the server's side.
func (e *endpoint) Close(int, string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
}

// Hurry does nothing: no write takes long here.
func (e *endpoint) Hurry() {}

// disconnect ends the connection from the device's side.
func (e *endpoint) disconnect() {
	e.Close(0, "")
	e.session.Detach()
}

// await waits until cond, asked under the lock, holds.
func (e *endpoint) await(what string, cond func() bool) error {
	timeout := time.NewTimer(10 * time.Second)
	defer timeout.Stop()
	for {
		e.mu.Lock()
		holds, news := cond(), e.news
		e.mu.Unlock()
		if holds {
			return nil
		}
		select {
		case <-news:
		case <-timeout.C:
			return fmt.Errorf("%s waited in vain: %s", e.device, what)
		}
	}
}

// send sends a patch through the decoder and the settings, and waits for the answer.
func (n *node) send(e *endpoint, p *Patch) (Result, error) {
	frame, err := protocol.Decode(p.frame())
	if err != nil {
		return Result{}, err
	}
	patch, _ := frame.(protocol.Patch)
	if patch.Err != nil {
		return Result{}, patch.Err
	}
	e.mu.Lock()
	delete(e.answers, p.ID)
	e.mu.Unlock()
	if err := e.session.Begin(); err != nil {
		return Result{}, err
	}
	n.settings.Submit(e.user, e.device, patch.Patch, func(o settings.Outcome) {
		switch {
		case o.Err != nil:
			e.session.Answer(protocol.Refused(p.ID, errs.From(o.Err)), 0)
		case len(o.Answer.Conflict) > 0:
			e.session.Answer(protocol.Conflict(p.ID, o.Answer.Conflict), 0)
		default:
			e.session.Answer(protocol.Ack(p.ID, o.Answer, o.Duplicate), o.Answer.Revision)
		}
	})
	var m message
	err = e.await("an answer to "+p.ID, func() (ok bool) {
		m, ok = e.answers[p.ID]
		return ok
	})
	code, _ := m.Code.(string)
	return Result{Acked: m.Type == "ack", Revision: m.Revision, Duplicate: m.Duplicate, Code: code, Current: m.Current.flat()}, err
}
