package cluster

import (
	"strings"
	"testing"
	"time"

	"social-server/internal/hub"
	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// pair is two nodes of one server, with a device on each.
func pair(t *testing.T, o Options) (truth *truth, a, b *node, one, two *far) {
	t.Helper()
	truth = newTruth("d_1", "d_2")
	a, b = start(t, truth, o), start(t, truth, o)
	one, two = a.connect(t, "d_1"), b.connect(t, "d_2")
	a.ready(t)
	b.ready(t)
	return truth, a, b, one, two
}

// [SPEC S1] A change on one node is shown on the other, from the message alone.
func TestChangeReachesTheOtherNode(t *testing.T) {
	t.Parallel()
	truth, a, b, one, two := pair(t, Options{})
	soon(t, 2*time.Second, "calm", func() bool { return one.has(`"ready"`) && two.has(`"ready"`) })
	took := soon(t, time.Second, "the first change", func() bool {
		if !two.has(`"value":1`) && truth.state.Revision == 0 {
			a.put("1")
		}
		return two.has(`"value":1`)
	})
	t.Logf("a change took %v", took)
	c := start(t, truth, Options{})
	c.put("3") // it has no hub of the user, and tells all the same
	soon(t, time.Second, "a change by a node without a hub", func() bool { return one.has(`"value":3`) && two.has(`"value":3`) })
	b.put(`"ü<\u0000\""`)
	soon(t, time.Second, "the way back, byte for byte", func() bool { return one.has(`"value":"ü<\u0000\""`) })
}

// [SPEC L1] [SPEC L2] [SPEC L3] [SPEC L4] [SPEC L5] What is shown besides
// changes is shown on every node.
func TestHintsReachTheOtherNode(t *testing.T) {
	t.Parallel()
	_, a, b, one, two := pair(t, Options{})
	both := func(what, text string) {
		t.Helper()
		for _, f := range []*far{one, two} {
			soon(t, 2*time.Second, what, func() bool { return f.has(text) })
		}
	}
	soon(t, 2*time.Second, "d_1 is online for d_2", func() bool {
		return strings.Contains(two.last("presence", `"d_1"`), `"id":"d_1","name":"name of d_1","online":true`)
	})
	one.session.Focus("billing.salary")
	both("focus", `"focus":"billing.salary"`)
	a.put("1")
	soon(t, time.Second, "the change", func() bool { return two.has(`"value":1`) })
	two.session.Seen(1)
	both("seen", `"seen":1`)
	one.session.Preview([]settings.Assignment{{Key: settings.Key{Block: "billing", Name: "salary"}, Text: "25"}})
	soon(t, time.Second, "half a word", func() bool { return two.has(`{"type":"preview","set":{"billing":{"salary":25}},"device":"d_1"}`) })
	if one.has(`"preview"`) {
		t.Error("the sender was shown its own preview")
	}
	b.Asked("u", protocol.Device{ID: "d_9", Name: "Phone"}, protocol.Ask{ID: "q_1", Email: "bob@…", Expires: time.Now()})
	both("ask", `"event":"asks"`)
	a.AskEnded("u", protocol.Device{ID: "d_9", Name: "Phone"})
	both("ask's end", `"event":"left"`)
	a.Noticed("a_1", protocol.Notice{Event: "login", Device: protocol.Device{ID: "d_1"}})
	soon(t, time.Second, "notice", func() bool { return two.has(`"type":"notice"`) })
	a.truth.set(func() { a.truth.names = append(a.truth.names, "d_3") })
	a.MemberJoined("u", "d_3", "Watch")
	both("joined", `"event":"joined","device":{"id":"d_3","name":"Watch"}`)
	both("listed", `"id":"d_3","name":"name of d_3","online":false`)
}

// [SPEC A2] [SPEC I6] What ends on one node ends on the other within two
// seconds, with the code that the store says, whatever the message says.
func TestRevocationReachesTheOtherNode(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lost hub.Standing
		tell func(a *node)
		code int
	}{
		"revoked":    {hub.Revoked, func(a *node) { a.DeviceRevoked("d_2", []string{"u"}) }, protocol.CloseRevoked},
		"signed out": {hub.SignedOut, func(a *node) { a.LoginEnded("login", "d_2") }, protocol.CloseSignedOut},
		"left":       {hub.NotMember, func(a *node) { a.MemberLeft("u", "d_2") }, protocol.CloseNotMember},
		"a lie":      {hub.Good, func(a *node) { a.LoginEnded("login", "d_2") }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			truth, a, _, one, two := pair(t, Options{})
			truth.set(func() { truth.lost["d_2"] = tt.lost })
			tt.tell(a)
			if tt.code == 0 {
				a.put("1") // comes after
				soon(t, time.Second, "a change", func() bool { return two.has(`"value":1`) })
			}
			soon(t, 2*time.Second, "ended", func() bool { return two.end() == tt.code })
			if one.end() != 0 {
				t.Errorf("the other device was ended with %d", one.end())
			}
		})
	}
}

// [SPEC L3] REST says who is online on all nodes, also on a node without a hub
// of the user.
func TestOnlineOnANodeWithoutAHub(t *testing.T) {
	t.Parallel()
	truth := newTruth("d_1", "d_2")
	a, b := start(t, truth, Options{}), start(t, truth, Options{})
	a.connect(t, "d_1")
	a.connect(t, "d_1")
	soon(t, 2*time.Second, "online", func() bool { return b.Online(t.Context(), "u")[0]["d_1"] == 2 })
	b.connect(t, "d_2")
	soon(t, 2*time.Second, "both", func() bool {
		here, there := a.Online(t.Context(), "u")[0], b.Online(t.Context(), "u")[0]
		return here["d_1"] == 2 && here["d_2"] == 1 && there["d_1"] == 2 && there["d_2"] == 1
	})
}
