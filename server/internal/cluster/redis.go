package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"social-server/internal/hub"
)

var (
	_ hub.Broker = (*Redis)(nil)
	_ Receiver   = (*hub.Registry)(nil)
)

const (
	flushEvery   = 100 * time.Millisecond // between two rounds of presence
	flushMost    = 1000                   // users in one round
	keepPresence = 10 * time.Minute       // in Redis
	renewAfter   = 3 * time.Minute        // it is written again
)

// Redis is the broker of one node among several (hub.Broker).
type Redis struct {
	Options
	node         string // this node's id, new with every start
	keys         keys
	client       redis.UniversalClient // publishes, and stores presence
	listener     redis.UniversalClient // subscribes; the same client, except in tests
	subscription *subscription
	queue        queue
	receiver     Receiver

	ctx  context.Context
	stop context.CancelFunc
	own  sync.WaitGroup // goroutines of the broker

	changed chan struct{} // holds a token while users may be dirty

	mu        sync.Mutex           // guards the following
	dirty     map[string]bool      // users whose presence is to be published; true: even if nothing changed
	published map[string]published // of users with a hub on this node
	nodes     map[string]time.Time // when the other nodes last sent a message
	unsent    map[string]bool      // users about whom a message could not be sent
}

// published is the presence of a user that this node published last.
type published struct {
	connected []hub.Connected
	at        time.Time
}

// OpenRedis makes a broker. It need not reach Redis: after Start it connects in
// the background, and again whenever the connection fails. The caller must Close it.
func OpenRedis(o Options) (*Redis, error) {
	keys, err := newKeys(o.Keys)
	if err != nil {
		return nil, err
	}
	o.Keys = nil
	client, err := dial(o.URL)
	if err != nil {
		return nil, err
	}
	r := &Redis{
		Options: o.withDefaults(), node: rand.Text()[:16], keys: keys, client: client, listener: client,
		queue: newQueue(), changed: make(chan struct{}, 1),
		dirty: make(map[string]bool), published: make(map[string]published), nodes: make(map[string]time.Time), unsent: make(map[string]bool),
	}
	r.subscription = &subscription{broker: r, wanted: make(map[string]bool)}
	r.ctx, r.stop = context.WithCancel(context.Background())
	if o.Subscribe != "" {
		if r.listener, err = dial(o.Subscribe); err != nil {
			return nil, errors.Join(err, client.Close())
		}
	}
	return r, nil
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Count == nil {
		o.Count = func(Counter) {}
	}
	if o.Prefix == "" {
		o.Prefix = "social:"
	}
	if o.Beat == 0 {
		o.Beat = time.Second
	}
	return o
}

func (r *Redis) allChannel() string             { return r.Prefix + "all" }
func (r *Redis) userChannel(user string) string { return r.Prefix + "u:" + user }
func (r *Redis) presenceKey(user string) string { return r.Prefix + "p:" + user }

// userOf returns the user of a channel; the channel of all nodes has none.
func (r *Redis) userOf(channel string) (user string, ok bool) {
	if user, ok = strings.CutPrefix(channel, r.userChannel("")); !ok {
		return "", false
	}
	return user, true
}

// Start connects the broker to a receiver.
func (r *Redis) Start(receiver Receiver) {
	r.receiver = receiver
	r.own.Go(r.sendQueued)
	r.own.Go(r.publishDirty)
	r.own.Go(r.watch)
	r.own.Go(r.subscription.run)
}

// Close publishes the last presence, in which nobody is connected here, and ends
// the broker. The hubs must be closed before.
func (r *Redis) Close() error {
	r.stop()
	r.subscription.reopen(r.ctx.Err())
	r.own.Wait()
	if r.receiver != nil {
		for range r.rounds() {
			r.publishSome()
		}
		ctx, cancel := context.WithTimeout(context.Background(), sendWithin)
		defer cancel()
		r.send(ctx, r.queue.take())
	}
	err := r.client.Close()
	if r.listener != r.client {
		err = errors.Join(err, r.listener.Close())
	}
	return err
}

// Ping reports whether Redis answers.
func (r *Redis) Ping(ctx context.Context) error { return r.client.Ping(ctx).Err() }

// Publish sends a message to the other nodes, if Redis is reachable. It never blocks.
func (r *Redis) Publish(m hub.Message) {
	m.Node = r.node
	body, err := encode(m)
	if err == nil && len(body) > maxMessage && m.User != "" {
		body, err = encode(hub.Message{Kind: hub.ReloadMessage, Node: r.node})
	}
	if err != nil {
		r.Log.Error("message cannot be encoded", "kind", m.Kind, "err", err)
		return
	}
	channel := r.allChannel()
	if m.User != "" {
		channel = r.userChannel(m.User)
	}
	r.put(outgoing{channel: channel, user: m.User, text: r.keys.seal(channel, body)})
}

// put queues a message, and reports false if it was dropped instead.
func (r *Redis) put(o outgoing) bool {
	if r.subscription.reachable() && r.queue.put(o) {
		return true
	}
	if !o.presence {
		r.markUnsent(o.user)
	}
	r.Count(Dropped)
	return false
}

// RemotePresence returns the devices connected to each user on the other live
// nodes, by node, in one round trip.
func (r *Redis) RemotePresence(ctx context.Context, users ...string) ([]map[string][]hub.Connected, error) {
	since, open := r.subscription.since()
	if !open {
		return nil, errors.New("no connection to Redis")
	}
	pipe := r.client.Pipeline()
	stored := make([]*redis.MapStringStringCmd, len(users))
	for i, user := range users {
		stored[i] = pipe.HGetAll(ctx, r.presenceKey(user))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	others := make([]map[string][]hub.Connected, len(users))
	for i, user := range users {
		others[i] = r.remotePresence(ctx, user, stored[i].Val(), since)
	}
	return others, nil
}

// remotePresence decodes the stored presence of a user, and removes that of nodes
// that have stopped.
func (r *Redis) remotePresence(ctx context.Context, user string, fields map[string]string, since time.Time) map[string][]hub.Connected {
	key := r.presenceKey(user)
	others := make(map[string][]hub.Connected)
	for node, text := range fields {
		if node == r.node {
			continue
		}
		if !r.live(node, since) {
			_ = r.client.HDel(ctx, key, node).Err() // it expires with the key, unless other nodes renew that
			continue
		}
		m, err := r.read(key, text, user)
		if err != nil || m.Node != node || m.Kind != hub.PresenceMessage {
			r.Count(Refused)
			continue
		}
		others[node] = m.Connected
	}
	return others
}

// read returns the message of a signed text.
func (r *Redis) read(channel, text, user string) (hub.Message, error) {
	body, err := r.keys.unseal(channel, text)
	if err != nil {
		return hub.Message{}, err
	}
	return decode(body, user)
}
