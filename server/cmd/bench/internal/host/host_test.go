//go:build linux

package host

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// Without a second core, or taskset, nothing is pinned, and the report says so.
func TestPlan(t *testing.T) {
	there, absent := func() error { return nil }, func() error { return errors.New("not found") }
	tests := map[string]struct {
		cpus    int
		taskset func() error
		pinned  bool
		note    string
	}{
		"two cores":      {2, there, true, ""},
		"many cores":     {64, there, true, ""},
		"one core":       {1, there, false, "one core only"},
		"no taskset":     {2, absent, false, "no taskset"},
		"nothing at all": {1, absent, false, "one core only"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := Plan(tt.cpus, tt.taskset)
			if pinned := c.Server >= 0 && c.Load >= 0 && c.Server != c.Load; pinned != tt.pinned || !strings.Contains(c.Note, tt.note) || (c.Note == "") != tt.pinned {
				t.Errorf("%+v", c)
			}
			argv := c.wrap(c.Server, []string{"server", "-x"})
			if pinned := slices.Equal(argv, []string{"taskset", "-c", "0", "server", "-x"}); pinned != tt.pinned {
				t.Errorf("it is started as %q", argv)
			}
		})
	}
}

// CPU time is a process's own, and grows with what it does.
func TestUsage(t *testing.T) {
	sleeper := Program{Argv: []string{"/bin/sh", "-c", "echo ready at http://127.0.0.1:1; exec sleep 60"}, Dir: t.TempDir()}
	_, err := Cores{Server: -1, Load: -1}.Start(t.Context(), sleeper)
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Fatalf("a program that does not answer: %v", err)
	}
	_, err = Cores{Server: -1, Load: -1}.Start(t.Context(), Program{Argv: []string{"/bin/sh", "-c", "echo no; exit 3"}, Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no") {
		t.Errorf("a program that ends at start: %v", err)
	}
	before, err := processTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end); {
	}
	after, err := processTime(os.Getpid())
	if err != nil || after-before < 5*time.Millisecond {
		t.Errorf("busy for 50 ms took %v, %v", after-before, err)
	}
}
