package cluster

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"social-server/internal/hub"
)

// subscription is this node's subscription: to the channel of all nodes, and to
// the channel of each user that the node has a hub of.
//
// go-redis would reconnect and subscribe again silently. Here every failure ends
// the connection and run makes a new one, so every confirmation of a channel marks
// a gap: messages published before it were not received.
type subscription struct {
	broker *Redis

	mu        sync.Mutex // guards the following; held while commands are written
	conn      *redis.PubSub
	wanted    map[string]bool // channels of users
	confirmed time.Time       // zero: not subscribed
	lastBeat  time.Time       // of this node, received back
	closed    error           // why reopen closed the connection
	before    bool            // it was confirmed once
	away      bool            // the last attempt to subscribe has failed
	patience  time.Duration   // silence that is tolerated
}

const (
	retryFirst = 20 * time.Millisecond
	retryLast  = time.Second // so that Redis is found soon after it is back
	chunk      = 500         // channels in one command
)

// run subscribes, again and again, until the broker ends.
func (s *subscription) run() {
	r := s.broker
	wait, logged := retryFirst, false
	for r.ctx.Err() == nil {
		worked, err := s.listen()
		if r.ctx.Err() != nil {
			return
		}
		if worked {
			wait, logged = retryFirst, false
		}
		if !logged {
			logged = true
			r.Log.Warn("Redis lost: other nodes' changes are seen a few seconds later", "err", err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-r.ctx.Done():
		}
		timer.Stop()
		wait = min(2*wait, retryLast)
	}
}

// listen opens one connection and receives from it until it fails. It reports
// whether the subscription was confirmed.
func (s *subscription) listen() (worked bool, err error) {
	ctx := s.broker.ctx
	conn := s.broker.listener.Subscribe(ctx)
	defer func() {
		worked = s.shut(conn)
	}()
	if err := s.open(ctx, conn); err != nil {
		return false, err
	}
	for {
		got, err := conn.Receive(ctx)
		if err != nil {
			return false, s.reason(err)
		}
		switch got := got.(type) {
		case *redis.Subscription:
			if err := s.subscribed(got); err != nil {
				return false, err
			}
		case *redis.Message:
			s.receive(got)
		}
	}
}

// open subscribes to every wanted channel.
func (s *subscription) open(ctx context.Context, conn *redis.PubSub) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	s.conn, s.lastBeat, s.closed = conn, time.Now(), nil
	s.patience = max(s.patience, 3*s.broker.Beat)
	channels := append([]string{s.broker.allChannel()}, slices.Collect(maps.Keys(s.wanted))...)
	for some := range slices.Chunk(channels, chunk) {
		if err := conn.Subscribe(ctx, some...); err != nil {
			return err
		}
	}
	return nil
}

func (s *subscription) shut(conn *redis.PubSub) (worked bool) {
	_ = conn.Close() // reopen may have closed it
	s.mu.Lock()
	defer s.mu.Unlock()
	worked = !s.confirmed.IsZero()
	s.conn, s.confirmed, s.away = nil, time.Time{}, !worked
	return worked
}

// want begins or ends the subscription to a user. The next read shows a failure,
// and run starts over.
func (s *subscription) want(ctx context.Context, user string, wanted bool) {
	channel := s.broker.userChannel(user)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.wanted[channel] == wanted:
	case wanted:
		s.wanted[channel] = true
		if s.conn != nil {
			_ = s.conn.Subscribe(ctx, channel)
		}
	default:
		delete(s.wanted, channel)
		if s.conn != nil {
			_ = s.conn.Unsubscribe(ctx, channel)
		}
	}
}

var errUnsubscribed = errors.New("the server ended a subscription")

// subscribed handles a confirmation: messages published before it were missed.
func (s *subscription) subscribed(got *redis.Subscription) error {
	if got.Kind == "unsubscribe" {
		s.mu.Lock()
		defer s.mu.Unlock()
		if got.Channel == s.broker.allChannel() || s.wanted[got.Channel] {
			return errUnsubscribed
		}
		return nil
	}
	if user, ok := s.broker.userOf(got.Channel); ok {
		s.broker.receiver.Gap(user)
		return nil
	}
	s.mu.Lock()
	again := s.before
	s.before, s.away, s.confirmed, s.lastBeat = true, false, time.Now(), time.Now()
	s.mu.Unlock()
	if again {
		s.broker.Count(Resubscribed)
	}
	s.broker.Log.Info("Redis connected")
	s.broker.markAllDirty()
	s.broker.receiver.Gap("")
	return nil
}

// receive handles one message.
func (s *subscription) receive(got *redis.Message) {
	r := s.broker
	user, _ := r.userOf(got.Channel)
	m, err := r.read(got.Channel, got.Payload, user)
	heartbeat := err == nil && m.Kind == hub.PresenceMessage && m.User == ""
	switch {
	case err != nil:
		r.Count(Refused)
	case m.Node == r.node && heartbeat:
		s.mu.Lock()
		s.lastBeat, s.patience = time.Now(), 3*r.Beat
		s.mu.Unlock()
	case m.Node == r.node:
	default:
		r.nodeAlive(m.Node)
		if !heartbeat {
			r.Count(Received)
			r.receiver.Receive(m)
		}
	}
}

// since returns when the subscription was confirmed, and whether it is.
func (s *subscription) since() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.confirmed, !s.confirmed.IsZero()
}

// reachable reports whether publishing makes sense. While Redis is away it does
// not: after some failed connections go-redis opens no other for a second.
func (s *subscription) reachable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.away
}

// silent reports whether the connection is open and no heartbeat of this node came
// back for too long. The limit doubles each time in a row, because publishing may
// be what fails, and every new subscription makes all hubs read.
func (s *subscription) silent(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil || now.Sub(s.lastBeat) < s.patience {
		return false
	}
	s.patience = min(2*s.patience, 30*s.broker.Beat)
	return true
}

var errSilent = errors.New("the subscription brings nothing")

// reopen closes the connection; run opens a new one.
func (s *subscription) reopen(why error) {
	s.mu.Lock()
	conn := s.conn
	s.closed = why
	s.mu.Unlock()
	if conn != nil {
		_ = conn.Close() // it may have failed meanwhile
	}
}

// reason returns why reopen closed the connection, or else err.
func (s *subscription) reason(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		return s.closed
	}
	return err
}

// heartbeat publishes a sign of life to every node, this one included.
func (r *Redis) heartbeat() {
	r.Publish(hub.Message{Kind: hub.PresenceMessage})
}
