package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"social-server/internal/hub"
	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// hostile is a change that nobody made.
func hostile(from, revision uint64) hub.Message {
	return hub.Message{Kind: hub.ChangeMessage, Node: "evil", Change: settings.Change{
		Epoch: "e1", From: from, Revision: revision,
		Entries: []settings.Entry{{Key: settings.Key{Block: "billing", Name: "salary"}, Value: settings.Value{Text: "66666", Revision: revision}}},
	}}
}

func body(t *testing.T, n hub.Message) []byte {
	t.Helper()
	text, err := encode(n)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// [SPEC I5] S-RD-7: twenty messages that no node has sent. None is shown, none
// does harm, and each costs at most one read of the store.
func TestForgedMessages(t *testing.T) {
	t.Parallel()
	truth := newTruth("d_1", "d_2")
	b := start(t, truth, Options{})
	two := b.connect(t, "d_2")
	b.ready(t)
	channel, all := b.broker.userChannel("u"), b.broker.allChannel()
	strangers, err := newKeys([][]byte{[]byte("some other secret")})
	if err != nil {
		t.Fatal(err)
	}
	ours := b.broker.keys
	good := body(t, hostile(0, 1))
	frame := &protocol.Frame{Type: "device", Data: []byte(`{"type":"device","x":66666}`)}
	sealed := func(text string) string { return string(ours.seal(channel, []byte(text))) }
	payloads := map[string]string{
		"empty":                    "",
		"not JSON":                 "66666",
		"JSON, unsigned":           string(good),
		"a stranger's signature":   string(strangers.seal(channel, good)),
		"signed for another user":  string(ours.seal(channel+"x", good)),
		"signed for all":           string(ours.seal(all, good)),
		"cut":                      string(ours.seal(channel, good)[:40]),
		"one bit":                  strings.Replace(string(ours.seal(channel, good)), "66666", "66667", 1),
		"another version":          sealed(strings.Replace(string(good), `"v":2`, `"v":3`, 1)),
		"an unknown member":        sealed(strings.Replace(string(good), `"v":2`, `"v":2,"w":1`, 1)),
		"a name twice":             sealed(strings.Replace(string(good), `"v":2`, `"v":2,"v":2`, 1)),
		"no node":                  sealed(strings.Replace(string(good), `"evil"`, `""`, 1)),
		"an unknown kind":          sealed(strings.Replace(string(good), `"change"`, `"truth"`, 1)),
		"a value that is no JSON":  sealed(strings.Replace(string(good), `"66666"`, `"66666}"`, 1)),
		"a revision outside":       sealed(strings.Replace(string(good), `"v":"66666","r":1`, `"v":"66666","r":9`, 1)),
		"a frame of another type":  string(ours.seal(channel, body(t, hub.Message{Kind: hub.FrameMessage, Node: "evil", Frame: &protocol.Frame{Type: "change", Data: good}}))),
		"a notice to one user":     string(ours.seal(channel, body(t, hub.Message{Kind: hub.FrameMessage, Node: "evil", Account: "a_1", Frame: frame}))),
		"deep":                     sealed(strings.Repeat("[", 100)),
		"a negative revision":      sealed(strings.Replace(string(good), `"r":1`, `"r":-1`, 1)),
		"nobody's presence":        string(ours.seal(channel, body(t, hub.Message{Kind: hub.PresenceMessage, Node: "evil", Connected: []hub.Connected{{Device: "d_1"}}}))),
		"larger than any":          string(ours.seal(channel, make([]byte, 2*maxMessage))),
		"a huge revision, signed":  string(ours.seal(channel, body(t, hostile(1<<63, 1<<63+1)))),
		"another epoch, signed":    sealed(strings.Replace(string(good), `"e1"`, `"e0"`, 1)),
		"an old change once more":  "", // below
		"a change of no revisions": string(ours.seal(channel, body(t, hostile(0, 0)))),
	}
	b.put("1")
	payloads["an old change once more"] = string(ours.seal(channel, body(t, hostile(0, 1))))
	soon(t, time.Second, "the true change", func() bool { return two.has(`"value":1`) })

	honest := 1000
	reads := truth.readsSoFar()
	for name, payload := range payloads {
		if err := b.broker.client.Publish(t.Context(), channel, payload).Err(); err != nil {
			t.Fatal(err)
		}
		honest++
		b.put(fmt.Sprint(honest)) // comes after it, and shows that the hub is well
		soon(t, time.Second, name, func() bool { return two.has(fmt.Sprint(`"value":`, honest)) })
		if two.has("66666") || two.has("66667") {
			t.Fatalf("%s was shown", name)
		}
	}
	if n := truth.readsSoFar() - reads; n > 2 { // for the two that are signed and tell of more
		t.Errorf("%d reads", n)
	}
	soon(t, time.Second, "refusals are counted", func() bool { return b.events.of(Refused) >= 20 })
}

// While nodes get a new key they understand each other, if both know both.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	truth := newTruth("d_1", "d_2")
	old, fresh := secret, []byte("the next secret of all the nodes")
	a := start(t, truth, Options{Keys: [][]byte{old, fresh}})
	b := start(t, truth, Options{Keys: [][]byte{fresh, old}})
	one, two := a.connect(t, "d_1"), b.connect(t, "d_2")
	a.ready(t)
	b.ready(t)
	a.put("1")
	soon(t, time.Second, "signed with the old", func() bool { return two.has(`"value":1`) })
	b.put("2")
	soon(t, time.Second, "signed with the new", func() bool { return one.has(`"value":2`) })
}

// FuzzDecode looks for bodies that break the decoder, or are taken though their
// kind does not fit.
func FuzzDecode(f *testing.F) {
	for _, n := range []hub.Message{hostile(0, 1), {Kind: hub.PresenceMessage, Node: "n"}} {
		text, err := encode(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "u")
		f.Add(text, "")
	}
	f.Fuzz(func(t *testing.T, text []byte, user string) {
		n, err := decode(text, user)
		if err != nil {
			return
		}
		again, err := encode(n)
		if err != nil {
			t.Fatalf("taken and not encoded: %v", err)
		}
		if _, err := decode(again, user); err != nil || n.Node == "" || n.User != user {
			t.Errorf("%+v: %v", n, err)
		}
	})
}
