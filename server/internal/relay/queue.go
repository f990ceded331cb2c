package relay

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"social-server/internal/hub"
)

// queueBytes bounds what waits to be sent while Redis is slow.
const queueBytes = 16 << 20

// owedMost bounds the users who are to be looked at. The hubs' own checks find
// the others, a little later.
const owedMost = 1 << 14

// order is a message to be published. That of a user's presence is kept as well,
// in the field of this node, or taken away there.
type order struct {
	lane    *lane
	channel string
	about   string // the user who is to be looked at if it cannot be sent; "" is nobody
	text    []byte
	user    string // "": it is not kept
	kept    []byte // empty: taken away
}

func (o order) size() int { return len(o.channel) + len(o.text) + len(o.user) + len(o.kept) }

// queue holds orders, in order, for the one goroutine that sends them.
type queue struct {
	mu     sync.Mutex // guards the following
	orders []order
	bytes  int

	work chan struct{} // holds a token while the queue may have something
}

func newQueue() queue { return queue{work: make(chan struct{}, 1)} }

// put reports false when the queue is full.
func (q *queue) put(o order) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bytes+o.size() > queueBytes {
		return false
	}
	q.orders = append(q.orders, o)
	q.bytes += o.size()
	select {
	case q.work <- struct{}{}:
	default: // the sender has been told already
	}
	return true
}

func (q *queue) take() []order {
	q.mu.Lock()
	defer q.mu.Unlock()
	orders := q.orders
	q.orders, q.bytes = nil, 0
	return orders
}

// publish sends what is queued until the relay ends.
func (r *Redis) publish() {
	for {
		select {
		case <-r.queue.work:
			r.send(context.Background(), r.queue.take()) // what was taken is sent, also when the relay ends
		case <-r.ctx.Done():
			return
		}
	}
}

// sendWithin bounds one round trip; sendMost, the orders in it.
const (
	sendWithin = 2 * time.Second
	sendMost   = 1000
)

// send sends orders in as few round trips as it can. What fails is dropped:
// sent later it would be old.
func (r *Redis) send(ctx context.Context, orders []order) {
	for len(orders) > 0 {
		n := min(len(orders), sendMost)
		r.sendSome(ctx, orders[:n])
		orders = orders[n:]
	}
}

func (r *Redis) sendSome(ctx context.Context, orders []order) {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	pipe := r.client.Pipeline()
	published := make([]*redis.IntCmd, len(orders))
	for i, o := range orders {
		key := o.lane.presence + o.user
		switch {
		case o.user == "":
		case len(o.kept) == 0:
			pipe.HDel(ctx, key, r.node)
		default:
			pipe.HSet(ctx, key, r.node, o.kept)
			pipe.Expire(ctx, key, keepPresence)
		}
		if r.sharded {
			published[i] = pipe.SPublish(ctx, o.channel, o.text)
		} else {
			published[i] = pipe.Publish(ctx, o.channel, o.text)
		}
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	sent := false
	for i, cmd := range published {
		if cmd.Err() == nil {
			r.Count(Sent)
			sent = true
			continue
		}
		r.Count(Dropped)
		r.owe(orders[i].about)
		if orders[i].user != "" {
			r.again(orders[i].user)
		}
	}
	if sent {
		r.repay()
	}
}

// owe notes that the others were not told something about a user. They cannot
// know: their own subscriptions are well.
func (r *Redis) owe(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if user != "" && len(r.owed) < owedMost {
		r.owed[user] = true
	}
}

// repay has the others look at what they were not told of, now that they can be told.
func (r *Redis) repay() {
	r.mu.Lock()
	owed := r.owed
	r.owed = make(map[string]bool)
	r.mu.Unlock()
	for user := range owed {
		r.Tell(hub.News{Kind: hub.LookNews, User: user})
	}
}
