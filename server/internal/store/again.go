package store

import (
	"context"
	"math/rand/v2"
	"time"
)

// tries bounds how often a transaction is run that others came in between.
const tries = 20

// patiently runs an operation within the patience there is for one, and again
// if the database says that it did nothing and may be repeated.
func (s *Store) patiently(ctx context.Context, once func(ctx context.Context) error) error {
	if s.dialect.patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.dialect.patience)
		defer cancel()
	}
	return translate(again(ctx, tries, once))
}

// again runs an operation at most most times. After each that is to be repeated
// comes a pause of random, growing length: whoever met once should not meet again.
func again(ctx context.Context, most int, once func(ctx context.Context) error) error {
	pause := 2 * time.Millisecond
	for {
		err := once(ctx)
		most--
		if most == 0 || !repeatable(err) {
			return err
		}
		over := time.NewTimer(rand.N(pause)) // #nosec G404 -- no secret
		select {
		case <-over.C:
		case <-ctx.Done():
			over.Stop()
			return err
		}
		pause = min(2*pause, 64*time.Millisecond)
	}
}
