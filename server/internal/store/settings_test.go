package store

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
	"social-server/internal/settings"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// populate makes user u_1 with the devices d_1 and d_2, and u_2 with d_2 only.
func populate(t testing.TB, s *Store) { populateAs(t, s, "") }

// populateAs does so with a suffix on every id and name.
func populateAs(t testing.TB, s *Store, suffix string) {
	t.Helper()
	ctx := t.Context()
	device := func(id string) account.Device {
		return account.Device{ID: id + suffix, AccountID: "a_1" + suffix, Name: "name of " + id + suffix, CreatedAt: noon, LastSeen: noon}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	user := func(id, name string) account.User {
		return account.User{ID: id + suffix, AccountID: "a_1" + suffix, Username: name + suffix, CreatedAt: noon}
	}
	anna := account.Account{ID: "a_1" + suffix, Email: "anna" + suffix + "@example.org", PasswordHash: "x", CreatedAt: noon}
	must(s.CreateAccount(ctx, anna, device("d_1"), false))
	must(s.CreateDevice(ctx, device("d_2"), 10))
	must(s.CreateUser(ctx, user("u_1", "TestUser6"), "d_1"+suffix, 10))
	must(s.CreateUser(ctx, user("u_2", "Other"), "d_2"+suffix, 10))
	_, err := s.Join(ctx, "u_1"+suffix, "d_2"+suffix, noon, 10)
	must(err)
}

func openPopulated(t testing.TB, on database) *Store {
	t.Helper()
	s := on.open(t)
	populate(t, s)
	return s
}

func write(user, device, id, set string) *settings.Write {
	assignments, err := settings.ParseSet([]byte(set), nil)
	if err != nil {
		panic(err)
	}
	p := settings.Patch{ID: id, Set: assignments}
	return &settings.Write{User: user, Device: device, At: noon, Patch: p, Hash: p.Hash()}
}

func commit(t testing.TB, s *Store, group ...*settings.Write) []settings.Outcome {
	t.Helper()
	outcomes, err := s.Commit(t.Context(), group, settings.DefaultLimits)
	if err != nil || len(outcomes) != len(group) {
		t.Fatalf("%d outcomes of %d, %v", len(outcomes), len(group), err)
	}
	return outcomes
}

// [SPEC I4] Revisions are dense per user and follow the order of the group; users do not share them.
func TestCommitGroup(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := openPopulated(t, on)
		outcomes := commit(t, s,
			write("u_1", "d_1", "a", `{"billing":{"salary":1}}`),
			write("u_2", "d_2", "b", `{"billing":{"salary":2}}`),
			write("u_1", "d_2", "c", `{"billing":{"salary":3,"period":4}}`),
		)
		for i, want := range []uint64{1, 1, 2} {
			if outcomes[i].Answer.Revision != want || outcomes[i].Err != nil {
				t.Errorf("write %d: %+v, want revision %d", i, outcomes[i], want)
			}
		}
		if o := outcomes[2].Answer.Overwrote; len(o) != 1 || o[0].Text != "1" || o[0].Device != "d_1" {
			t.Errorf("a later write of the group does not see the earlier: %+v", o)
		}
		head, entries, err := s.Changed(t.Context(), "u_1", 1)
		if err != nil || head.Revision != 2 || head.Keys != 2 || head.Bytes != 2 || len(entries) != 2 || entries[0].Revision != 2 {
			t.Errorf("%+v %+v %v", head, entries, err)
		}
	})
}

// [SPEC V2] Whatever its text, a value comes back byte for byte, also after a restart.
func TestValuesComeBackByteForByte(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		path := on.place(t)
		texts := []string{
			`0`, `false`, `""`, `null`, `1.0`, `1e3`, `-0`, `9007199254740993`, `"Zo\u00eb"`, `"Zoë 😀"`, `"\u0000"`, `[1,  2]`,
			`{"b":1, "a":2}`, `"'; DROP TABLE settings; --"`,
		}
		func() {
			s := on.openAt(t, path)
			defer s.Close()
			populate(t, s)
			for i, text := range texts {
				commit(t, s, write("u_1", "d_1", fmt.Sprint("p", i), fmt.Sprintf(`{"user":{"k%02d":%s}}`, i, text)))
			}
		}()
		s := on.openAt(t, path)
		defer s.Close()
		_, entries, err := s.Changed(t.Context(), "u_1", 0)
		if err != nil || len(entries) != len(texts) {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		for i, e := range entries {
			if e.Text != texts[i] || !e.At.Equal(noon) {
				t.Errorf("got %s at %v, want %s", e.Text, e.At, texts[i])
			}
		}
	})
}

// [SPEC I3] [SPEC P5] A patch id is answered the same for ever, within a group, across commits and across a restart.
func TestAnswersAreRemembered(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		path := on.place(t)
		conflicting := write("u_1", "d_2", "late", `{"billing":{"salary":9}}`)
		conflicting.Patch.Base = map[settings.Key]uint64{{Block: "billing", Name: "salary"}: 0}
		conflicting.Hash = conflicting.Patch.Hash()
		var first []settings.Outcome
		check := func(t *testing.T, s *Store) {
			again := commit(t, s, write("u_1", "d_1", "a", `{"billing":{"salary":1}}`), conflicting)
			for i := range again {
				if !again[i].Duplicate || again[i].Change != nil || !reflect.DeepEqual(again[i].Answer, first[i].Answer) {
					t.Errorf("again: %+v, first: %+v", again[i], first[i])
				}
			}
			other := commit(t, s, write("u_1", "d_1", "a", `{"billing":{"salary":2}}`))[0]
			if !errs.Is(other.Err, errs.IDReused) {
				t.Errorf("another body: %+v", other)
			}
			if head, _, err := s.Changed(t.Context(), "u_1", 0); err != nil || head.Revision != 1 {
				t.Errorf("head %+v, %v", head, err)
			}
		}
		func() {
			s := on.openAt(t, path)
			defer s.Close()
			populate(t, s)
			first = commit(t, s, write("u_1", "d_1", "a", `{"billing":{"salary":1}}`), conflicting,
				write("u_1", "d_1", "a", `{"billing":{"salary":1}}`))
			if !first[2].Duplicate || len(first[1].Answer.Conflict) != 1 {
				t.Errorf("within the group: %+v", first)
			}
			check(t, s)
		}()
		s := on.openAt(t, path)
		defer s.Close()
		check(t, s)
		if o := commit(t, s, write("u_1", "d_2", "a", `{"billing":{"salary":5}}`))[0]; o.Err != nil || o.Duplicate {
			t.Errorf("another device's id is another id: %+v", o)
		}
	})
}

// [SPEC I6] Who is no member, or was revoked a moment ago, changes nothing; the rest of the group is stored.
func TestCommitAsksForMembership(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := openPopulated(t, on)
		if _, err := s.RevokeDevice(t.Context(), "a_1", "d_2", noon); err != nil {
			t.Fatal(err)
		}
		outcomes := commit(t, s,
			write("u_2", "d_1", "a", `{"billing":{"salary":1}}`), // never joined
			write("u_1", "d_2", "b", `{"billing":{"salary":1}}`), // revoked
			write("u_9", "d_1", "c", `{"billing":{"salary":1}}`), // no such user
			write("u_1", "d_1", "d", `{"billing":{"salary":4}}`),
		)
		for i, o := range outcomes[:3] {
			if !errs.Is(o.Err, errs.NotFound) {
				t.Errorf("write %d: %+v", i, o)
			}
		}
		if outcomes[3].Err != nil || outcomes[3].Answer.Revision != 1 {
			t.Errorf("the good one: %+v", outcomes[3])
		}
	})
}

// A group whose transaction fails stores nothing of it.
func TestCommitIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := openPopulated(t, on)
		if _, err := s.write.ExecContext(t.Context(), "CREATE UNIQUE INDEX once ON changes (value)"); err != nil {
			t.Fatal(err)
		}
		_, err := s.Commit(t.Context(), []*settings.Write{
			write("u_1", "d_1", "good", `{"billing":{"salary":1}}`), write("u_1", "d_1", "bad", `{"billing":{"period":1}}`),
		}, settings.DefaultLimits)
		if err == nil {
			t.Fatal("no error")
		}
		if head, entries, err := s.Changed(t.Context(), "u_1", 0); err != nil || head.Revision != 0 || len(entries) != 0 {
			t.Errorf("%+v %+v %v", head, entries, err)
		}
		if o := commit(t, s, write("u_1", "d_1", "good", `{"billing":{"salary":1}}`))[0]; o.Duplicate || o.Answer.Revision != 1 {
			t.Errorf("after the failure: %+v", o)
		}
	})
}

// [SPEC I4] Many writers of one user, each commit its own transaction: no revision is lost or doubled.
func TestRevisionsAreDenseUnderContention(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := openPopulated(t, on)
		const writers, each = 16, 20
		seen := make(chan uint64, writers*each)
		var all sync.WaitGroup
		for worker := range writers {
			all.Go(func() {
				for i := range each {
					w := write("u_1", []string{"d_1", "d_2"}[worker%2], fmt.Sprintf("%d.%d", worker, i), `{"billing":{"salary":1}}`)
					outcomes, err := s.Commit(context.Background(), []*settings.Write{w}, settings.DefaultLimits)
					if err != nil || outcomes[0].Err != nil {
						t.Errorf("%v %+v", err, outcomes)
						return
					}
					seen <- outcomes[0].Answer.Revision
				}
			})
		}
		all.Wait()
		close(seen)
		revisions := map[uint64]bool{}
		for r := range seen {
			revisions[r] = true
		}
		for r := uint64(1); r <= writers*each; r++ {
			if !revisions[r] {
				t.Fatalf("revision %d is missing", r)
			}
		}
	})
}

func TestChangedOfNobody(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		if _, _, err := openPopulated(t, on).Changed(t.Context(), "u_9", 0); !errs.Is(err, errs.NotFound) {
			t.Errorf("got %v", err)
		}
	})
}

func TestHubMembers(t *testing.T) {
	each(t, func(t *testing.T, on database) {
		s := openPopulated(t, on)
		members, err := s.HubMembers(t.Context(), "u_1")
		if err != nil || len(members) != 2 || members[0].Name != "name of d_1" || !members[1].LastSeen.Equal(noon) {
			t.Errorf("%+v, %v", members, err)
		}
	})
}

// model is a user in memory.
type model struct {
	head    *settings.Head
	state   settings.State
	before  map[[2]string]*settings.Remembered
	records []settings.Record // of the history, oldest first
}

func newModel(epoch string) *model {
	return &model{head: &settings.Head{Epoch: epoch}, before: map[[2]string]*settings.Remembered{}}
}

func (m *model) write(w *settings.Write) settings.Outcome {
	if strings.HasPrefix(w.Device, "d_9") {
		return settings.Outcome{Err: errs.New(errs.NotFound, "no member")}
	}
	id := [2]string{w.Device, w.Patch.ID}
	cur := settings.Current{Head: m.head, Value: m.state.Get, Before: m.before[id]}
	if w.Patch.Revert != nil {
		cur.Past = m.past(*w.Patch.Revert)
	}
	out := settings.Decide(w, cur, settings.DefaultLimits)
	if out.Err == nil && m.before[id] == nil {
		m.before[id] = &settings.Remembered{Hash: w.Hash, Answer: out.Answer}
	}
	if out.Change != nil {
		for _, e := range out.Change.Entries {
			old, set := m.state.Get(e.Key)
			m.records = append(m.records, settings.Record{Key: e.Key, Value: e.Value, Previous: old.Text, Set: set})
		}
		m.state.Apply(*out.Change)
	}
	return out
}

// past is what a revert looks back on.
func (m *model) past(r settings.Revert) (past []settings.Record) {
	seen := map[settings.Key]bool{}
	for _, one := range m.records {
		if r.Whole && one.Revision > r.Revision && !seen[one.Key] || !r.Whole && one.Revision == r.Revision {
			seen[one.Key] = true
			past = append(past, one)
		}
	}
	slices.SortFunc(past, func(a, b settings.Record) int { return a.Key.Compare(b.Key) })
	return past
}

func (m *model) since(above uint64) []settings.Entry {
	if m.head.Revision <= above {
		return nil
	}
	return append([]settings.Entry{}, m.state.Since(above)...)
}

func sameOutcome(a, b settings.Outcome) bool {
	if errs.From(a.Err).Code != errs.From(b.Err).Code {
		return a.Err == nil && b.Err == nil
	}
	a.Err, b.Err = nil, nil
	return reflect.DeepEqual(a, b)
}
