package hub

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"social-server/internal/protocol"
)

// slowStandings is a store that takes its time to say who still has a right.
type slowStandings struct {
	*fakeSource
	answer chan struct{}
}

func (s *slowStandings) Standings(ctx context.Context, seats []Seat) ([]Standing, error) {
	<-s.answer
	return s.fakeSource.Standings(ctx, seats)
}

// [SPEC A2] Another node says that a device was revoked. Until the store was
// asked, the device is shown nothing: not what was committed after the revoking.
// (Found by revoking on one node and writing at once, the socket on another.)
func TestRevokedElsewhereIsHeld(t *testing.T) {
	for name, revoked := range map[string]bool{"revoked": true, "a rumour": false} {
		t.Run(name, func(t *testing.T) {
			source := newSource("d_1", "d_2")
			bubble(t, source, func(t *testing.T, r *Registry) {
				slow := &slowStandings{source, make(chan struct{})}
				r.source = slow
				victim, other := &fakeConn{}, &fakeConn{}
				for device, conn := range map[string]*fakeConn{"d_1": victim, "d_2": other} {
					s := open(t, r, device, conn, nil)
					defer s.Detach()
				}
				synctest.Wait()
				victim.take()
				other.take()

				if revoked {
					source.set(func() { source.lost = map[string]Standing{"d_1": Revoked}; source.members = source.members[1:] })
				}
				r.Receive(Message{Kind: ReloadMessage, Node: "two", User: "u", Event: "revoked", Device: protocol.Device{ID: "d_1"}})
				r.Receive(Message{Kind: ChangeMessage, Node: "two", User: "u", Change: source.commit("salary", "3000", "d_2")})
				synctest.Wait()
				if got, _ := other.take(); !strings.Contains(got, "change") {
					t.Errorf("the other device got %q", got)
				}
				if got, _ := victim.take(); got != "" {
					t.Errorf("in doubt the device got %q", got)
				}
				close(slow.answer)
				synctest.Wait()
				got, _ := victim.take()
				if shown := strings.Contains(got, "change"); shown == revoked || (victim.end() != "") != revoked {
					t.Errorf("in the end the device got %q and was closed with %q", got, victim.end())
				}
			})
		})
	}
}
