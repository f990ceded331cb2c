// Package cluster carries messages between the nodes of one server, over Redis.
//
// Delivery is at most once. Messages about one user from one node arrive in the
// order in which they were sent; between nodes, and between users, there is no
// order. Any message may be lost: Redis was away or restarted, the subscription
// broke or is silent, a queue was full, a node ran another version. So nothing
// may depend on a message. The hubs take each as a hint and read from the store
// after every gap; they also compare themselves with it every few seconds.
//
// A message carries no authority. It is signed, for its channel, with a key that
// only the nodes have; an unsigned one is dropped. An attacker who can write to
// Redis but lacks the key can only replay messages: old changes change nothing,
// and the rest makes hubs read the store, or repeats who was online.
package cluster

import (
	"log/slog"
	"time"

	"social-server/internal/hub"
)

// Receiver gets the messages of the other nodes. Its methods must not block.
type Receiver interface {
	// Receive applies a message.
	Receive(m hub.Message)
	// Gap reports that messages about a user may have been lost; with "", messages
	// about no user.
	Gap(user string)
	// NodeLeft reports that a node has stopped.
	NodeLeft(node string)
	// LocalPresence returns the devices connected to a user on this node, and
	// whether the node needs messages about the user.
	LocalPresence(user string) (connected []hub.Connected, wanted bool)
}

// Counter is an event of the broker that is counted.
type Counter string

// The counted events.
const (
	Sent         Counter = "sent"         // messages
	Received     Counter = "received"     // messages of other nodes
	Dropped      Counter = "dropped"      // messages that could not be sent
	Refused      Counter = "refused"      // messages without a valid signature or form
	Resubscribed Counter = "resubscribed" // subscriptions that were made again
	ProbeLost    Counter = "probe-lost"   // subscriptions that look healthy and bring nothing
)

// Counters returns all counted events, so that each can be exported from the start.
func Counters() []Counter {
	return []Counter{Sent, Received, Dropped, Refused, Resubscribed, ProbeLost}
}

// Options configure a Redis broker. URL and Keys are needed.
type Options struct {
	// URL is redis://, or rediss:// with TLS, and for a cluster redis-cluster://
	// or rediss-cluster:// with hosts separated by commas. user:password@ as usual.
	URL   string
	Keys  [][]byte      // secrets of the nodes: the first signs, all verify
	Log   *slog.Logger  // slog.Default
	Count func(Counter) // called for each event; it must not block

	Prefix    string        // of channels and keys: "social:"
	Beat      time.Duration // 1 s: between heartbeats; silence of 3 is a lost probe, of 6 a stopped node
	Subscribe string        // URL: tests subscribe at another server than they publish to
}
