package relay

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"social-server/internal/hub"
)

// lane is one subscription: to the channel of all nodes, and to one of each user
// that this node has a hub of. Redis has one; a cluster has several, each with
// its slot and so on one shard.
//
// The library would reconnect and subscribe again without a word. Here every
// failure ends the subscription and a new one is made, so that there is one way
// in which it can begin, and all that its confirmations say is: read.
type lane struct {
	relay    *Redis
	all      string // channel
	users    string // channels' prefix
	presence string // keys' prefix

	mu        sync.Mutex // guards the following; held while a subscription is written
	sub       *redis.PubSub
	wanted    map[string]bool // channels of users
	confirmed time.Time       // zero: not subscribed
	heard     time.Time       // of itself
	failed    error           // why it was closed from here
	before    bool            // it was subscribed once
	away      bool            // the last try to subscribe has failed
	patience  time.Duration   // with silence
}

func newLane(r *Redis, name string) *lane {
	return &lane{relay: r, all: name + "all", users: name + "u:", presence: name + "p:", wanted: make(map[string]bool)}
}

const (
	retryFirst = 20 * time.Millisecond
	retryLast  = time.Second // so that Redis is found soon after it is back
	chunk      = 500         // channels in one command
)

// run subscribes, again and again, until the relay ends.
func (l *lane) run() {
	r := l.relay
	wait, told := retryFirst, false
	for r.ctx.Err() == nil {
		worked, err := l.listen()
		if r.ctx.Err() != nil {
			return
		}
		if worked {
			wait, told = retryFirst, false
		}
		if !told {
			told = true
			r.Log.Warn("relay lost: other nodes' changes are seen a few seconds later", "err", err)
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

// listen makes one subscription and hears what it brings until it fails. It
// reports whether the subscription was confirmed.
func (l *lane) listen() (worked bool, err error) {
	ctx := l.relay.ctx
	sub := l.relay.listener.Subscribe(ctx)
	defer func() {
		worked = l.shut(sub)
	}()
	if err := l.open(ctx, sub); err != nil {
		return false, err
	}
	for {
		got, err := sub.Receive(ctx)
		if err != nil {
			return false, l.reason(err)
		}
		switch got := got.(type) {
		case *redis.Subscription:
			if err := l.subscribed(got); err != nil {
				return false, err
			}
		case *redis.Message:
			l.hear(got)
		}
	}
}

// open subscribes to everything that is wanted.
func (l *lane) open(ctx context.Context, sub *redis.PubSub) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	l.sub, l.heard, l.failed = sub, time.Now(), nil
	l.patience = max(l.patience, 3*l.relay.Beat)
	channels := append([]string{l.all}, slices.Collect(maps.Keys(l.wanted))...)
	for some := range slices.Chunk(channels, chunk) {
		if err := l.subscribe(ctx, sub, some...); err != nil {
			return err
		}
	}
	return nil
}

func (l *lane) shut(sub *redis.PubSub) (worked bool) {
	_ = sub.Close() // it is closed already when reopen was first
	l.mu.Lock()
	defer l.mu.Unlock()
	worked = !l.confirmed.IsZero()
	l.sub, l.confirmed, l.away = nil, time.Time{}, !worked
	return worked
}

func (l *lane) subscribe(ctx context.Context, sub *redis.PubSub, channels ...string) error {
	if l.relay.sharded {
		return sub.SSubscribe(ctx, channels...)
	}
	return sub.Subscribe(ctx, channels...)
}

// want begins or ends the subscription to a user. A failure shows when the lane
// is read, which then starts over.
func (l *lane) want(ctx context.Context, user string, wanted bool) {
	channel := l.users + user
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.wanted[channel] == wanted:
	case wanted:
		l.wanted[channel] = true
		if l.sub != nil {
			_ = l.subscribe(ctx, l.sub, channel)
		}
	default:
		delete(l.wanted, channel)
		if l.sub != nil && l.relay.sharded {
			_ = l.sub.SUnsubscribe(ctx, channel)
		} else if l.sub != nil {
			_ = l.sub.Unsubscribe(ctx, channel)
		}
	}
}

var errUnsubscribed = errors.New("the server ended a subscription")

// subscribed takes in a confirmation: what was published before it was not heard.
func (l *lane) subscribed(s *redis.Subscription) error {
	if strings.HasSuffix(s.Kind, "unsubscribe") {
		l.mu.Lock()
		defer l.mu.Unlock()
		if s.Channel == l.all || l.wanted[s.Channel] {
			return errUnsubscribed // its slot has moved
		}
		return nil
	}
	user, ofUser := strings.CutPrefix(s.Channel, l.users)
	if ofUser {
		l.relay.receiver.Missed(user)
		return nil
	}
	l.mu.Lock()
	again := l.before
	l.before, l.away, l.confirmed, l.heard = true, false, time.Now(), time.Now()
	l.mu.Unlock()
	if again {
		l.relay.Count(Resubscribed)
	}
	l.relay.Log.Info("relay connected", "lane", l.all)
	l.relay.remark(l)
	l.relay.receiver.Missed("")
	return nil
}

// hear takes in a message.
func (l *lane) hear(m *redis.Message) {
	r := l.relay
	user, ofUser := strings.CutPrefix(m.Channel, l.users)
	if !ofUser {
		user = ""
	}
	n, err := r.read(m.Channel, m.Payload, user)
	switch {
	case err != nil:
		r.Count(Refused)
	case n.Node == r.node && n.Kind == beat:
		l.mu.Lock()
		l.heard, l.patience = time.Now(), 3*r.Beat
		l.mu.Unlock()
	case n.Node == r.node:
	default:
		r.heardOf(n.Node)
		if n.Kind != beat {
			r.Count(Received)
			r.receiver.Hear(n)
		}
	}
}

// since returns when the lane was subscribed, and whether it is.
func (l *lane) since() (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.confirmed, !l.confirmed.IsZero()
}

// reachable reports whether it makes sense to publish. While Redis is away it
// does not; and the library, after some connections that failed, opens no other
// for a second.
func (l *lane) reachable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.away
}

// silent reports whether the lane is open and its own beat has not come back for
// too long. The second time in a row it is given longer: it may be the publishing
// that fails, and every new subscription makes all hubs read.
func (l *lane) silent(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sub == nil || now.Sub(l.heard) < l.patience {
		return false
	}
	l.patience = min(2*l.patience, 30*l.relay.Beat)
	return true
}

var errSilent = errors.New("the subscription brings nothing")

// reopen ends the subscription under way; run makes a new one.
func (l *lane) reopen(why error) {
	l.mu.Lock()
	sub := l.sub
	l.failed = why
	l.mu.Unlock()
	if sub != nil {
		_ = sub.Close() // it is closed already when it failed meanwhile
	}
}

// reason is why a subscription failed that was closed from here; else err.
func (l *lane) reason(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return l.failed
	}
	return err
}

// probe publishes a beat on the lane, to the other nodes and to itself.
func (l *lane) probe() {
	r := l.relay
	body, err := encode(hub.News{Kind: beat, Node: r.node})
	if err != nil || !l.reachable() {
		return // two words can be encoded
	}
	r.put(order{lane: l, channel: l.all, text: r.keys.seal(l.all, body)})
}
