//go:build planted

package settings

import (
	"context"
	"os"
	"sync"
	"time"
)

// Bugs planted on purpose, chosen by PLANT.
var plant = os.Getenv("PLANT")

// plantedCursor is the <= for < in resume, in either direction.
func plantedCursor(revision uint64) uint64 {
	switch {
	case plant == "resume-repeats" && revision > 0:
		return revision - 1
	case plant == "resume-skips" && revision > 0:
		return revision + 1
	}
	return revision
}

// planted puts a store in front of the true one that says what will be stored
// before it is: to everyone (ack-early), or to the other devices (publish-early).
func planted(s Store, audience Audience) Store {
	if plant != "ack-early" && plant != "publish-early" {
		return s
	}
	return &hasty{Store: s, audience: audience, users: make(map[string]*shadow), answers: make(map[[2]string]*Remembered)}
}

// plantedDelay is how long the truth lags behind what was said.
const plantedDelay = 40 * time.Millisecond

type hasty struct {
	Store
	audience Audience
	commits  sync.Mutex // keeps the late commits in order
	users    map[string]*shadow
	answers  map[[2]string]*Remembered
}

// shadow is what a user will look like.
type shadow struct {
	head  Head
	state State
}

// Commit predicts the outcomes. It is called by one goroutine.
func (h *hasty) Commit(ctx context.Context, group []*Write, limits Limits) ([]Outcome, error) {
	outcomes := make([]Outcome, len(group))
	for i, w := range group {
		user, err := h.user(ctx, w.User)
		if err != nil {
			return nil, err
		}
		id := [2]string{w.Device, w.Patch.ID}
		outcomes[i] = Decide(w, Current{Head: &user.head, Value: user.state.Get, Before: h.answers[id]}, limits)
		if c := outcomes[i].Change; c != nil {
			user.state.Apply(*c)
			h.answers[id] = &Remembered{Hash: w.Hash, Answer: outcomes[i].Answer}
		}
	}
	if plant == "publish-early" {
		for i, w := range group {
			if c := outcomes[i].Change; c != nil {
				h.audience.Publish(w.User, *c)
			}
		}
		time.Sleep(plantedDelay)
		return h.Store.Commit(ctx, group, limits)
	}
	h.commits.Lock()
	go func() {
		defer h.commits.Unlock()
		time.Sleep(plantedDelay)
		_, _ = h.Store.Commit(ctx, group, limits)
	}()
	return outcomes, nil
}

func (h *hasty) user(ctx context.Context, id string) (*shadow, error) {
	if u := h.users[id]; u != nil {
		return u, nil
	}
	head, entries, err := h.Store.Changed(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	u := &shadow{head: head}
	u.state.Apply(Change{Revision: head.Revision, Entries: entries})
	h.users[id] = u
	return u, nil
}
