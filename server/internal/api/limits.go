package api

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"social-server/internal/errs"
)

// Limits bound how often passwords may be tried. Zero is the default.
type Limits struct {
	Failures    int              // 10: wrong passwords per device name, or e-mail address, in 15 minutes; of an account, twice that
	Tries       int              // 30: log-ins and registrations per client address and minute
	AllFailures int              // 300: wrong passwords per minute, of all strangers together
	Waiting     int              // 1000: WebSockets that have not said who they are
	Now         func() time.Time // time.Now

	WaitingPerAddress     int // 20: those of one client address
	ConnectionsPerAddress int // 256: connections of one client address; those that are sessions do not count

	Limited func(limiter string) // told of every refusal by a limiter, to count them; may be nil
}

// The limiters, by what they count: how a refusal is told to Limits.Limited.
const (
	byAddress   = "address"   // tries of a client address
	byName      = "name"      // wrong passwords for a name
	byAccount   = "account"   // wrong passwords for an account
	byStrangers = "strangers" // wrong passwords of all strangers together
	byCode      = "code"      // wrong codes of invitations
	byWaiting   = "waiting"   // sockets that have not said who they are
	byFrames    = "frames"    // frames of a session

	byConnections = "connections" // connections of a client address
)

// Limiters returns the names of all limiters.
func Limiters() []string {
	return []string{byAddress, byName, byAccount, byStrangers, byCode, byWaiting, byFrames, byConnections}
}

// limited tells of a refusal by a limiter.
func (l *Limits) limited(limiter string) {
	if l.Limited != nil {
		l.Limited(limiter)
	}
}

// guard slows down whoever guesses passwords. What it knows is in memory, and
// bounded: a restart forgives.
//
// Strangers who guess at a name use up the guesses of that name, of its account
// and of all strangers, but not those of an address from which the right
// password came before: the owner is not locked out.
type guard struct {
	tries    *buckets // by client address
	failures *buckets // by name, or by known address and name
	accounts *buckets // by account: one may have many device names
	all      *buckets // of strangers, under one key
	now      func() time.Time
	limited  func(limiter string)

	mu    sync.Mutex          // guards the following field; nothing waits under it
	known map[string]struct{} // pairs of address and name whose password was right
}

func newGuard(l Limits) *guard {
	failures, tries, all := cmp.Or(l.Failures, 10), cmp.Or(l.Tries, 30), cmp.Or(l.AllFailures, 300)
	g := &guard{
		tries:    newBuckets(byAddress, tries, time.Minute),
		failures: newBuckets(byName, failures, 15*time.Minute),
		accounts: newBuckets(byAccount, 2*failures, 15*time.Minute),
		all:      newBuckets(byStrangers, all, time.Minute),
		known:    map[string]struct{}{},
		now:      l.Now,
		limited:  l.limited,
	}
	if g.now == nil {
		g.now = time.Now
	}
	return g
}

// try is one attempt with a password.
type try struct {
	guard *guard
	pair  string // the address and the name
	held  []held // what a failure costs; given back unless it is one
}

// held is a token that was taken from a bucket.
type held struct {
	from *buckets
	key  string
}

// admit lets an attempt at a name pass, or says when to come back. It counts as
// a failure until done says otherwise, so that many at once are not all let
// through. The account the name belongs to, if any, is asked for only if the
// address has tries left.
func (g *guard) admit(r *http.Request, name string, owner func() (string, error)) (try, error) {
	key := strings.ToLower(name[:min(len(name), maxKey)])
	t := try{guard: g, pair: addressOf(r) + " " + key}
	if wait := g.tries.take(addressOf(r), g.now()); wait > 0 {
		return t, g.tooOften(g.tries, wait)
	}
	if g.isKnown(t.pair) {
		return t, t.take(held{g.failures, t.pair})
	}
	account, err := owner()
	if err != nil {
		return t, err
	}
	costs := []held{{g.failures, key}, {g.all, ""}}
	if account != "" {
		costs = append(costs, held{g.accounts, account})
	}
	return t, t.take(costs...)
}

// admitOwner lets an attempt of somebody pass who is signed in already.
// Strangers cannot use up what it costs.
func (g *guard) admitOwner(r *http.Request, accountID string) (try, error) {
	t := try{guard: g}
	if wait := g.tries.take(addressOf(r), g.now()); wait > 0 {
		return t, g.tooOften(g.tries, wait)
	}
	return t, t.take(held{g.failures, "account " + accountID})
}

// take takes all tokens, or none and says when to come back.
func (t *try) take(costs ...held) error {
	for _, one := range costs {
		if wait := one.from.take(one.key, t.guard.now()); wait > 0 {
			t.giveBack()
			return t.guard.tooOften(one.from, wait)
		}
		t.held = append(t.held, one)
	}
	return nil
}

func (t *try) giveBack() {
	for _, one := range t.held {
		one.from.giveBack(one.key)
	}
	t.held = nil
}

// done ends an attempt: only a wrong password counts.
func (t *try) done(err error) {
	if errs.Is(err, errs.Unauthorized) {
		return
	}
	t.giveBack()
	if err == nil && t.pair != "" {
		t.guard.remember(t.pair)
	}
}

// isKnown reports whether the right password came from an address before.
func (g *guard) isKnown(pair string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.known[pair]
	return ok
}

func (g *guard) remember(pair string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	makeRoom(g.known)
	g.known[pair] = struct{}{}
}

// tooOften refuses a try for which some buckets had no token.
func (g *guard) tooOften(empty *buckets, wait time.Duration) error {
	g.limited(empty.limiter)
	return &errs.Error{Code: errs.RateLimited, Message: "Too many tries. Wait a little.", RetryAfter: wait}
}

// addressOf returns the client's address as the socket tells it. Of IPv6 it is
// the network: one customer has 2⁶⁴ addresses.
func addressOf(r *http.Request) string { return clientOfSocket(r.RemoteAddr) }

func clientOfSocket(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if address = address.Unmap(); address.Is6() {
		if network, err := address.WithZone("").Prefix(64); err == nil {
			return network.String()
		}
	}
	return address.String()
}

// The bounds of what is remembered: so many keys of each kind, so long.
const (
	maxKeys = 1 << 14
	maxKey  = 320 // bytes; no name or e-mail address is longer
)

// buckets are token buckets by key: each holds up to size tokens and is full
// again after period. golang.org/x/time/rate cannot give a token back.
type buckets struct {
	limiter string // whose they are
	size    float64
	period  time.Duration

	mu   sync.Mutex // guards the following field; nothing waits under it
	each map[string]bucket
}

// bucket holds tokens as of a time.
type bucket struct {
	tokens float64
	at     time.Time
}

func newBuckets(limiter string, size int, period time.Duration) *buckets {
	return &buckets{limiter: limiter, size: float64(size), period: period, each: map[string]bucket{}}
}

// take takes a token. If there is none it says when there will be one.
func (b *buckets) take(key string, now time.Time) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	perToken := b.period / time.Duration(b.size)
	one, ok := b.each[key]
	if !ok {
		makeRoom(b.each)
		one = bucket{tokens: b.size, at: now}
	}
	one.tokens = min(b.size, one.tokens+float64(max(0, now.Sub(one.at)))/float64(perToken))
	one.at = now
	if one.tokens < 1 {
		wait = time.Duration((1 - one.tokens) * float64(perToken))
	} else {
		one.tokens--
	}
	b.each[key] = one
	return wait
}

// giveBack returns a token that was taken.
func (b *buckets) giveBack(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if one, ok := b.each[key]; ok {
		one.tokens = min(b.size, one.tokens+1)
		b.each[key] = one
	}
}

// makeRoom forgets some key of a map that is full: any one, so that nobody can
// choose whose count is lost. The map's lock must be held.
func makeRoom[V any](m map[string]V) {
	if len(m) < maxKeys {
		return
	}
	for key := range m {
		delete(m, key)
		return
	}
}
