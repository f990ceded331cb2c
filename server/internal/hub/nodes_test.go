package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"social-server/internal/errs"
	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// [SPEC S1] [SPEC S4] [SPEC I5] S-RD-5: of the news between two nodes 30 % are
// lost, some come twice, and all out of order; some are not even sent. Every
// device sees an unbroken stream, its acks after its changes, and all are equal
// within the time of a check.
func TestLossyBrokerIsInvisible(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			source := newSource("d_1", "d_2", "d_3", "d_4")
			nodes(t, newBroker(seed, 0.3, 30*time.Millisecond), source, func(t *testing.T, one, two *Registry) {
				random := rand.New(rand.NewPCG(seed, 6))
				var sessions []*Session
				var replicas []*replica
				for i, r := range []*Registry{one, one, two, two} {
					c := &replica{}
					s := open(t, r, fmt.Sprint("d_", i+1), c, nil)
					defer s.Detach()
					sessions, replicas = append(sessions, s), append(replicas, c)
				}
				time.Sleep(10 * time.Millisecond)
				text := ""
				for i := range 60 {
					s := sessions[random.IntN(len(sessions))]
					if err := s.Begin(); err != nil {
						t.Fatal(err)
					}
					text = fmt.Sprint(i)
					change := source.commit("salary", text, s.Device.ID)
					if random.IntN(20) > 0 { // else the node dies at this point, as far as others can tell
						s.hub.registry.Publish("u", change)
					}
					answer(s, change.Revision)
					time.Sleep(time.Duration(random.IntN(10)) * time.Millisecond)
				}
				time.Sleep(checkEvery + 2*checkSpread)
				for i, c := range replicas {
					revision, value, faults := c.state()
					if len(faults) > 0 || revision != source.state.Revision || value != text {
						t.Errorf("device %d has %s at %d, the store %s at %d: %v", i, value, revision, text, source.state.Revision, faults)
					}
				}
			})
		})
	}
}

// [SPEC S4] Another node's change has not arrived when this one stores the next:
// the ack waits until the hub has read what is between, and so do those after it.
func TestAckWaitsForAnotherNodesChange(t *testing.T) {
	source := newSource("d_1", "d_2")
	nodes(t, newBroker(1, 1, 0), source, func(t *testing.T, one, _ *Registry) {
		conn := &fakeConn{}
		s := open(t, one, "d_1", conn, nil)
		defer s.Detach()
		synctest.Wait()
		conn.take()
		slow := &slowSource{source, make(chan struct{})}
		one.source = slow
		source.commit("salary", "1", "d_2") // on the other node
		one.Publish("u", source.commit("period", "2", "d_1"))
		ack(s, 2)
		s.Send(protocol.Refused("q", errs.From(errRestarting)))
		synctest.Wait()
		if types, _ := conn.take(); types != "" {
			t.Fatalf("sent %q before the store was read", types)
		}
		close(slow.answer)
		synctest.Wait()
		types, frames := conn.take()
		if types != "change ack refused" || !strings.Contains(last(frames, "change"), `"from":0,"revision":2`) {
			t.Errorf("got %q: %s", types, last(frames, "change"))
		}
	})
}

// An answer for what the store has not, as after a restore, is not held for ever.
func TestAckOfAnotherEpochIsLetGo(t *testing.T) {
	source := newSource("d_1")
	nodes(t, newBroker(1, 0, 0), source, func(t *testing.T, one, _ *Registry) {
		conn := &fakeConn{}
		s := open(t, one, "d_1", conn, nil)
		defer s.Detach()
		synctest.Wait()
		conn.take()
		ack(s, 99)
		synctest.Wait()
		if types, _ := conn.take(); types != "ack" {
			t.Errorf("got %q", types)
		}
	})
}

// [SPEC S4] [SPEC E5] A node stops while an ack waits for another node's change.
// It is sent, behind its change; or, if the store cannot be read, it is not, and
// the session closes nevertheless.
func TestStopWithAnAckThatWaits(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"the store answers": {nil, "change ack bye"},
		"the store fails":   {errors.New("the database is away"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			source := newSource("d_1", "d_2")
			nodes(t, newBroker(1, 1, 0), source, func(t *testing.T, one, _ *Registry) {
				conn := &fakeConn{}
				s := open(t, one, "d_1", conn, nil)
				synctest.Wait()
				conn.take()
				slow := &slowSource{source, make(chan struct{})}
				one.source = slow
				source.set(func() { source.err = tt.err })
				source.commit("salary", "1", "d_2") // on the other node
				one.Publish("u", source.commit("period", "2", "d_1"))
				ack(s, 2)
				closed := make(chan error)
				go func() { closed <- one.Close(context.Background()) }()
				synctest.Wait()
				if types, _ := conn.take(); types != "" || conn.end() != "" {
					t.Errorf("sent %q, closed %q before the store answered", types, conn.end())
				}
				if tt.err == nil {
					close(slow.answer)
				} else {
					slow.answer <- struct{}{}
				}
				synctest.Wait()
				if types, _ := conn.take(); types != tt.want || conn.end() != "4000 restart" {
					t.Errorf("sent %q, closed %q", types, conn.end())
				}
				source.set(func() { source.err = nil })
				s.Detach()
				if tt.err != nil {
					close(slow.answer)
				}
				if err := <-closed; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// [SPEC I5] [SPEC A2] Without any broker a node finds by itself, within six
// seconds, what others stored and whom they shut out: by two questions for all
// its users and sessions.
func TestCheck(t *testing.T) {
	source := newSource("d_1", "d_2", "d_3")
	nodes(t, newBroker(1, 1, 0), source, func(t *testing.T, one, _ *Registry) {
		conns := map[string]*fakeConn{"d_1": {}, "d_2": {}, "d_3": {}}
		for device, conn := range conns {
			defer open(t, one, device, conn, nil).Detach()
		}
		synctest.Wait()
		conns["d_1"].take()
		source.commit("salary", "7", "d_9")
		source.set(func() {
			source.lost = map[string]Standing{"d_2": SignedOut, "d_3": Revoked}
			source.asked = 0
		})
		time.Sleep(checkEvery + checkSpread)
		synctest.Wait()
		if _, frames := conns["d_1"].take(); !strings.Contains(last(frames, "change"), `"value":7`) {
			t.Error("the change was not found")
		}
		if conns["d_1"].end() != "" || conns["d_2"].end() != "4501 signed out" || conns["d_3"].end() != "4503 device revoked" {
			t.Errorf("ended %q, %q, %q", conns["d_1"].end(), conns["d_2"].end(), conns["d_3"].end())
		}
		if source.asked != 2 {
			t.Errorf("%d questions, want 2", source.asked)
		}
		source.set(func() { source.epoch, source.state = "new1", settings.State{} })
		time.Sleep(checkEvery + checkSpread)
		synctest.Wait()
		if _, frames := conns["d_1"].take(); !strings.Contains(last(frames, "change"), `"epoch":"new1","from":0,"revision":0`) {
			t.Errorf("the new epoch was not found: %s", last(frames, "change"))
		}
	})
}

// A store that lost its newest revisions, as one that took over from another
// may, is found, and every device is brought to what is there.
func TestCheckFindsWhatWasLost(t *testing.T) {
	source := newSource("d_1")
	source.commit("salary", "1", "d_1")
	before := source.state
	nodes(t, newBroker(1, 1, 0), source, func(t *testing.T, one, _ *Registry) {
		conn := &fakeConn{}
		defer open(t, one, "d_1", conn, nil).Detach()
		one.Publish("u", source.commit("salary", "2", "d_1"))
		synctest.Wait()
		conn.take()
		source.set(func() {
			source.state = settings.State{}
			source.state.Apply(settings.Change{Revision: 1, Entries: before.Since(0)})
		})
		time.Sleep(checkEvery + checkSpread)
		synctest.Wait()
		if _, frames := conn.take(); !strings.Contains(last(frames, "change"), `"from":0,"revision":1`) {
			t.Errorf("got %s", last(frames, "change"))
		}
	})
}

// [SPEC I5] A hint of a revision that nobody has costs one read, and is forgotten.
func TestAbsurdRevisionCostsOneRead(t *testing.T) {
	source := newSource("d_1")
	nodes(t, newBroker(1, 0, 0), source, func(t *testing.T, one, _ *Registry) {
		conn := &fakeConn{}
		defer open(t, one, "d_1", conn, nil).Detach()
		time.Sleep(time.Millisecond)
		conn.take()
		before := source.readsSoFar()
		for _, c := range []settings.Change{
			{Epoch: "k3f9", From: 1 << 63, Revision: 1<<63 + 1}, {Epoch: "old", From: 0, Revision: 1},
		} {
			one.Receive(Message{Kind: ChangeMessage, User: "u", Change: c})
			time.Sleep(time.Millisecond)
			if before++; source.readsSoFar() != before {
				t.Errorf("%d reads, want %d", source.readsSoFar(), before)
			}
		}
		one.Publish("u", source.commit("salary", "1", "d_1"))
		synctest.Wait()
		if types, _ := conn.take(); types != "change" || source.readsSoFar() != before {
			t.Errorf("after it: %q and %d reads", types, source.readsSoFar())
		}
	})
}

// A commit whose end nobody knows may have been stored: every node looks.
func TestDoubt(t *testing.T) {
	source := newSource("d_1", "d_2")
	nodes(t, newBroker(1, 0, 0), source, func(t *testing.T, one, two *Registry) {
		here, there := &fakeConn{}, &fakeConn{}
		defer open(t, one, "d_1", here, nil).Detach()
		defer open(t, two, "d_2", there, nil).Detach()
		synctest.Wait()
		source.commit("salary", "1", "d_1")
		one.CommitUncertain("u")
		time.Sleep(time.Millisecond)
		for name, conn := range map[string]*fakeConn{"this node": here, "the other": there} {
			if _, frames := conn.take(); !strings.Contains(last(frames, "change"), `"value":1`) {
				t.Errorf("%s did not look", name)
			}
		}
	})
}

// The hooks: a gap is counted when something had been missed, and a delivery
// with the time it took.
func TestGapAndDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := newSource("d_1")
		gaps := 0
		var took []time.Duration
		r := newTestRegistry(source, func(o *Options) {
			o.GapFound = func() { gaps++ }
			o.Delivered = func(d time.Duration) { took = append(took, d) }
		})
		conn := &fakeConn{}
		s := open(t, r, "d_1", conn, nil)
		synctest.Wait()
		conn.take()
		r.look("u")
		synctest.Wait()
		if types, _ := conn.take(); types != "" {
			t.Errorf("a look that found nothing sent %q", types)
		}
		if gaps != 0 || len(took) != 0 {
			t.Errorf("%d gaps and %v before anything happened", gaps, took)
		}
		conn.stuck = make(chan struct{})
		r.MemberJoined("u", "d_1", "Phone")
		synctest.Wait() // the writer is in a write
		r.Publish("u", source.commit("salary", "1", "d_1"))
		time.Sleep(30 * time.Millisecond)
		r.Publish("u", source.commit("salary", "2", "d_1"))
		time.Sleep(20 * time.Millisecond)
		close(conn.stuck)
		synctest.Wait()
		if len(took) != 1 || took[0] != 50*time.Millisecond {
			t.Errorf("delivered after %v, want once after 50ms", took)
		}
		source.commit("salary", "3", "d_1")
		r.Publish("u", source.commit("salary", "4", "d_1"))
		synctest.Wait()
		if gaps != 1 || len(took) != 2 {
			t.Errorf("%d gaps, %d deliveries", gaps, len(took))
		}
		s.Detach()
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
