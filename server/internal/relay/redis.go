package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"hash/fnv"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"social-server/internal/hub"
)

var (
	_ hub.Relay = (*Redis)(nil)
	_ Receiver  = (*hub.Registry)(nil)
)

const (
	flushEvery   = 100 * time.Millisecond // between two rounds of presence
	flushMost    = 1000                   // users in one round
	keepPresence = 10 * time.Minute       // in Redis
	renewAfter   = 3 * time.Minute        // it is written again
)

// Redis is the relay of a node of several (hub.Relay).
type Redis struct {
	Options
	node     string // this one's id, new with every start
	keys     keys
	client   redis.UniversalClient // publishes, and keeps presence
	listener redis.UniversalClient // subscribes; the same, but for tests
	sharded  bool
	lanes    []*lane
	queue    queue
	receiver Receiver

	ctx  context.Context
	stop context.CancelFunc
	own  sync.WaitGroup // goroutines of the relay

	marks chan struct{} // holds a token while users may be marked

	mu     sync.Mutex           // guards the following
	marked map[string]bool      // users to be announced; true: even if nothing changed
	shares map[string]share     // of users that this node wants news of
	nodes  map[string]time.Time // when others were last heard
	owed   map[string]bool      // users about whom the others were not told something
}

// share is what this node said last of a user.
type share struct {
	connected []hub.Connected
	at        time.Time
}

// OpenRedis makes a relay. It need not reach Redis: it connects after Start, in
// the background, as often as it has to. The caller must Close it.
func OpenRedis(o Options) (*Redis, error) {
	keys, err := newKeys(o.Keys)
	if err != nil {
		return nil, err
	}
	o.Keys = nil
	client, lanes, err := dial(o.URL)
	if err != nil {
		return nil, err
	}
	r := &Redis{
		Options: o.withDefaults(), node: rand.Text()[:16], keys: keys, client: client, listener: client, sharded: lanes > 1,
		queue: newQueue(), marks: make(chan struct{}, 1),
		marked: make(map[string]bool), shares: make(map[string]share), nodes: make(map[string]time.Time), owed: make(map[string]bool),
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	if o.Subscribe != "" {
		if r.listener, _, err = dial(o.Subscribe); err != nil {
			return nil, errors.Join(err, client.Close())
		}
	}
	for i := range lanes {
		r.lanes = append(r.lanes, newLane(r, r.Prefix+"{"+strconv.Itoa(i)+"}:"))
	}
	return r, nil
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Count == nil {
		o.Count = func(Event) {}
	}
	if o.Prefix == "" {
		o.Prefix = "social:"
	}
	if o.Beat == 0 {
		o.Beat = time.Second
	}
	return o
}

// Start begins to relay, for a receiver.
func (r *Redis) Start(receiver Receiver) {
	r.receiver = receiver
	r.own.Go(r.publish)
	r.own.Go(r.announce)
	r.own.Go(r.watch)
	for _, l := range r.lanes {
		r.own.Go(l.run)
	}
}

// Close says that nobody is connected here any more, as the receiver has it, and
// ends the relay. It comes after the hubs were closed.
func (r *Redis) Close() error {
	r.stop()
	for _, l := range r.lanes {
		l.reopen(r.ctx.Err())
	}
	r.own.Wait()
	if r.receiver != nil {
		for range r.rounds() {
			r.announceSome()
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

// Tell sends news to the other nodes, if it can. It never blocks.
func (r *Redis) Tell(n hub.News) {
	n.Node = r.node
	body, err := encode(n)
	if err == nil && len(body) > maxMessage && n.User != "" {
		body, err = encode(hub.News{Kind: hub.LookNews, Node: r.node})
	}
	if err != nil {
		r.Log.Error("news cannot be encoded", "kind", n.Kind, "err", err)
		return
	}
	l := r.lanes[0]
	channel := l.all
	if n.User != "" {
		l = r.laneOf(n.User)
		channel = l.users + n.User
	}
	r.put(order{lane: l, channel: channel, about: n.User, text: r.keys.seal(channel, body)})
}

// put queues an order, and reports false if it was dropped instead.
func (r *Redis) put(o order) bool {
	if o.lane.reachable() && r.queue.put(o) {
		return true
	}
	r.owe(o.about)
	r.Count(Dropped)
	return false
}

// laneOf returns the lane of a user: always the same, on every node.
func (r *Redis) laneOf(user string) *lane {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(user))                   // never fails
	return r.lanes[hash.Sum32()%uint32(len(r.lanes))] // #nosec G115 -- a few lanes
}

// Others returns who is connected to a user on the other nodes that live.
func (r *Redis) Others(ctx context.Context, user string) (map[string][]hub.Connected, error) {
	l := r.laneOf(user)
	since, open := l.since()
	if !open {
		return nil, errors.New("no connection to Redis")
	}
	key := l.presence + user
	fields, err := r.client.HGetAll(ctx, key).Result()
	if err != nil {
		return nil, err
	}
	others := make(map[string][]hub.Connected)
	for node, text := range fields {
		if node == r.node {
			continue
		}
		if !r.lives(node, since) {
			_ = r.client.HDel(ctx, key, node).Err() // else it goes with the key, unless others keep that
			continue
		}
		n, err := r.read(key, text, user)
		if err != nil || n.Node != node || n.Kind != hub.PresenceNews {
			r.Count(Refused)
			continue
		}
		others[node] = n.Connected
	}
	return others, nil
}

// read returns the news of a signed text.
func (r *Redis) read(channel, text, user string) (hub.News, error) {
	body, err := r.keys.unseal(channel, text)
	if err != nil {
		return hub.News{}, err
	}
	return decode(body, user)
}
