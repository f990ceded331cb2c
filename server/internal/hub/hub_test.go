package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"social-server/internal/errs"
	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// bubble runs a test with a registry in a synctest bubble: its clock moves only
// when everything waits.
func bubble(t *testing.T, source *fakeSource, test func(t *testing.T, r *Registry)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newTestRegistry(source)
		test(t, r)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// [SPEC C5] [SPEC C6] The opening, from nothing, from a cursor, and from elsewhere.
func TestOpening(t *testing.T) {
	source := newSource("d_1")
	source.commit("salary", "1", "d_2")
	source.commit("period", "2", "d_2")
	source.commit("salary", "3", "d_2")
	whole, none := "welcome change presence ready", "welcome presence ready"
	tests := map[string]struct {
		resume *settings.Version
		types  string
		from   string // in the change
		values int
	}{
		"first contact":       {nil, whole, `"from":0,`, 2},
		"current":             {&settings.Version{Epoch: "k3f9", Revision: 3}, none, "", 0},
		"one behind":          {&settings.Version{Epoch: "k3f9", Revision: 2}, whole, `"from":2,`, 1},
		"far behind":          {&settings.Version{Epoch: "k3f9", Revision: 1}, whole, `"from":1,`, 2},
		"has nothing":         {&settings.Version{Epoch: "k3f9", Revision: 0}, whole, `"from":0,`, 2},
		"ahead of the server": {&settings.Version{Epoch: "k3f9", Revision: 4}, whole, `"from":0,`, 2},
		"another epoch":       {&settings.Version{Epoch: "old", Revision: 3}, whole, `"from":0,`, 2},
		"no epoch":            {&settings.Version{Revision: 2}, whole, `"from":0,`, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, source, func(t *testing.T, r *Registry) {
				conn := &fakeConn{}
				s := open(t, r, "d_1", conn, tt.resume)
				defer s.Detach()
				synctest.Wait()
				types, frames := conn.take()
				change := last(frames, "change")
				if types != tt.types || !strings.Contains(change, tt.from) || strings.Count(change, `"value":`) != tt.values {
					t.Errorf("got %s: %s", types, change)
				}
				if conn.writes != 1 {
					t.Errorf("the opening took %d writes, want 1", conn.writes)
				}
			})
		})
	}
}

// [SPEC C6] A user nobody has changed has nothing to send; another epoch still replaces what the device has.
func TestOpeningOfAnEmptyUser(t *testing.T) {
	for resume, types := range map[*settings.Version]string{
		nil:                          "welcome presence ready",
		{Epoch: "k3f9", Revision: 0}: "welcome presence ready",
		{Epoch: "old", Revision: 9}:  "welcome change presence ready",
	} {
		bubble(t, newSource("d_1"), func(t *testing.T, r *Registry) {
			conn := &fakeConn{}
			s := open(t, r, "d_1", conn, resume)
			defer s.Detach()
			synctest.Wait()
			if got, _ := conn.take(); got != types {
				t.Errorf("%v: %s, want %s", resume, got, types)
			}
		})
	}
}

// [SPEC S1] [SPEC S4] A commit reaches every session, the sender too, in one frame that is encoded once, before the ack.
func TestCommitReachesAll(t *testing.T) {
	source := newSource("d_1", "d_2")
	bubble(t, source, func(t *testing.T, r *Registry) {
		one, two := &fakeConn{}, &fakeConn{}
		a, b := open(t, r, "d_1", one, nil), open(t, r, "d_2", two, nil)
		defer a.Detach()
		defer b.Detach()
		synctest.Wait()
		one.take()
		two.take()
		r.Publish("u", source.commit("salary", "3000", "d_1"))
		ack(a, 1)
		synctest.Wait()
		typesA, framesA := one.take()
		typesB, framesB := two.take()
		if typesA != "change ack" || typesB != "change" {
			t.Fatalf("sender %q, other %q", typesA, typesB)
		}
		if framesA[0] != framesB[0] {
			t.Error("two sessions at one cursor were encoded for twice")
		}
	})
}

// [SPEC S1] [SPEC I7] A session that does not read holds up nobody, and then gets the newest values in one frame.
func TestStuckSession(t *testing.T) {
	source := newSource("d_1", "d_2")
	bubble(t, source, func(t *testing.T, r *Registry) {
		slow, fast := &fakeConn{stuck: make(chan struct{})}, &fakeConn{}
		a, b := open(t, r, "d_1", slow, nil), open(t, r, "d_2", fast, nil)
		defer a.Detach()
		defer b.Detach()
		synctest.Wait()
		for i := range 50 {
			r.Publish("u", source.commit("salary", fmt.Sprint(i), "d_2"))
			synctest.Wait()
		}
		if types, _ := fast.take(); strings.Count(types, "change") != 50 {
			t.Errorf("the other session got %s", types)
		}
		close(slow.stuck)
		synctest.Wait()
		types, frames := slow.take()
		if types != "welcome presence ready change" && types != "welcome presence ready change presence" {
			t.Errorf("the slow session got %s", types)
		}
		if change := last(frames, "change"); !strings.Contains(change, `"value":49`) || !strings.Contains(change, `"from":0,"revision":50`) {
			t.Errorf("not the newest: %s", change)
		}
	})
}

// [SPEC I5] A change that does not follow makes the hub read the store; sessions get one frame without a gap.
func TestGapIsRepaired(t *testing.T) {
	source := newSource("d_1")
	bubble(t, source, func(t *testing.T, r *Registry) {
		conn := &fakeConn{}
		s := open(t, r, "d_1", conn, nil)
		defer s.Detach()
		synctest.Wait()
		conn.take()
		source.commit("salary", "1", "d_2") // its news is lost
		r.Publish("u", source.commit("period", "2", "d_2"))
		synctest.Wait()
		_, frames := conn.take()
		change := last(frames, "change")
		if !strings.Contains(change, `"from":0,"revision":2`) || strings.Count(change, `"value":`) != 2 {
			t.Errorf("got %s", change)
		}
		r.Publish("u", settings.Change{Epoch: "k3f9", From: 0, Revision: 1}) // late, and told before
		synctest.Wait()
		if types, _ := conn.take(); types != "" {
			t.Errorf("old news were sent: %s", types)
		}
	})
}

// [SPEC I5] A store that fails is asked again until it answers.
func TestRepairOutlastsAFailingStore(t *testing.T) {
	source := newSource("d_1")
	bubble(t, source, func(t *testing.T, r *Registry) {
		conn := &fakeConn{}
		s := open(t, r, "d_1", conn, nil)
		defer s.Detach()
		synctest.Wait()
		conn.take()
		source.commit("salary", "1", "d_2")
		source.set(func() { source.err = errors.New("the disk is gone") })
		r.Publish("u", source.commit("salary", "2", "d_2"))
		time.Sleep(3 * time.Second)
		if types, _ := conn.take(); types != "" {
			t.Fatalf("sent %s without the store", types)
		}
		source.set(func() { source.err = nil })
		time.Sleep(6 * time.Second)
		if _, frames := conn.take(); !strings.Contains(last(frames, "change"), `"value":2`) {
			t.Error("not repaired after the store came back")
		}
	})
}

// [SPEC C6] When the store has another epoch, live sessions get the whole state.
func TestEpochChangesUnderLiveSessions(t *testing.T) {
	source := newSource("d_1")
	source.commit("salary", "1", "d_1")
	source.commit("salary", "2", "d_1")
	bubble(t, source, func(t *testing.T, r *Registry) {
		conn := &fakeConn{}
		s := open(t, r, "d_1", conn, nil)
		defer s.Detach()
		synctest.Wait()
		conn.take()
		source.set(func() { source.epoch, source.state = "new1", settings.State{} })
		source.commit("period", "7", "d_2")
		r.MemberJoined("u", "d_9", "Watch")
		synctest.Wait()
		_, frames := conn.take()
		if got := last(frames, "change"); !strings.Contains(got, `"epoch":"new1","from":0,"revision":1`) {
			t.Errorf("got %s", got)
		}
	})
}

// [SPEC S5] sync is answered by one change, even an empty one.
func TestSync(t *testing.T) {
	source := newSource("d_1")
	source.commit("salary", "1", "d_1")
	source.commit("period", "2", "d_1")
	bubble(t, source, func(t *testing.T, r *Registry) {
		conn := &fakeConn{}
		s := open(t, r, "d_1", conn, nil)
		defer s.Detach()
		for revision, want := range map[uint64]string{
			2: `"from":2,"revision":2,"values":{}`, 1: `"from":1,"revision":2,"values":{"billing":{"period"`,
			0: `"from":0,"revision":2,`, 9: `"from":0,"revision":2,`,
		} {
			synctest.Wait()
			conn.take()
			s.Sync(revision)
			synctest.Wait()
			if types, frames := conn.take(); types != "change" || !strings.Contains(last(frames, "change"), want) {
				t.Errorf("sync %d: %s %s", revision, types, last(frames, "change"))
			}
		}
	})
}

// [SPEC S6] [SPEC S7] A silent device is pinged with the seal, and closed if it stays silent.
func TestPing(t *testing.T) {
	source := newSource("d_1", "d_2")
	source.commit("salary", "1", "d_1")
	bubble(t, source, func(t *testing.T, r *Registry) {
		silent, alive := &fakeConn{}, &fakeConn{}
		a, b := open(t, r, "d_1", silent, nil), open(t, r, "d_2", alive, nil)
		defer a.Detach()
		defer b.Detach()
		time.Sleep(24 * time.Second)
		if types, _ := silent.take(); strings.Contains(types, "ping") {
			t.Error("pinged too early")
		}
		time.Sleep(2 * time.Second)
		_, frames := silent.take()
		if want := fmt.Sprintf(`{"type":"ping","revision":1,"seal":"%08x"}`, source.state.Seal()); last(frames, "ping") != want {
			t.Errorf("got %s, want %s", last(frames, "ping"), want)
		}
		b.Heard()
		time.Sleep(11 * time.Second)
		if silent.end() != "4003 no pong" || alive.end() != "" {
			t.Errorf("silent: %q, alive: %q", silent.end(), alive.end())
		}
	})
}

// [SPEC A1] [SPEC A2] The token's end is announced, can be moved, and ends the session.
func TestTokenEnds(t *testing.T) {
	bubble(t, newSource("d_1"), func(t *testing.T, r *Registry) {
		conn := &fakeConn{}
		o := opening("d_1", conn, nil)
		o.Expires = time.Now().Add(150 * time.Second)
		s, err := r.Attach(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Detach()
		step := func(d time.Duration) {
			for range d / time.Second {
				time.Sleep(time.Second)
				s.Heard()
			}
			synctest.Wait()
		}
		step(32 * time.Second)
		if _, frames := conn.take(); !strings.HasPrefix(last(frames, "authDue"), `{"type":"authDue","in":1`) {
			t.Errorf("no authDue: %s", last(frames, "authDue"))
		}
		s.Renew(time.Now().Add(300 * time.Second))
		step(170 * time.Second)
		if types, _ := conn.take(); types != "" || conn.end() != "" {
			t.Errorf("renewed, and yet %s %s", types, conn.end())
		}
		step(131 * time.Second)
		if types, _ := conn.take(); types != "authDue" || conn.end() != "4001 token expired" {
			t.Errorf("%s %s", types, conn.end())
		}
	})
}

// [SPEC L1] The newest preview goes to the other sessions; a slow one skips the older.
func TestPreview(t *testing.T) {
	bubble(t, newSource("d_1", "d_2"), func(t *testing.T, r *Registry) {
		from, to := &fakeConn{}, &fakeConn{stuck: make(chan struct{})}
		a, b := open(t, r, "d_1", from, nil), open(t, r, "d_2", to, nil)
		defer a.Detach()
		defer b.Detach()
		synctest.Wait()
		from.take()
		for i := range 20 {
			a.Preview([]settings.Assignment{{Key: settings.Key{Block: "billing", Name: "salary"}, Text: fmt.Sprint(i)}})
		}
		close(to.stuck)
		synctest.Wait()
		types, frames := to.take()
		if strings.Count(types, "preview") != 1 || !strings.Contains(last(frames, "preview"), `"salary":19`) {
			t.Errorf("got %s %s", types, last(frames, "preview"))
		}
		if types, _ := from.take(); strings.Contains(types, "preview") {
			t.Error("the sender got its own preview")
		}
	})
}

// [SPEC L2] [SPEC L3] Presence: who is online, what is being edited, what was seen.
func TestPresence(t *testing.T) {
	source := newSource("d_1", "d_2")
	source.commit("salary", "1", "d_1")
	bubble(t, source, func(t *testing.T, r *Registry) {
		one, two := &fakeConn{}, &fakeConn{}
		a := open(t, r, "d_1", one, nil)
		defer a.Detach()
		synctest.Wait()
		_, frames := one.take()
		if got := last(frames, "presence"); !strings.Contains(got, `"full":true`) ||
			!strings.Contains(got, `"id":"d_1","name":"name of d_1","online":true,"sessions":1`) ||
			!strings.Contains(got, `"id":"d_2","name":"name of d_2","online":false,"sessions":0`) {
			t.Errorf("got %s", got)
		}
		step := func(what, want string, do func()) {
			do()
			time.Sleep(presenceDelay)
			synctest.Wait()
			_, frames := one.take()
			if got := last(frames, "presence"); !strings.Contains(got, want) || strings.Contains(got, "d_1") {
				t.Errorf("%s: %s", what, got)
			}
		}
		var b *Session
		step("came", `"full":false,"devices":[{"id":"d_2","name":"name of d_2","online":true`, func() { b = open(t, r, "d_2", two, nil) })
		step("focus", `"focus":"billing.salary"`, func() { b.Focus("billing.salary") })
		step("seen", `"seen":1`, func() { b.Seen(1); b.Seen(99) })
		step("gone", `"online":false,"sessions":0`, func() { b.Detach() })
		if online := r.Online(t.Context(), "u")[0]; len(online) != 1 || online["d_1"] != 1 {
			t.Errorf("Online: %v", online)
		}
	})
}

// [SPEC L4] [SPEC A2] Members come, are renamed, leave and are revoked.
func TestMembersChange(t *testing.T) {
	source := newSource("d_1", "d_2", "d_3")
	bubble(t, source, func(t *testing.T, r *Registry) {
		one, two, three := &fakeConn{}, &fakeConn{}, &fakeConn{}
		for device, conn := range map[string]*fakeConn{"d_1": one, "d_2": two, "d_3": three} {
			s := open(t, r, device, conn, nil)
			defer s.Detach()
		}
		step := func(event, presence string, change func(), tell func()) {
			time.Sleep(presenceDelay)
			synctest.Wait()
			one.take()
			source.set(change)
			tell()
			synctest.Wait()
			_, frames := one.take()
			if got := last(frames, "device"); got != event {
				t.Errorf("got %s, want %s", got, event)
			}
			if got := last(frames, "presence"); !strings.Contains(got, presence) {
				t.Errorf("%s: presence %s", event, got)
			}
		}
		step(`{"type":"device","event":"joined","device":{"id":"d_4","name":"Phone"}}`, `"id":"d_4"`,
			func() { source.members = append(source.members, Member{ID: "d_4", Name: "Phone"}) },
			func() { r.MemberJoined("u", "d_4", "Phone") })
		step(`{"type":"device","event":"renamed","device":{"id":"d_4","name":"Tablet"}}`, `"name":"Tablet"`,
			func() { source.members[3].Name = "Tablet" },
			func() { r.DeviceRenamed("d_4", "Tablet", []string{"u"}) })
		step(`{"type":"device","event":"left","device":{"id":"d_2","name":"name of d_2"}}`, `"full":true`,
			func() { source.members = append(source.members[:1:1], source.members[2:]...) },
			func() { r.MemberLeft("u", "d_2") })
		step(`{"type":"device","event":"revoked","device":{"id":"d_3","name":"name of d_3"}}`, `"full":true`,
			func() { source.members = append(source.members[:1:1], source.members[2:]...) },
			func() { r.DeviceRevoked("d_3", []string{"u"}) })
		if two.end() != "4506 not a member any more" || three.end() != "4503 device revoked" || one.end() != "" {
			t.Errorf("%q %q %q", one.end(), two.end(), three.end())
		}
	})
}

// [SPEC I6] No byte of a later change reaches a session that has ended.
func TestNothingFollowsTheEnd(t *testing.T) {
	source := newSource("d_1")
	bubble(t, source, func(t *testing.T, r *Registry) {
		conn := &fakeConn{stuck: make(chan struct{})}
		s := open(t, r, "d_1", conn, nil)
		defer s.Detach()
		synctest.Wait()
		r.DeviceRevoked("d_1", []string{"u"})
		r.Publish("u", source.commit("salary", "1", "d_2"))
		close(conn.stuck)
		synctest.Wait()
		if types, _ := conn.take(); strings.Contains(types, "change") || conn.end() != "4503 device revoked" {
			t.Errorf("sent %s, closed %q", types, conn.end())
		}
	})
}

// [SPEC C8] [SPEC C4] Who may not attach is told why.
func TestAttachRefuses(t *testing.T) {
	source := newSource("d_1")
	bubble(t, source, func(t *testing.T, r *Registry) {
		if _, err := r.Attach(t.Context(), opening("d_9", &fakeConn{}, nil)); !errs.Is(err, errs.NotFound) {
			t.Errorf("a stranger: %v", err)
		}
		for range 8 {
			s := open(t, r, "d_1", &fakeConn{}, nil)
			defer s.Detach()
		}
		if _, err := r.Attach(t.Context(), opening("d_1", &fakeConn{}, nil)); !errs.Is(err, errs.QuotaExceeded) {
			t.Errorf("a ninth session: %v", err)
		}
		source.set(func() { source.members = append(source.members, Member{ID: "d_2"}) })
		s := open(t, r, "d_2", &fakeConn{}, nil) // joined a moment ago, its news not here yet
		s.Detach()
	})
}

// A store that cannot be read refuses the session; the next one tries afresh.
func TestAttachWithoutStore(t *testing.T) {
	source := newSource("d_1")
	bubble(t, source, func(t *testing.T, r *Registry) {
		source.set(func() { source.err = errs.New(errs.Unavailable, "busy") })
		if _, err := r.Attach(t.Context(), opening("d_1", &fakeConn{}, nil)); !errs.Is(err, errs.Unavailable) {
			t.Errorf("got %v", err)
		}
		source.set(func() { source.err = nil })
		open(t, r, "d_1", &fakeConn{}, nil).Detach()
		if sessions, hubs := r.Sessions(); sessions != 0 || hubs != 0 {
			t.Errorf("%d sessions, %d hubs left", sessions, hubs)
		}
	})
}

// [SPEC E5] Closing says bye to each, with its own time to come back, after what it was owed.
func TestClose(t *testing.T) {
	source := newSource("d_1")
	synctest.Test(t, func(t *testing.T) {
		r := newTestRegistry(source)
		conns := make([]*fakeConn, 3)
		for i := range conns {
			conns[i] = &fakeConn{}
			s := open(t, r, "d_1", conns[i], nil)
			go func() { // the reader: it detaches when the connection has ended
				for conns[i].end() == "" {
					time.Sleep(time.Millisecond)
				}
				s.Detach()
			}()
			s.Send(protocol.Ack("p", settings.Answer{}, false))
		}
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, conn := range conns {
			types, frames := conn.take()
			if !strings.Contains(types, "ack") || !strings.HasSuffix(types, "bye") || conn.end() != "4000 restart" {
				t.Errorf("got %s, closed %s", types, conn.end())
			}
			seen[last(frames, "bye")] = true
		}
		if len(seen) != 3 {
			t.Errorf("%d different times to come back, want 3: %v", len(seen), seen)
		}
		if _, err := r.Attach(t.Context(), opening("d_1", &fakeConn{}, nil)); !errs.Is(err, errs.Unavailable) {
			t.Errorf("attached to a closed registry: %v", err)
		}
	})
}

// [SPEC C7] A session is ready once its opening is on its way.
func TestReady(t *testing.T) {
	h := &Hub{state: settings.State{Epoch: "k3f9"}}
	s := newSession(h, "s_1", opening("d_1", &fakeConn{}, nil), time.Now())
	s.writing = true // so that no writer of its own starts
	s.openLocked(opening("d_1", &fakeConn{}, nil))
	if err := s.Begin(); !errs.Is(err, errs.NotReady) {
		t.Errorf("a patch before the opening was taken: %v", err)
	}
	s.next(nil)
	if err := s.Begin(); err != nil {
		t.Errorf("a patch after it: %v", err)
	}
}
