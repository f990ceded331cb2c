package cluster

import (
	"strings"
	"testing"
)

// A Redis that answers and relays is found to; one that is gone is not, and no
// password shows in what is said of it.
func TestProbe(t *testing.T) {
	server := ownRedis(t)
	answered, relayed, err := Probe(t.Context(), server.URL())
	if err != nil || answered <= 0 || relayed <= 0 {
		t.Errorf("%v %v %v", answered, relayed, err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{strings.Replace(server.URL(), "://", "://:hunter2@", 1), "redis://:hunter2@\x00", "cache"} {
		if _, _, err := Probe(t.Context(), url); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
