package hub

import (
	"context"

	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// Relay carries news between the nodes of one server. News are hints: any of
// them may be lost, late, or come twice, and hubs stay right without them, only
// later. Its methods but Others never block.
type Relay interface {
	// Tell sends news to the hubs of the other nodes.
	Tell(n News)
	// Mark says that there is something new about a user here: a hub or none, or
	// who is connected. The relay asks Here for it, soon.
	Mark(user string)
	// Others returns who is connected to a user on the other nodes that live.
	Others(ctx context.Context, user string) (map[string][]Connected, error)
}

// Connected is a device with sessions to a user on one node.
type Connected struct {
	Device   string // id
	Sessions int
	Focus    string
	Seen     uint64
}

// Kind says what news are about, and with it which members of News they have.
type Kind string

// The kinds of news.
const (
	ChangeNews   Kind = "change"   // User, Change: it was stored
	MemberNews   Kind = "member"   // User, Event, Device: what happened to a member
	FrameNews    Kind = "frame"    // User, Frame: the members are to be shown it
	PreviewNews  Kind = "preview"  // User, Session, Frame: half a word (SPEC L1)
	PresenceNews Kind = "presence" // User, Node, Connected: all who are connected there
	NoticeNews   Kind = "notice"   // Account, Device, Frame: for the account's devices, but not this one
	LookNews     Kind = "look"     // User or Device: something about it may have changed in the store
	BellNews     Kind = "bell"     // Ask: it was answered
)

// News is what one node tells the others.
type News struct {
	Kind      Kind
	Node      string // which says so
	User      string // whose hub it is for; "" is every hub
	Change    settings.Change
	Event     string
	Device    protocol.Device
	Frame     *protocol.Frame
	Session   string
	Account   string
	Ask       string
	Connected []Connected
}

// Unconnected is the relay of nodes that share a store and nothing else: what one
// stores, the others find out by their checks.
type Unconnected struct{}

// Tell tells nobody.
func (Unconnected) Tell(News) {}

// Mark does nothing: nobody asks.
func (Unconnected) Mark(string) {}

// Others knows of nobody.
func (Unconnected) Others(context.Context, string) (map[string][]Connected, error) {
	return nil, nil
}

// Hear takes in news of another node. It never blocks: what has to be read from
// the store is read by a goroutine of the registry.
func (r *Registry) Hear(n News) {
	switch n.Kind {
	case NoticeNews:
		r.noticeHere(n)
	case BellNews:
		if r.Bell != nil {
			r.Bell(n.Ask)
		}
	case LookNews:
		r.lookHere(n)
	case ChangeNews, MemberNews, FrameNews, PreviewNews, PresenceNews:
		if h := r.hub(n.User); h != nil {
			h.hear(n)
		}
	}
}

func (h *Hub) hear(n News) {
	switch n.Kind {
	case ChangeNews:
		h.Apply(n.Change)
	case MemberNews:
		if n.Event == "revoked" || n.Event == "left" {
			h.registry.holdWhere(func(s *Session) bool { return s.hub == h && s.Device.ID == n.Device.ID })
		}
		h.memberEvent(n.Event, n.Device)
	case FrameNews:
		h.send(n.Frame, everyone)
	case PreviewNews:
		h.showPreview(n.Session, n.Frame)
	case PresenceNews:
		h.heardOf(n.Node, n.Connected)
	}
}

// lookHere looks at the store for what news may have changed: at a user, or at
// the sessions of a device.
func (r *Registry) lookHere(n News) {
	if n.User != "" {
		r.look(n.User)
		return
	}
	r.holdWhere(func(s *Session) bool { return s.Device.ID == n.Device.ID })
	if r.DeviceChanged != nil {
		r.DeviceChanged(n.Device.ID)
	}
}

// look makes the hub of a user read everything it shows from the store again.
func (r *Registry) look(user string) {
	if h := r.hub(user); h != nil {
		h.look()
	}
}

// Missed says that news of a user may have been lost, or news of no user if it is
// "": the store, and the other nodes, are asked for what they said.
func (r *Registry) Missed(user string) {
	if user == "" {
		r.checkSoon()
		return
	}
	r.look(user)
	r.meetOthers(user)
}

// Doubt says that a change of a user may have been stored without being
// published: every node looks (settings.Audience).
func (r *Registry) Doubt(user string) {
	r.look(user)
	r.relay.Tell(News{Kind: LookNews, User: user})
}

// Publish moves the user's hub, if anybody is connected, to a stored change,
// and tells the other nodes (settings.Audience). It never blocks.
func (r *Registry) Publish(user string, change settings.Change) {
	if h := r.hub(user); h != nil {
		h.Apply(change)
	}
	r.relay.Tell(News{Kind: ChangeNews, User: user, Change: change})
}
