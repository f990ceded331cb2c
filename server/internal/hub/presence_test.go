package hub

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"social-server/internal/protocol"
)

// [SPEC L3] Presence gathers: when all devices come at once, each hears of the
// others in one or two frames, and not in one for each.
func TestPresenceGathers(t *testing.T) {
	ids := make([]string, 50)
	for i := range ids {
		ids[i] = fmt.Sprintf("d_%02d", i)
	}
	bubble(t, newSource(ids...), func(t *testing.T, r *Registry) {
		conns := make([]fakeConn, len(ids))
		for i, id := range ids {
			defer open(t, r, id, &conns[i], nil).Detach()
		}
		time.Sleep(2 * presenceDelay)
		for i := range conns {
			types, frames := conns[i].take()
			if n := strings.Count(types, "presence"); n > 2 {
				t.Errorf("%s was sent presence %d times", ids[i], n)
			}
			online := map[string]bool{}
			for _, f := range frames {
				for _, id := range ids {
					online[id] = online[id] || strings.Contains(string(f.Data), `"id":"`+id+`","name":"name of `+id+`","online":true`)
				}
			}
			for _, id := range ids {
				if !online[id] {
					t.Errorf("%s never heard of %s", ids[i], id)
				}
			}
		}
	})
}

// [SPEC L2] [SPEC L3] A device on several nodes is one entry: its sessions are
// added up, and what it edits and has seen is that of any of them.
func TestPresenceOfSeveralNodes(t *testing.T) {
	source := newSource("d_1", "d_2")
	nodes(t, newBroker(1, 0, 0), source, func(t *testing.T, one, two *Registry) {
		watch := &fakeConn{}
		defer open(t, one, "d_2", watch, nil).Detach()
		here, there := open(t, one, "d_1", &fakeConn{}, nil), open(t, two, "d_1", &fakeConn{}, nil)
		step := func(what, want string, do func()) {
			t.Helper()
			do()
			time.Sleep(2 * presenceDelay)
			if _, frames := watch.take(); !strings.Contains(last(frames, "presence"), `"id":"d_1","name":"name of d_1","online":`+want) {
				t.Errorf("%s: %s", what, last(frames, "presence"))
			}
		}
		step("two nodes", `true,"sessions":2`, func() {})
		one.Publish("u", source.commit("salary", "1", "d_2"))
		two.look("u")
		synctest.Wait()
		step("focus there", `true,"sessions":2,"lastSeen":"`, func() { there.Focus("billing.salary") })
		step("seen there", `true`, func() { there.Seen(1) })
		for _, r := range []*Registry{one, two} {
			if online := r.Online(t.Context(), "u")[0]; online["d_1"] != 2 || online["d_2"] != 1 {
				t.Errorf("online: %v", online)
			}
		}
		step("gone here", `true,"sessions":1`, here.Detach)
		step("gone there", `false,"sessions":0`, there.Detach)
		_, frames := watch.take()
		if text := last(frames, "presence"); text != "" {
			t.Errorf("more presence: %s", text)
		}
	})
}

// [SPEC L3] A hub that has just been made knows who is connected elsewhere, also
// when the broker never stopped listening for the one before it.
func TestNewHubMeetsOthers(t *testing.T) {
	nodes(t, newBroker(1, 0, 0), newSource("d_1", "d_2"), func(t *testing.T, one, two *Registry) {
		defer open(t, two, "d_1", &fakeConn{}, nil).Detach()
		time.Sleep(50 * time.Millisecond)
		watch := &fakeConn{}
		defer open(t, one, "d_2", watch, nil).Detach()
		time.Sleep(2 * presenceDelay)
		if _, frames := watch.take(); !strings.Contains(last(frames, "presence"), `"id":"d_1","name":"name of d_1","online":true`) {
			t.Errorf("got %s", last(frames, "presence"))
		}
	})
}

// [SPEC L3] A node that is heard of no more takes its devices with it, and one
// that comes back brings them.
func TestNodeIsGone(t *testing.T) {
	b := newBroker(1, 0, 0)
	nodes(t, b, newSource("d_1", "d_2"), func(t *testing.T, one, two *Registry) {
		watch := &fakeConn{}
		defer open(t, one, "d_2", watch, nil).Detach()
		defer open(t, two, "d_1", &fakeConn{}, nil).Detach()
		time.Sleep(50 * time.Millisecond)
		one.NodeLeft("two")
		time.Sleep(2 * presenceDelay)
		if _, frames := watch.take(); !strings.Contains(last(frames, "presence"), `"id":"d_1","name":"name of d_1","online":false`) {
			t.Errorf("got %s", last(frames, "presence"))
		}
		one.Gap("u")
		time.Sleep(2 * presenceDelay)
		if _, frames := watch.take(); !strings.Contains(last(frames, "presence"), `"id":"d_1","name":"name of d_1","online":true`) {
			t.Errorf("got %s", last(frames, "presence"))
		}
	})
}

// slowLink returns from RemotePresence when the test lets it, with an older result.
type slowLink struct {
	link
	answer chan struct{}
}

func (l slowLink) RemotePresence(ctx context.Context, users ...string) ([]map[string][]Connected, error) {
	others, err := l.link.RemotePresence(ctx, users...)
	<-l.answer
	return others, err
}

// What a node says while the others are asked is newer than the answer.
func TestNewsDuringTheQuestionAreNewer(t *testing.T) {
	b := newBroker(1, 0, 0)
	nodes(t, b, newSource("d_1", "d_2", "d_3"), func(t *testing.T, one, _ *Registry) {
		watch := &fakeConn{}
		defer open(t, one, "d_2", watch, nil).Detach()
		time.Sleep(50 * time.Millisecond)
		b.set(func() {
			b.kept["x"], b.kept["z"] = []Connected{{Device: "d_1", Sessions: 1}}, []Connected{{Device: "d_3", Sessions: 1}}
		})
		slow := slowLink{link{b, "one"}, make(chan struct{})}
		one.broker = slow
		one.Gap("u")
		synctest.Wait()                                                   // it has read, and waits
		one.Receive(Message{Kind: PresenceMessage, User: "u", Node: "x"}) // nobody any more
		close(slow.answer)
		synctest.Wait()
		if online := one.Online(t.Context(), "u")[0]; online["d_1"] != 0 || online["d_3"] != 1 {
			t.Errorf("online: %v", online)
		}
		b.set(func() { delete(b.kept, "z") })
		one.Gap("u")
		time.Sleep(2 * presenceDelay)
		if online := one.Online(t.Context(), "u")[0]; online["d_3"] != 0 {
			t.Errorf("a node that has nothing left: %v", online)
		}
	})
}

// Without the broker a hub knows this node's devices, and asks for the others
// again with every check.
func TestOthersAreAskedAgain(t *testing.T) {
	b := newBroker(1, 0, 0)
	nodes(t, b, newSource("d_1"), func(t *testing.T, one, _ *Registry) {
		b.set(func() { b.down, b.kept["x"] = true, []Connected{{Device: "d_1", Sessions: 2}} })
		defer open(t, one, "d_1", &fakeConn{}, nil).Detach()
		one.Gap("u")
		time.Sleep(2 * presenceDelay)
		if online := one.Online(t.Context(), "u")[0]; online["d_1"] != 1 {
			t.Errorf("online: %v", online)
		}
		b.set(func() { b.down = false })
		time.Sleep(checkEvery + checkSpread)
		synctest.Wait()
		if online := one.Online(t.Context(), "u")[0]; online["d_1"] != 3 {
			t.Errorf("online after a check: %v", online)
		}
	})
}

// [SPEC L1] Previews of other nodes' sessions do not pile up.
func TestPreviewsAreBounded(t *testing.T) {
	bubble(t, newSource("d_1"), func(t *testing.T, r *Registry) {
		conn := &fakeConn{}
		defer open(t, r, "d_1", conn, nil).Detach()
		synctest.Wait()
		conn.take()
		frame := &protocol.Frame{Type: "preview", Data: []byte(`{}`)}
		for i := range 10 * maxPreviews {
			r.Receive(Message{Kind: FrameMessage, User: "u", Session: fmt.Sprint("s_", i), Frame: frame})
		}
		synctest.Wait()
		if n := len(r.hub("u").previews); n != maxPreviews {
			t.Errorf("%d previews are kept", n)
		}
	})
}
