package hub

import (
	"context"

	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// Broker carries messages between the nodes of one server. Messages are hints:
// any of them may be lost, late, or duplicated. Hubs converge without them, only
// later. No method blocks except RemotePresence.
type Broker interface {
	// Publish sends a message to the hubs of the other nodes.
	Publish(m Message)
	// PresenceChanged reports that the local presence of a user may have changed:
	// its hub was made or removed, or a device came, went or changed. The broker
	// calls LocalPresence soon after.
	PresenceChanged(user string)
	// RemotePresence returns the devices connected to each user on the other live
	// nodes, in the order of users and by node.
	RemotePresence(ctx context.Context, users ...string) ([]map[string][]Connected, error)
}

// Connected is a device with sessions to a user on one node.
type Connected struct {
	Device   string // id
	Sessions int
	Focus    string
	Seen     uint64
}

// Kind is the kind of a message between nodes. It determines which fields of
// Message are set.
type Kind string

// The kinds of messages.
const (
	ChangeMessage   Kind = "change"   // User, Change: a stored change
	FrameMessage    Kind = "frame"    // User or Account, Frame; Session, Device: whom it is not for
	PresenceMessage Kind = "presence" // User, Connected: every device connected to the user on Node; no User: a heartbeat
	ReloadMessage   Kind = "reload"   // User or Device: the store has changed; Event: what happened to the member Device
)

// Message is what one node publishes to the others.
type Message struct {
	Kind      Kind
	Node      string // the sender
	User      string // the hub it is for; "" is every hub
	Change    settings.Change
	Event     string
	Device    protocol.Device
	Frame     *protocol.Frame
	Session   string
	Account   string
	Connected []Connected
}

// NopBroker is the broker of nodes that share only a store: their checks find
// what the others stored.
type NopBroker struct{}

// Publish does nothing.
func (NopBroker) Publish(Message) {}

// PresenceChanged does nothing.
func (NopBroker) PresenceChanged(string) {}

// RemotePresence returns nothing.
func (NopBroker) RemotePresence(_ context.Context, users ...string) ([]map[string][]Connected, error) {
	return make([]map[string][]Connected, len(users)), nil
}

// Receive applies a message of another node. It never blocks: a goroutine of the
// registry reads from the store where that is needed.
func (r *Registry) Receive(m Message) {
	switch m.Kind {
	case ChangeMessage:
		if h := r.hub(m.User); h != nil {
			h.Apply(m.Change)
		}
	case FrameMessage:
		r.deliver(m)
	case PresenceMessage:
		if h := r.hub(m.User); h != nil {
			h.receivePresence(m.Node, m.Connected)
		}
	case ReloadMessage:
		r.reload(m)
	}
}

// send delivers a frame message to the sessions of this node and publishes it to
// the others.
func (r *Registry) send(m Message) {
	r.deliver(m)
	r.broker.Publish(m)
}

// deliver queues the frame of a message for the sessions of its user or account,
// except those of its session or device. Of the previews of one session only the
// newest is kept (SPEC L1).
func (r *Registry) deliver(m Message) {
	if m.Account != "" {
		for _, h := range r.all() {
			h.send(m.Frame, func(s *Session) bool { return s.account == m.Account && s.Device.ID != m.Device.ID })
		}
		return
	}
	h := r.hub(m.User)
	switch {
	case h == nil:
	case m.Session != "":
		h.showPreview(m.Session, m.Frame)
	default:
		h.send(m.Frame, everySession)
	}
}

// reload reads a user from the store again, and suspends the sessions of a device
// until their access was checked. An event shows what happened to the member.
func (r *Registry) reload(m Message) {
	if m.Device.ID != "" && (m.User == "" || m.Event == "revoked" || m.Event == "left") {
		r.holdWhere(func(s *Session) bool {
			return s.Device.ID == m.Device.ID && (m.User == "" || s.hub.user == m.User)
		})
	}
	h := r.hub(m.User)
	switch {
	case h == nil:
	case m.Event != "":
		h.memberEvent(m.Event, m.Device)
	default:
		h.look()
	}
}

// look reads everything that the hub of a user shows from the store again.
func (r *Registry) look(user string) {
	if h := r.hub(user); h != nil {
		h.look()
	}
}

// Gap reports that messages about a user may have been lost, or with "" messages
// about no user. The hub reads from the store and from the other nodes again.
func (r *Registry) Gap(user string) {
	if user == "" {
		r.checkSoon()
		return
	}
	r.look(user)
	r.fetchRemotePresence(user)
}

// CommitUncertain reports that a change of a user may have been stored without
// being published: every node reads the user again (settings.Publisher).
func (r *Registry) CommitUncertain(user string) {
	r.look(user)
	r.broker.Publish(Message{Kind: ReloadMessage, User: user})
}

// Publish applies a stored change to the user's hub, if anybody is connected, and
// publishes it to the other nodes (settings.Publisher). It never blocks.
func (r *Registry) Publish(user string, change settings.Change) {
	if h := r.hub(user); h != nil {
		h.Apply(change)
	}
	r.broker.Publish(Message{Kind: ChangeMessage, User: user, Change: change})
}
