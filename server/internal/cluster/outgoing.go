package cluster

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"social-server/internal/hub"
)

// queueBytes bounds what waits to be sent while Redis is slow.
const queueBytes = 16 << 20

// unsentMost bounds the users to resync. The hubs' own checks find the others, a
// little later.
const unsentMost = 1 << 14

// outgoing is a message to be published. The presence of a user is also stored in
// Redis, in this node's field of a hash, or removed from it.
type outgoing struct {
	channel  string
	user     string // to resync if the message cannot be sent; "" is nobody
	text     []byte
	presence bool   // the presence of user, which is stored as well
	stored   []byte // empty: removed
}

func (o outgoing) size() int { return len(o.channel) + len(o.text) + len(o.user) + len(o.stored) }

// queue holds messages, in order, for the one goroutine that sends them.
type queue struct {
	mu       sync.Mutex // guards the following
	messages []outgoing
	bytes    int

	work chan struct{} // holds a token while the queue may have something
}

func newQueue() queue { return queue{work: make(chan struct{}, 1)} }

// put reports false when the queue is full.
func (q *queue) put(o outgoing) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bytes+o.size() > queueBytes {
		return false
	}
	q.messages = append(q.messages, o)
	q.bytes += o.size()
	select {
	case q.work <- struct{}{}:
	default: // the sender is woken already
	}
	return true
}

func (q *queue) take() []outgoing {
	q.mu.Lock()
	defer q.mu.Unlock()
	messages := q.messages
	q.messages, q.bytes = nil, 0
	return messages
}

// sendQueued sends queued messages until the broker ends.
func (r *Redis) sendQueued() {
	for {
		select {
		case <-r.queue.work:
			r.send(context.Background(), r.queue.take()) // taken messages are sent even while the broker ends
		case <-r.ctx.Done():
			return
		}
	}
}

// sendWithin bounds one round trip; sendMost, the messages in it.
const (
	sendWithin = 2 * time.Second
	sendMost   = 1000
)

// send sends messages in as few round trips as possible. A message that fails is
// dropped, because it would be old by the time it was sent again.
func (r *Redis) send(ctx context.Context, messages []outgoing) {
	for some := range slices.Chunk(messages, sendMost) {
		r.sendSome(ctx, some)
	}
}

func (r *Redis) sendSome(ctx context.Context, messages []outgoing) {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	pipe := r.client.Pipeline()
	published := make([]*redis.IntCmd, len(messages))
	for i, o := range messages {
		key := r.presenceKey(o.user)
		switch {
		case !o.presence:
		case len(o.stored) == 0:
			pipe.HDel(ctx, key, r.node)
		default:
			pipe.HSet(ctx, key, r.node, o.stored)
			pipe.Expire(ctx, key, keepPresence)
		}
		published[i] = pipe.Publish(ctx, o.channel, o.text)
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
		if o := messages[i]; o.presence {
			r.markDirtyLater(o.user)
		} else {
			r.markUnsent(o.user)
		}
	}
	if sent {
		r.resyncUnsent()
	}
}

// markUnsent notes that the other nodes missed a message about a user. They cannot
// detect it: their own subscriptions work.
func (r *Redis) markUnsent(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if user != "" && len(r.unsent) < unsentMost {
		r.unsent[user] = true
	}
}

// resyncUnsent makes the other nodes reload the users about whom they missed a
// message, now that they can be reached.
func (r *Redis) resyncUnsent() {
	r.mu.Lock()
	unsent := r.unsent
	r.unsent = make(map[string]bool)
	r.mu.Unlock()
	for user := range unsent {
		r.Publish(hub.Message{Kind: hub.ReloadMessage, User: user})
	}
}
