package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// The times of Redis. They are all set here: the library's own change between
// its versions.
const (
	dialWithin  = time.Second
	writeWithin = time.Second
	readWithin  = time.Second
)

const poolSize = 32 // connections to one server

// quiet is no logger. The library has one of its own for all its clients, and
// writes each failure into it that it also returns.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(quiet{}) }

// dial returns a client for a URL. It does not connect yet.
func dial(address string) (redis.UniversalClient, error) {
	scheme, rest, found := strings.Cut(address, "://")
	plain, cluster := strings.CutSuffix(scheme, "-cluster")
	if !found || plain != "redis" && plain != "rediss" {
		return nil, errors.New("an address of Redis begins with redis://, rediss://, redis-cluster:// or rediss-cluster://")
	}
	if cluster {
		options, err := redis.ParseClusterURL(plain + "://" + onePlusOthers(rest))
		if err != nil {
			return nil, hideURL(err)
		}
		shapeCluster(options)
		return redis.NewClusterClient(options), nil
	}
	options, err := redis.ParseURL(address)
	if err != nil {
		return nil, hideURL(err)
	}
	shape(options)
	return redis.NewClient(options), nil
}

// hideURL takes the address out of an error: it may hold a password.
func hideURL(err error) error {
	var parse *url.Error
	if errors.As(err, &parse) {
		return parse.Err
	}
	return err
}

// onePlusOthers turns hosts separated by commas into one host and parameters.
func onePlusOthers(rest string) string {
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	start := strings.LastIndex(rest[:end], "@") + 1
	hosts := strings.Split(rest[start:end], ",")
	result := rest[:start] + hosts[0] + rest[end:]
	for _, host := range hosts[1:] {
		joint := "?"
		if strings.Contains(result, "?") {
			joint = "&"
		}
		result += joint + "addr=" + url.QueryEscape(host)
	}
	return result
}

func shape(o *redis.Options) {
	o.Protocol, o.DisableIdentity = 2, true
	o.MaxRetries, o.DialerRetries = -1, 1 // what is sent again may come twice, and late
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialWithin, readWithin, writeWithin
	o.PoolSize, o.PoolTimeout, o.PipelinePoolSize = poolSize, readWithin, -1
	o.ContextTimeoutEnabled = true
}

func shapeCluster(o *redis.ClusterOptions) {
	o.Protocol, o.DisableIdentity = 2, true
	o.MaxRetries, o.DialerRetries, o.MaxRedirects = -1, 1, 3
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialWithin, readWithin, writeWithin
	o.PoolSize, o.PoolTimeout, o.PipelinePoolSize = poolSize, readWithin, -1
	o.ContextTimeoutEnabled = true
	o.ClusterStateReloadInterval = 10 * time.Second
	if o.TLSConfig != nil {
		o.TLSConfig.MinVersion = tls.VersionTLS12
	}
}
