package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"social-server/deploy"
	"social-server/internal/backing"
)

// database is the name of the one that all nodes share.
const database = "social"

// cluster is everything that runs, in the order it was started.
type cluster struct {
	options
	folder   string
	out, log *lines

	postgres *backing.Postgres
	redis    *backing.Redis
	nodes    []*node
	watch    sync.WaitGroup // one goroutine for each node: it says when its node died
	nginx    *backing.Nginx
}

// start starts every part and says where it is.
func (c *cluster) start(ctx context.Context) (err error) {
	if c.postgres, err = backing.StartPostgres(ctx, c.folder); err != nil {
		return err
	}
	if err := c.postgres.CreateDatabase(ctx, database, ""); err != nil {
		return err
	}
	c.out.say("postgres %s", c.postgres.URL(database))
	if c.redis, err = backing.StartRedis(ctx, c.folder); err != nil {
		return err
	}
	c.out.say("redis %s", c.redis.URL())
	key := rand.Text() + rand.Text()
	for i := range c.count {
		if err := c.startNode(ctx, fmt.Sprintf("node-%d", i+1), key); err != nil {
			return err
		}
	}
	if c.nginx, err = backing.StartNginx(ctx, c.folder, c.port, c.balancer); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(c.nginx.Addr())
	c.out.say("balancer http://localhost:%s", port)
	c.out.say("ready")
	return err
}

// startNode starts one node and watches it.
func (c *cluster) startNode(ctx context.Context, name, key string) error {
	n, err := startNode(ctx, name, c.server, c.folder, c.log, []string{
		"LISTEN_ADDR=127.0.0.1:0",
		"DATABASE_URL=" + c.postgres.URL(database),
		"REDIS_URL=" + c.redis.URL(),
		"JWT_SECRET=" + key,
		"TRUSTED_PROXIES=127.0.0.1",
	})
	if err != nil {
		return err
	}
	c.nodes = append(c.nodes, n)
	c.out.say("%s %s pid %d", name, n.url, n.cmd.Process.Pid)
	c.watch.Go(func() {
		<-n.exited
		if !n.asked.Load() {
			c.out.say("%s died: %s", name, n.cmd.ProcessState)
		}
	})
	return nil
}

// balancer returns the configuration of nginx: that of docker-compose.yml, with
// our addresses.
func (c *cluster) balancer(home string, port int) (string, error) {
	b := deploy.Balancer{Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Folder: home}
	for _, n := range c.nodes {
		b.Nodes = append(b.Nodes, strings.Replace(strings.TrimPrefix(n.url, "http://"), "localhost", "127.0.0.1", 1))
	}
	return b.Nginx()
}

// stop ends every part: the nodes first and all at once, while what they need
// is still there.
func (c *cluster) stop() error {
	failures := make([]error, len(c.nodes), len(c.nodes)+3)
	var stopping sync.WaitGroup
	for i, n := range c.nodes {
		stopping.Go(func() { failures[i] = n.stop() })
	}
	stopping.Wait()
	c.watch.Wait()
	if c.nginx != nil {
		failures = append(failures, c.nginx.Stop())
	}
	if c.redis != nil {
		failures = append(failures, c.redis.Stop())
	}
	if c.postgres != nil {
		failures = append(failures, c.postgres.Stop())
	}
	return errors.Join(failures...)
}
