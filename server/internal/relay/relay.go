// Package relay carries news between the nodes of one server, over Redis.
//
// What it promises is little, on purpose. Delivery is at most once. News of one
// user from one node arrive in the order they were sent in; between nodes, and
// between users, there is no order. Any message may be lost: Redis was away or
// restarted, the subscription broke or is silent, a queue was full, a node ran
// another version. So nothing may depend on a message. The hubs take each as a
// hint, and the store is the truth: a hub reads it after every gap (Missed), and
// is compared with it every few seconds whatever is heard here.
//
// A message carries no authority. It is signed, for a channel, with a key only
// the nodes have; one that is not is dropped. Somebody who can write to Redis
// and has no key can repeat what a node once said: old changes change nothing,
// and the rest makes hubs read what is true, or says again who was online.
package relay

import (
	"log/slog"
	"time"

	"social-server/internal/hub"
)

// Receiver is who hears of the other nodes: the hubs. Its methods must not block.
type Receiver interface {
	// Hear takes in news.
	Hear(n hub.News)
	// Missed says that news of a user may have been lost; with "", those of no user.
	Missed(user string)
	// Gone says that a node is heard of no more.
	Gone(node string)
	// Here returns who is connected to a user on this node, and whether news of
	// the user are wanted.
	Here(user string) (connected []hub.Connected, wanted bool)
}

// Event is something that happened to the relay, to be counted.
type Event string

// The events.
const (
	Sent         Event = "sent"         // messages
	Received     Event = "received"     // messages of other nodes
	Dropped      Event = "dropped"      // messages that could not be sent
	Refused      Event = "refused"      // messages that no node of this version can have meant
	Resubscribed Event = "resubscribed" // subscriptions that were made anew
	ProbeLost    Event = "probe-lost"   // subscriptions that look healthy and bring nothing
)

// Events are all events, for who shows each from the start.
func Events() []Event {
	return []Event{Sent, Received, Dropped, Refused, Resubscribed, ProbeLost}
}

// Options are what a Redis relay is made of. URL and Keys are needed.
type Options struct {
	// URL is redis://, or rediss:// with TLS, and for a cluster redis-cluster://
	// or rediss-cluster:// with hosts separated by commas. user:password@ as usual.
	URL   string
	Keys  [][]byte     // secrets of the nodes: the first signs, all verify
	Log   *slog.Logger // slog.Default
	Count func(Event)  // is told of each event; it must not block

	Prefix    string        // of channels and keys: "social:"
	Beat      time.Duration // 1 s: between signs of life; silence of 3 is a lost probe, of 6 a gone node
	Subscribe string        // URL: tests subscribe at another server than they publish to
}
