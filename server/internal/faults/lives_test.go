package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// mostPatches bounds what checker 2 has to search: with the reads it is given
// fewer than 2,000 operations of a user.
const mostPatches = 400

// writer is a device that edits, one patch at a time, and dies now and then.
type writer struct {
	*life
	client  *Client
	device  int
	how     func(*Options)
	random  *rand.Rand
	refused int // of earlier lives too
}

// work edits until ctx ends. The last patch may be left without an answer.
func (w *writer) work(ctx context.Context, s *scenario) {
	deaths := 0
	for i := 0; i < mostPatches && ctx.Err() == nil; i++ {
		if w.random.IntN(12) == 0 {
			w.look(ctx, s)
		}
		p := w.submit(i)
		if deaths < 2 && w.random.IntN(60) == 0 { // dies before it knows; another life goes on
			deaths++
			w.client.Close()
			w.refused += w.client.Retried()
			w.client = w.connect(w.Devices[w.device], w.how)
			continue
		}
		select {
		case <-p.Done:
		case <-ctx.Done():
		}
		pause(ctx, time.Duration(15+w.random.IntN(30))*time.Millisecond)
	}
	w.refused += w.client.Retried()
}

// submit makes the i-th patch.
func (w *writer) submit(i int) *Patch {
	name := key(w.random.IntN(10))
	p := &Patch{ID: fmt.Sprintf("%d-%d-%s", w.device, i, w.user), Set: one(name, fmt.Sprintf(`"%d-%d"`, w.device, i))}
	switch w.random.IntN(6) {
	case 0:
		p.Base = map[string]uint64{name: w.client.State().Values[name].Revision}
	case 1:
		p.Set[name] = "null"
	case 2:
		p.Set[key(w.random.IntN(10))] = fmt.Sprint(i + 1) // 0 is the default: a read could not tell it from a reset
	}
	return w.client.Submit(p)
}

// look is one read over HTTP, of either node.
func (w *writer) look(ctx context.Context, s *scenario) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	read, ok := w.readAt(ctx, s.both()[w.random.IntN(2)].Addr(), w.device)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads = append(w.reads, read)
}

// probe connects again and again, and claims to be somewhere around the head.
func (l *life) probe(ctx context.Context, s *scenario, device int, random *rand.Rand) {
	for ctx.Err() == nil {
		state := l.checked[random.IntN(len(l.checked))].State()
		cursor := max(0, int64(state.Revision)+random.Int64N(201)-100)
		l.probeOnce(ctx, s.both()[random.IntN(2)], device, state.Epoch, uint64(cursor))
		pause(ctx, time.Duration(100+random.IntN(200))*time.Millisecond)
	}
}

// probeOnce resumes from a cursor and keeps what came: a change from exactly
// there, or from 0 if the node does not know such a revision (I9).
func (l *life) probeOnce(ctx context.Context, at *side, device int, epoch string, cursor uint64) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	ws, o, err := l.openAt(ctx, at.clients.Addr(), device, fmt.Sprintf(`{"epoch":%q,"revision":%d}`, epoch, cursor))
	if ws != nil {
		_ = ws.Close()
	}
	if err != nil || o.ready.Type == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	from := cursor
	if cursor > o.welcome.Revision || epoch != o.welcome.Epoch {
		from = 0
	}
	switch {
	case o.change == nil && from != o.ready.Revision:
		l.wrong = append(l.wrong, fmt.Sprintf("from %d (of %d) nothing came, and then ready at %d", cursor, o.welcome.Revision, o.ready.Revision))
	case o.change != nil && o.change.From != from:
		l.wrong = append(l.wrong, fmt.Sprintf("from %d (of %d) a change %d..%d came", cursor, o.welcome.Revision, o.change.From, o.change.Revision))
	case o.change != nil:
		l.probes = append(l.probes, o.change.frame())
	}
}
