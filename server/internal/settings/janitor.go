package settings

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Memory is what a janitor asks of the store. What removes takes at most about
// most rows in one transaction, so that writers wait little, and says whether
// more is left to remove.
type Memory interface {
	// UsersAfter returns the ids of at most most users, in order, above an id.
	UsersAfter(ctx context.Context, id string, most int) ([]string, error)
	// Forget removes the oldest revisions of a user's history: those from
	// before a time, and those beyond the newest keep records.
	Forget(ctx context.Context, user string, before time.Time, keep, most int) (more bool, err error)
	// ForgetAnswers removes answers given before a time.
	ForgetAnswers(ctx context.Context, before time.Time, most int) (more bool, err error)
}

// Keep says how long what happened is remembered.
type Keep struct {
	Answers time.Duration // first answers to patches (SPEC P5)
	History time.Duration // who changed what (SPEC U2)
	Records int           // of one user's history
}

const (
	sweepEvery = time.Hour
	sweepRows  = 500 // in one transaction: a few milliseconds of the writer
)

// Janitor forgets what is older than it need be, once an hour.
type Janitor struct {
	memory Memory
	keep   Keep
	log    *slog.Logger
	now    func() time.Time

	stop context.CancelFunc
	done chan struct{} // closed when its goroutine has ended
}

// NewJanitor starts a janitor, whose first sweep is at once; Close ends it.
func NewJanitor(memory Memory, keep Keep, log *slog.Logger, now func() time.Time) *Janitor {
	ctx, stop := context.WithCancel(context.Background())
	j := &Janitor{memory: memory, keep: keep, log: log, now: now, stop: stop, done: make(chan struct{})}
	go j.loop(ctx)
	return j
}

// Close ends the janitor, in the middle of a sweep too, and waits.
func (j *Janitor) Close() {
	j.stop()
	<-j.done
}

func (j *Janitor) loop(ctx context.Context) {
	defer close(j.done)
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := j.sweep(ctx); err != nil && ctx.Err() == nil {
			j.log.Warn("old history was not removed; the next try is in an hour", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweep forgets in small steps, between which others write.
func (j *Janitor) sweep(ctx context.Context) error {
	now := j.now()
	err := untilDone(func() (bool, error) {
		return j.memory.ForgetAnswers(ctx, now.Add(-j.keep.Answers), sweepRows)
	})
	last := ""
	for err == nil {
		var users []string
		if users, err = j.memory.UsersAfter(ctx, last, sweepRows); len(users) == 0 {
			break
		}
		for _, user := range users {
			err = errors.Join(err, untilDone(func() (bool, error) {
				return j.memory.Forget(ctx, user, now.Add(-j.keep.History), j.keep.Records, sweepRows)
			}))
		}
		last = users[len(users)-1]
	}
	return err
}

// untilDone repeats a step while there is more to do.
func untilDone(step func() (more bool, err error)) error {
	more, err := step()
	for more && err == nil {
		more, err = step()
	}
	return err
}
