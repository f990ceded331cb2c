package hub

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"social-server/internal/errs"
	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// Source is where a hub reads what it lacks: the store, which is the truth.
type Source interface {
	// Changed returns a user's head and its entries above a revision, read at one point in time.
	Changed(ctx context.Context, user string, above uint64) (settings.Head, []settings.Entry, error)
	// HubMembers returns the devices that have joined a user, ordered by the time they did.
	HubMembers(ctx context.Context, user string) ([]Member, error)
	// Heads returns the epoch and the revisions of users. One that does not exist is not among them.
	Heads(ctx context.Context, users []string) (epoch string, revisions map[string]uint64, err error)
	// Standings says of each seat, in their order, whether it still is one.
	Standings(ctx context.Context, seats []Seat) ([]Standing, error)
}

// Options are the registry's numbers (SPEC C8, S6, A1) and who is told what. The
// functions may be nil, and must not block.
type Options struct {
	SessionsPerDevice int           // to one user
	PingEvery         time.Duration // silence before a ping
	PongWithin        time.Duration // answer to a ping
	AuthDueLead       time.Duration // notice before a token ends
	Resynced          func()        // a device asked for everything again (SPEC S7)

	Broker    Broker              // to the other nodes; nil: no other node writes to the store
	GapFound  func()              // a repair found a change that the hub had missed
	Delivered func(time.Duration) // from a change's arrival at the hub until it was written to a session
}

const (
	sweepEvery = time.Second
	readers    = 8 // hubs at once that repair themselves, or ask the other nodes
)

var errRestarting error = &errs.Error{
	Code: errs.Unavailable, Message: "The server is restarting.", RetryAfter: time.Second,
}

// Registry holds the hubs of the users with live sessions on this node. A hub
// lives from its first session to its last.
type Registry struct {
	Options
	source  Source
	broker  Broker
	several bool // nodes
	log     *slog.Logger
	now     func() time.Time

	ctx    context.Context // ends the repairs, the sweep and the checks
	stop   context.CancelFunc
	own    sync.WaitGroup // goroutines of the registry
	pushes pushes         // sessions to be written to
	turns  chan struct{}  // holds a token per repair that reads
	asking chan struct{}  // and one per hub that asks the broker
	soon   chan struct{}  // holds a token when a check is not to wait

	closing atomic.Bool // no session opens any more; set before Close looks at the hubs

	mu    sync.Mutex // guards the following and every Hub.refs
	hubs  map[string]*Hub
	empty chan struct{} // closed when closing and the last session is gone
}

// NewRegistry starts the sweep of signs of life and, with several nodes, the
// checks; Close ends them.
func NewRegistry(source Source, log *slog.Logger, now func() time.Time, options Options) *Registry {
	ctx, stop := context.WithCancel(context.Background())
	r := &Registry{
		Options: options, source: source, broker: options.Broker, several: options.Broker != nil, log: log, now: now,
		ctx: ctx, stop: stop, turns: make(chan struct{}, readers), asking: make(chan struct{}, readers), soon: make(chan struct{}, 1),
		hubs: make(map[string]*Hub), empty: make(chan struct{}),
	}
	r.push()
	r.own.Go(r.sweep)
	if r.several {
		r.own.Go(r.checks)
	} else {
		r.broker = NopBroker{}
	}
	return r
}

// Attach opens a session. The whole opening is queued before it returns, so
// that nothing committed afterwards is missed, and nothing before is skipped.
// It fails with errs.Unavailable while the server stops, errs.QuotaExceeded
// when the device has too many sessions, errs.NotFound when it is no member, or
// as the store does.
func (r *Registry) Attach(ctx context.Context, o Opening) (*Session, error) {
	h, err := r.acquire(o.User)
	if err != nil {
		return nil, err
	}
	select {
	case <-h.loaded:
		err = h.know(ctx, o)
	case <-ctx.Done():
		err = errs.Wrap(ctx.Err())
	}
	if err != nil {
		r.release(h)
		return nil, err
	}
	s := newSession(h, "s_"+strings.ToLower(rand.Text()[:16]), o, r.now())
	if err := h.add(s, o, r.SessionsPerDevice); err != nil {
		r.release(h)
		return nil, err
	}
	r.broker.PresenceChanged(o.User)
	return s, nil
}

// know makes sure the hub is new enough to judge a device: it may have joined a
// moment ago, or been shown by another hub, or before a crash, what this one has
// not heard of. Only the store can tell that from a device that is ahead of it.
func (h *Hub) know(ctx context.Context, o Opening) error {
	if h.loadErr != nil {
		return h.loadErr
	}
	h.mu.Lock()
	listed := h.memberLocked(o.Device.ID) != nil && !h.stale // it may have been revoked a moment ago
	ahead := o.Resume != nil && o.Resume.Epoch == h.state.Epoch && o.Resume.Revision > h.state.Revision
	h.stale = h.stale || !listed
	h.mu.Unlock()
	if listed && !ahead {
		return nil
	}
	_, err := h.read(ctx)
	return err
}

// add puts a session among the hub's, unless its device may not or has too many.
func (h *Hub) add(s *Session, o Opening, most int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.registry.closing.Load() {
		return errRestarting
	}
	if h.memberLocked(s.Device.ID) == nil {
		return errs.New(errs.NotFound, "This device has not joined such a user.")
	}
	if err := h.makeRoomLocked(s, most); err != nil {
		return err
	}
	h.sessions = append(h.sessions, s)
	h.due = time.Time{}
	if s.mode != Quiet {
		h.touchLocked(s.Device.ID, func(m *member) {
			m.sessions++
			m.LastSeen = h.registry.now()
		})
	}
	s.openLocked(o)
	return nil
}

// makeRoomLocked refuses a session over the most of its device. A stream instead
// ends the device's oldest one: its peer may have vanished without a word, and
// it can answer no ping (SPEC C8).
func (h *Hub) makeRoomLocked(s *Session, most int) error {
	living, all := 0, 0
	var oldest *Session
	for _, other := range h.sessions {
		if other.Device.ID != s.Device.ID {
			continue
		}
		all++
		if other.ending != nil {
			continue
		}
		living++
		if oldest == nil && other.mode == OneWay {
			oldest = other
		}
	}
	full := all >= most
	if s.mode == OneWay {
		full = living >= most && oldest == nil || all >= 2*most // those that are ending are bounded too
	}
	if full {
		return errs.New(errs.QuotaExceeded, "This device has %d connections to this user already.", most)
	}
	if living >= most {
		oldest.endLocked(protocol.CloseTooMany, "a newer stream takes its place")
	}
	return nil
}

// Accepting fails with errs.Unavailable once no session opens any more: whoever
// asks before a connection is made can go elsewhere at once.
func (r *Registry) Accepting() error {
	if r.closing.Load() {
		return errRestarting
	}
	return nil
}

// acquire returns the user's hub, making it and starting its first read if need be.
func (r *Registry) acquire(user string) (*Hub, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing.Load() {
		return nil, errRestarting
	}
	h := r.hubs[user]
	if h == nil {
		h = &Hub{user: user, registry: r, loaded: make(chan struct{}), stale: true, repairing: true, presence: 1}
		r.hubs[user] = h
		r.own.Go(func() { r.load(h) })
	}
	h.refs++
	return h, nil
}

// load is a hub's first read, and more of them as long as changes are committed
// meanwhile: a session that opened behind them would get acks before changes
// (SPEC S4). It counts as a repair.
func (r *Registry) load(h *Hub) {
	r.broker.PresenceChanged(h.user) // the sooner it hears of the others, the less it misses
	r.fetchRemotePresence(h.user)
	_, h.loadErr = h.read(r.ctx)
	for h.loadErr == nil && !h.currentOrMore() {
		_, h.loadErr = h.read(r.ctx)
	}
	if h.loadErr != nil {
		r.mu.Lock()
		if r.hubs[h.user] == h {
			delete(r.hubs, h.user) // whoever comes next tries afresh
		}
		r.mu.Unlock()
	}
	close(h.loaded)
}

// release gives a hub back; the last one removes it.
func (r *Registry) release(h *Hub) {
	r.mu.Lock()
	h.refs--
	if h.refs == 0 && r.hubs[h.user] == h {
		delete(r.hubs, h.user)
	}
	r.mu.Unlock()
	r.broker.PresenceChanged(h.user) // before Close hears that the registry is empty
	r.mu.Lock()
	r.emptyLocked()
	r.mu.Unlock()
}

func (r *Registry) emptyLocked() {
	if !r.closing.Load() || len(r.hubs) > 0 {
		return
	}
	select {
	case <-r.empty:
	default:
		close(r.empty)
	}
}

// spawn runs a goroutine the registry owns, unless it is closing.
func (r *Registry) spawn(f func(context.Context)) bool {
	if r.ctx.Err() != nil {
		return false
	}
	r.own.Go(func() { f(r.ctx) })
	return true
}

func (r *Registry) hub(user string) *Hub {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hubs[user]
}

func (r *Registry) all() []*Hub {
	r.mu.Lock()
	defer r.mu.Unlock()
	hubs := make([]*Hub, 0, len(r.hubs))
	for _, h := range r.hubs {
		hubs = append(hubs, h)
	}
	return hubs
}

// sweep looks at every session's clocks once a second.
func (r *Registry) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			return
		}
		now := r.now()
		for _, h := range r.all() {
			h.sweep(now)
		}
	}
}

// sweep looks at the clocks of the hub's sessions, if one of them is due: most
// of the time none is, and to look at 10,000 took 0.3 % of a core.
func (h *Hub) sweep(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Before(h.due) {
		return
	}
	h.due = now.Add(time.Hour)
	for _, s := range h.sessions {
		s.sweepLocked(now)
		if due := s.dueLocked(); due.Before(h.due) {
			h.due = due
		}
	}
}

// Sessions counts the live sessions of this node, and its hubs.
func (r *Registry) Sessions() (sessions, hubs int) {
	list := r.all()
	for _, h := range list {
		h.mu.Lock()
		sessions += len(h.sessions)
		h.mu.Unlock()
	}
	return sessions, len(list)
}
