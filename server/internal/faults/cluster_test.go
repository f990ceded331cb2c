package faults

import (
	"context"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"social-server/internal/backing"
)

// side is one node of a cluster, with a proxy on each of its ways.
type side struct {
	*Process
	clients, postgres, redis *Proxy
}

// cluster is one test's two nodes on one database and one Redis (6.4). Its own
// group is that of the first user, the only one in most tests.
type cluster struct {
	*group
	A, B   *side
	Redis  *backing.Redis
	depot  *depot
	data   Database
	groups []*group
}

// plan says what is unusual about a cluster.
type plan struct {
	depot   *depot // the PostgreSQL server; nil: the shared one
	users   int    // 0 is one
	noRedis bool   // it is down at first
	planted bool   // the nodes are built with planted bugs
	env     []string
}

// newCluster copies the template and starts both nodes on the copy.
func newCluster(t *testing.T, how plan) *cluster {
	t.Helper()
	var err error
	if how.depot == nil {
		how.depot, err = shared()
	}
	if err != nil {
		t.Fatal(err)
	}
	name, err := how.depot.database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{depot: how.depot, data: Postgres(how.depot.URL(name)), Redis: newRedis(t)}
	c.A, c.B = c.newSide(t, name, how.env), c.newSide(t, name, how.env)
	build := builder.Binary
	if how.planted {
		build = builder.Planted
	}
	for _, s := range c.both() {
		s.Binary, err = build()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, u := range users[:max(1, how.users)] {
		g := newGroup(t, u, c.depot.devices, c.A.clients.Addr)
		g.stored = func(ctx context.Context) (*UserRows, error) { return c.data.ReadUser(ctx, u) }
		c.groups = append(c.groups, g)
	}
	c.group = c.groups[0]
	if how.noRedis {
		c.ok(c.Redis.Kill())
	}
	for _, s := range c.both() {
		c.ok(s.Start(t.Context()))
	}
	return c
}

// newRedis starts a Redis of the test's own: a restart would hit all who share it.
func newRedis(t *testing.T) *backing.Redis {
	t.Helper()
	r, err := backing.StartRedis(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Kill(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (c *cluster) newSide(t *testing.T, database string, env []string) *side {
	t.Helper()
	s := &side{postgres: newProxy(t, c.depot.Addr), redis: newProxy(t, c.Redis.Addr)}
	s.Process = newProcess(t, c.depot.devices, append([]string{
		"DATABASE_URL=" + c.depot.through(s.postgres, database), "REDIS_URL=redis://" + s.redis.Addr(),
		"JWT_SECRET=" + signingKey, "DRAIN_WINDOW=500ms", "METRICS_ADDR=127.0.0.1:0",
	}, env...)...)
	if err := os.Mkdir(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s.clients = newProxy(t, s.Addr)
	return s
}

func (c *cluster) both() []*side { return []*side{c.A, c.B} }

// at is an option: the client stays with one node.
func (c *cluster) at(s *side) func(*Options) { return c.through(s.clients) }

// silence is how long a roaming device waits for a sign of life: five pings.
const silence = 1500 * time.Millisecond

// roaming is an option: the client goes to the other node whenever it must
// connect again, as a load balancer would send it.
func (c *cluster) roaming(first int) func(*Options) {
	var tries atomic.Int64
	tries.Store(int64(first))
	return func(o *Options) {
		o.Silence = silence
		o.Target = func() string { return c.both()[tries.Add(1)%2].clients.Addr() }
	}
}

// spread connects n clients with devices 0 to n-1, alternately to A and to B.
func (c *cluster) spread(n int) (all []*Client) {
	c.Helper()
	for i := range n {
		all = append(all, c.client(i, c.at(c.both()[i%2])))
	}
	c.live(all...)
	return all
}

// judgeAll judges every user.
func (c *cluster) judgeAll() {
	c.Helper()
	for _, g := range c.groups {
		g.judge()
	}
}

var metricsAt = regexp.MustCompile(`metrics and profiles.*address=(\S+)`)

// gauge reads one of the node's metrics.
func (s *side) gauge(t *testing.T, name string) float64 {
	t.Helper()
	at := metricsAt.FindAllStringSubmatch(s.Log.String(), -1)
	if len(at) == 0 {
		t.Fatal("no address of the metrics in the log")
	}
	text, err := fetch(t.Context(), "http://"+at[len(at)-1][1]+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(line, name+" "); found {
			value, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}
