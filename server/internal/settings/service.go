package settings

import (
	"context"
	"crypto/rand"
	"runtime"
	"sync"
	"time"

	"social-server/internal/errs"
)

// Store is what the service asks of the database.
type Store interface {
	// Commit decides and stores a group of writes in one transaction, in order,
	// and returns one outcome each once they are durable. An error means that
	// none of them is stored, or that nobody knows.
	Commit(ctx context.Context, group []*Write, limits Limits) ([]Outcome, error)
	// Changed returns the head of a user and its entries above a revision, both
	// read at one point in time. Of an unknown user: errs.NotFound.
	Changed(ctx context.Context, user string, above uint64) (Head, []Entry, error)
	// Current returns what Commit would know of a patch but an earlier answer,
	// all read at one point in time. Of an unknown user: errs.NotFound.
	Current(ctx context.Context, user string, patch Patch) (Current, error)
	// History returns a page of a user's history, newest first.
	History(ctx context.Context, user string, q HistoryQuery) (Page, error)
}

// Publisher delivers changes to the live sessions. Its methods must not block.
type Publisher interface {
	// Publish delivers a stored change. It is called in commit order, before the
	// writer gets its answer (SPEC I2).
	Publish(user string, change Change)
	// CommitUncertain reports that a commit failed and may have been stored all the
	// same: the current state must be read from the store.
	CommitUncertain(user string)
}

// Bounds of the writers' queue. A group is bounded so that no commit is long;
// the queue, so that a stalled disk is answered with Unavailable instead of memory.
const (
	groupSize = 256
	queueSize = 8192
	doubtMost = 1 << 14 // users; what is beyond is found by the nodes' own checks
)

// Service stores patches. Patches of all users that arrive while a commit is in
// flight form the next group, so that one flush serves many; a lone patch never
// waits for company.
type Service struct {
	Schema *Schema
	Limits Limits

	store     Store
	publisher Publisher
	now       func() time.Time

	mu     sync.Mutex // guards the following
	queue  []submitted
	closed bool

	work chan struct{} // holds a token while the queue may have something
	done chan struct{} // closed when the committer has ended

	doubted map[string]bool // users whose last commit failed; the committer's own
}

type submitted struct {
	write *Write
	reply func(Outcome)
}

// NewService starts the committer; Close ends it.
func NewService(store Store, schema *Schema, limits Limits, publisher Publisher, now func() time.Time) *Service {
	s := &Service{
		Schema: schema, Limits: limits,
		store: store, publisher: publisher, now: now,
		work: make(chan struct{}, 1), done: make(chan struct{}), doubted: make(map[string]bool),
	}
	go s.commitLoop()
	return s
}

// NewID returns an id for a patch whose sender gave none.
func NewID() string { return rand.Text() }

// Submit hands a patch over and returns at once. reply is called exactly once,
// after the patch is durable and published, or refused; it must not block.
// Patches of one caller are stored in the order it submits them.
func (s *Service) Submit(user, device string, patch Patch, reply func(Outcome)) {
	if err := patch.Check(s.Schema, s.Limits); err != nil {
		reply(Outcome{Err: err})
		return
	}
	w := &Write{User: user, Device: device, Patch: patch, Hash: patch.Hash(), Schema: s.Schema}
	if err := s.enqueue(submitted{w, reply}); err != nil {
		reply(Outcome{Err: err})
	}
}

func (s *Service) enqueue(one submitted) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.queue) >= queueSize {
		return &errs.Error{Code: errs.Unavailable, Message: "The server cannot store this just now.", RetryAfter: time.Second}
	}
	s.queue = append(s.queue, one)
	select {
	case s.work <- struct{}{}:
	default: // the committer has been told already
	}
	return nil
}

// Apply stores a patch and waits for its end. A conflict is an error with the
// outcome beside it.
func (s *Service) Apply(ctx context.Context, user, device string, patch Patch) (Outcome, error) {
	end := make(chan Outcome, 1)
	s.Submit(user, device, patch, func(o Outcome) { end <- o })
	select {
	case o := <-end:
		return o, o.Err
	case <-ctx.Done():
		return Outcome{}, errs.Wrap(ctx.Err())
	}
}

// Changed returns a user's head and the entries above a revision, from the store.
func (s *Service) Changed(ctx context.Context, user string, above uint64) (Head, []Entry, error) {
	return s.store.Changed(ctx, user, above)
}

// Close refuses further patches, stores those already handed over, and waits.
func (s *Service) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.work)
	}
	s.mu.Unlock()
	<-s.done
}

// batchInterval is the least time between the beginnings of two commits. Patches
// that arrive meanwhile share the next one: most of a commit's cost does not depend
// on how many it stores. A lone patch does not wait.
const batchInterval = 500 * time.Microsecond

// commitLoop owns the store's writing side: one group after the other.
func (s *Service) commitLoop() {
	defer close(s.done)
	var began time.Time // of the last commit
	for range s.work {
		for {
			runtime.Gosched() // readers that have a patch enqueue it first
			time.Sleep(batchInterval - time.Since(began))
			group := s.take()
			if len(group) == 0 {
				break
			}
			began = time.Now()
			s.commit(group)
		}
	}
}

func (s *Service) take() []submitted {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.queue), groupSize)
	group := s.queue[:n:n]
	s.queue = s.queue[n:]
	if len(s.queue) == 0 {
		s.queue = nil
	}
	return group
}

// commit stores a group, then publishes, then answers: in this order (SPEC I2).
func (s *Service) commit(group []submitted) {
	writes := make([]*Write, len(group))
	at := s.now().UTC().Truncate(time.Millisecond)
	for i, one := range group {
		one.write.At = at
		writes[i] = one.write
	}
	// Not a caller's context: the group is shared, and a commit that has begun must end.
	outcomes, err := s.store.Commit(context.Background(), writes, s.Limits)
	if err != nil {
		var waiting []submitted
		if errs.Is(err, errs.Unavailable) {
			waiting = s.takeAll() // before anybody is answered: what comes then is another try
		}
		s.fail(group, err)
		for _, one := range waiting {
			one.reply(Outcome{Err: err})
		}
		return
	}
	for i, one := range group {
		if outcomes[i].Change != nil {
			s.publisher.Publish(one.write.User, *outcomes[i].Change)
		}
		s.settle(one.write.User)
		one.reply(outcomes[i])
	}
}

// takeAll takes what waits behind a group that the database did not answer: its
// turn would come after as long a wait again, and end no better.
func (s *Service) takeAll() []submitted {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.queue
	s.queue = nil
	return all
}

// settle repeats the doubt about a user's last commit: when it was raised the
// database may still have been at it. By now it has ended, for this one came after.
func (s *Service) settle(user string) {
	if s.doubted[user] {
		delete(s.doubted, user)
		s.publisher.CommitUncertain(user)
	}
}

// fail answers a group whose commit failed, and may have succeeded unheard.
func (s *Service) fail(group []submitted, err error) {
	told := make(map[string]bool)
	for _, one := range group {
		if user := one.write.User; !told[user] {
			told[user] = true
			s.publisher.CommitUncertain(user)
			if len(s.doubted) < doubtMost {
				s.doubted[user] = true
			}
		}
		one.reply(Outcome{Err: err})
	}
}
