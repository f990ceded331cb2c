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
	// Overdue looks at the next users after an id, most of them, and returns
	// those of whom Forget may have something to remove, and the last one it
	// looked at; "" when there are no more.
	Overdue(ctx context.Context, after string, before time.Time, keep, most int) (users []string, last string, err error)
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

// Pace is how a janitor goes about its work.
type Pace struct {
	After time.Duration // its first sweep: devices come back just after a start
	Rest  int           // after each step: so many times as long as that took
}

// Gently is the pace beside a server: at most 5 % of a core and of the writer.
// Without rests a million users took 90 % of a core for minutes, and every
// request waited 20 to 40 ms.
var Gently = Pace{After: time.Minute, Rest: 19}

// Janitor forgets what is older than it need be, once an hour.
type Janitor struct {
	memory Memory
	keep   Keep
	pace   Pace
	log    *slog.Logger
	now    func() time.Time

	stop context.CancelFunc
	done chan struct{} // closed when its goroutine has ended
}

// NewJanitor starts a janitor; Close ends it.
func NewJanitor(memory Memory, keep Keep, pace Pace, log *slog.Logger, now func() time.Time) *Janitor {
	ctx, stop := context.WithCancel(context.Background())
	j := &Janitor{memory: memory, keep: keep, pace: pace, log: log, now: now, stop: stop, done: make(chan struct{})}
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
	if wait(ctx, j.pace.After) != nil {
		return
	}
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
	err := j.untilDone(ctx, func() (bool, error) {
		return j.memory.ForgetAnswers(ctx, now.Add(-j.keep.Answers), sweepRows)
	})
	before, last := now.Add(-j.keep.History), ""
	for err == nil {
		var users []string
		err = j.step(ctx, func() (err error) {
			users, last, err = j.memory.Overdue(ctx, last, before, j.keep.Records, sweepRows)
			return err
		})
		if err != nil || last == "" {
			break
		}
		for _, user := range users {
			err = errors.Join(err, j.untilDone(ctx, func() (bool, error) {
				return j.memory.Forget(ctx, user, before, j.keep.Records, sweepRows)
			}))
		}
	}
	return err
}

// untilDone repeats a step while there is more to do.
func (j *Janitor) untilDone(ctx context.Context, do func() (more bool, err error)) error {
	for more := true; more; {
		err := j.step(ctx, func() (err error) {
			more, err = do()
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// step does something, and rests from it.
func (j *Janitor) step(ctx context.Context, do func() error) error {
	began := j.now()
	if err := do(); err != nil {
		return err
	}
	return wait(ctx, time.Duration(j.pace.Rest)*j.now().Sub(began))
}

// wait waits, unless the context ends first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
