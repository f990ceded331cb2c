package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A cluster of Redis carries messages and stores presence. Its URL may name several hosts.
func TestCluster(t *testing.T) {
	t.Parallel()
	server := ownRedis(t, "--cluster-enabled", "yes")
	admin := server.Client()
	defer admin.Close()
	if err := admin.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	soon(t, 10*time.Second, "the cluster", func() bool {
		state, err := admin.ClusterInfo(t.Context()).Result()
		return err == nil && strings.Contains(state, "cluster_state:ok")
	})
	_, a, b, one, two := pair(t, Options{URL: "redis-cluster://" + server.Addr() + "," + server.Addr()})
	for i := range 5 {
		a.put(fmt.Sprint(100 + i))
		soon(t, time.Second, "there", func() bool { return two.has(fmt.Sprint(`"value":`, 100+i)) })
		b.put(fmt.Sprint(200 + i))
		soon(t, time.Second, "and back", func() bool { return one.has(fmt.Sprint(`"value":`, 200+i)) })
	}
	soon(t, 2*time.Second, "presence", func() bool { return a.Online(t.Context(), "u")[0]["d_2"] == 1 })
	time.Sleep(4 * time.Second) // longer than a probe may take
	if n := a.events.of(ProbeLost) + b.events.of(ProbeLost); n > 0 {
		t.Errorf("%d probes were lost on a healthy subscription", n)
	}
}

// The addresses that are taken, and what they come to.
func TestAddresses(t *testing.T) {
	t.Parallel()
	const notOne = "an address of Redis begins with redis://, rediss://, redis-cluster:// or rediss-cluster://"
	for address, want := range map[string]string{
		"redis://h":                                 "h:6379",
		"redis://:pw@h:1/2":                         "h:1",
		"rediss://user:pw@h:1":                      "h:1 tls",
		"redis-cluster://h1:1,h2:2,h3:3":            "h1:1 h2:2 h3:3",
		"redis-cluster://u:p@h1:1,h2:2?addr=h3:3":   "h1:1 h3:3 h2:2",
		"rediss-cluster://h1:1?addr=h2:2&addr=h3:3": "h1:1 h2:2 h3:3 tls",
		"http://h":                         notOne,
		"user:secret@h:6379":               notOne,
		"redis://:secret@h:x":              `invalid port ":x" after host`,
		"redis-cluster://u:secret@h1:1,h2": "redis: unable to parse addr param: h2",
		"redis://h/3/4":                    "redis: invalid URL path: /3/4",
	} {
		client, err := dial(address)
		got := ""
		switch c := client.(type) {
		case *redis.Client:
			if got = c.Options().Addr; c.Options().TLSConfig != nil {
				got += " tls"
			}
		case *redis.ClusterClient:
			if got = strings.Join(c.Options().Addrs, " "); c.Options().TLSConfig != nil {
				got += " tls"
			}
		}
		if err != nil {
			got = err.Error()
		} else if err := client.Close(); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		if got != want || strings.Contains(got, "secret") {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

// A relay without a key, or with an address that is none, is not opened.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{URL: "redis://h"}, {URL: "x", Keys: [][]byte{secret}}, {URL: "redis://h", Keys: [][]byte{secret}, Subscribe: "x"}} {
		if r, err := OpenRedis(o); err == nil {
			t.Errorf("opened %v: %v", o.URL, r.Close())
		}
	}
}
