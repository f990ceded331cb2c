package settings

import (
	"fmt"
	"hash/fnv"
	"testing"

	"pgregory.net/rapid"
)

func entry(name, text string, revision uint64) Entry {
	return Entry{Key{"billing", name}, Value{Text: text, Revision: revision, Device: "d_1"}}
}

// [SPEC S1] What a cursor lacks is every key above it, newest value only.
func TestStateSince(t *testing.T) {
	var s State
	for revision, e := range []Entry{entry("a", "1", 1), entry("b", "1", 2), entry("a", "2", 3)} {
		if !s.Apply(Change{From: uint64(revision), Revision: uint64(revision) + 1, Entries: []Entry{e}}) {
			t.Fatalf("revision %d was not applied", revision+1)
		}
	}
	want := map[uint64]string{0: "[b=1@2 a=2@3]", 1: "[b=1@2 a=2@3]", 2: "[a=2@3]", 3: "[]"}
	for above, text := range want {
		if got := show(s.Since(above)); got != text {
			t.Errorf("Since(%d) = %s, want %s", above, got, text)
		}
	}
}

func show(entries []Entry) string {
	texts := []string{}
	for _, e := range entries {
		texts = append(texts, fmt.Sprintf("%s=%s@%d", e.Name, e.Text, e.Revision))
	}
	return fmt.Sprint(texts)
}

func TestStateRefusesWhatDoesNotContinueIt(t *testing.T) {
	s := State{Revision: 4}
	for _, c := range []Change{{From: 3, Revision: 5}, {From: 5, Revision: 6}, {From: 4, Revision: 3}} {
		if s.Apply(c) || s.Revision != 4 {
			t.Errorf("%+v was applied", c)
		}
	}
}

// [SPEC S7] The seal is that of its definition, whatever road led to the state.
func TestSealIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s State
		last := map[string]uint64{}
		for revision := range rapid.Uint64Range(0, 40).Draw(t, "changes") {
			name := rapid.SampledFrom([]string{"a", "b", "salary", "zoë"}).Draw(t, "name")
			s.Apply(Change{From: revision, Revision: revision + 1, Entries: []Entry{entry(name, "1", revision+1)}})
			last[name] = revision + 1
		}
		var want uint32
		for name, revision := range last {
			h := fnv.New32a()
			fmt.Fprintf(h, "billing.%s:%d", name, revision)
			want += h.Sum32()
		}
		if s.Seal() != want {
			t.Fatalf("seal %08x, want %08x", s.Seal(), want)
		}
	})
}

const sealExample = "d9badc3c" // of billing.salary:1 and billing.period:2

// The seal's own example, which other clients can check themselves against.
func TestSealExample(t *testing.T) {
	var s State
	s.Apply(Change{Revision: 2, Entries: []Entry{entry("salary", "3000", 1), entry("period", "null", 2)}})
	if got := fmt.Sprintf("%08x", s.Seal()); got != sealExample {
		t.Errorf("seal %s, want %s", got, sealExample)
	}
}
