package hub

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"social-server/internal/settings"
)

// slowSource is a store that reads at once and answers when it is told to.
type slowSource struct {
	*fakeSource
	answer chan struct{}
}

func (s *slowSource) Changed(ctx context.Context, user string, above uint64) (settings.Head, []settings.Entry, error) {
	head, entries, err := s.fakeSource.Changed(ctx, user, above)
	<-s.answer
	return head, entries, err
}

// [SPEC S4] A change that continues the hub is shown at once, and so before its
// ack, also while the hub reads from the store, as it does when a device joins.
// (Found by cutting connections: acks came before their changes.)
func TestChangeDuringARepairPrecedesItsAck(t *testing.T) {
	source := newSource("d_1")
	bubble(t, source, func(t *testing.T, r *Registry) {
		conn := &fakeConn{}
		s := open(t, r, "d_1", conn, nil)
		defer s.Detach()
		synctest.Wait()
		conn.take()

		slow := &slowSource{source, make(chan struct{})}
		r.source = slow
		r.MemberJoined("u", "d_1", "Phone")
		synctest.Wait() // the hub reads, and waits
		r.Publish("u", source.commit("salary", "3000", "d_1"))
		ack(s, 1)
		synctest.Wait()
		if got, _ := conn.take(); got != "device change ack" {
			t.Errorf("got %q", got)
		}
		close(slow.answer)
		synctest.Wait()
		if _, frames := conn.take(); last(frames, "change") != "" {
			t.Error("the change came twice")
		}
	})
}

// [SPEC S4] A session opens on a hub that lacks nothing: not even what was
// committed while the hub was read for the first time.
func TestCommitDuringTheFirstReadIsInTheOpening(t *testing.T) {
	source := newSource("d_1")
	bubble(t, source, func(t *testing.T, r *Registry) {
		source.commit("salary", "1", "d_1")
		slow := &slowSource{source, make(chan struct{})}
		r.source = slow
		conn := &fakeConn{}
		opened := make(chan *Session)
		go func() { opened <- open(t, r, "d_1", conn, nil) }()
		synctest.Wait() // it reads, and waits
		r.Publish("u", source.commit("salary", "2", "d_1"))
		slow.answer <- struct{}{} // with what it read
		synctest.Wait()
		close(slow.answer)
		defer (<-opened).Detach()
		synctest.Wait()
		if _, frames := conn.take(); last(frames, "ready") != `{"type":"ready","revision":2}` {
			t.Errorf("opened with %s", last(frames, "ready"))
		}
	})
}

// [SPEC S4] [SPEC E5] A patch answered while the server stops: its change comes
// first there, too, or the device would show the old value until it is back.
func TestStopSendsChangesBeforeTheirAcks(t *testing.T) {
	source := newSource("d_1")
	bubble(t, source, func(t *testing.T, r *Registry) {
		conn := &fakeConn{}
		s := open(t, r, "d_1", conn, nil)
		synctest.Wait()
		conn.take()
		conn.stuck = make(chan struct{})
		r.MemberJoined("u", "d_1", "Phone")
		synctest.Wait() // the writer is in a write
		r.Publish("u", source.commit("salary", "3000", "d_1"))
		ack(s, 1)
		closed := make(chan error)
		go func() { closed <- r.Close(context.Background()) }()
		synctest.Wait()
		close(conn.stuck)
		synctest.Wait()
		got, _ := conn.take()
		_, after, found := strings.Cut(got, "change ")
		if !found || !strings.HasSuffix(after, "ack bye") {
			t.Errorf("got %q", got)
		}
		s.Detach()
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

// [SPEC C6] [SPEC S1] A device that has what its hub has not heard of is not put
// back: the store is asked first. (Found by the model: a lost message, and the
// device that knew more was sent the older state as a whole.)
func TestResumeAheadOfTheHubAsksTheStore(t *testing.T) {
	source := newSource("d_1", "d_2")
	bubble(t, source, func(t *testing.T, r *Registry) {
		defer open(t, r, "d_2", &fakeConn{}, nil).Detach()
		synctest.Wait()
		source.commit("salary", "1", "d_1") // and nobody tells the hub
		conn := &fakeConn{}
		defer open(t, r, "d_1", conn, &settings.Version{Epoch: "k3f9", Revision: 1}).Detach()
		synctest.Wait()
		types, frames := conn.take()
		if strings.Contains(types, "change") || last(frames, "ready") != `{"type":"ready","revision":1}` {
			t.Errorf("got %q and %s", types, last(frames, "ready"))
		}
	})
}
