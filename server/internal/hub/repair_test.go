package hub

import (
	"context"
	"testing"
	"testing/synctest"

	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// slowSource is a store that answers when it is told to.
type slowSource struct {
	*fakeSource
	answer chan struct{}
}

func (s *slowSource) Changed(ctx context.Context, user string, above uint64) (settings.Head, []settings.Entry, error) {
	<-s.answer
	return s.fakeSource.Changed(ctx, user, above)
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
		s.Send(protocol.Ack("p", settings.Answer{Revision: 1}, false))
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
