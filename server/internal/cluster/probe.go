package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"time"
)

// Probe checks that a Redis server can carry messages: it pings it and publishes a
// message to itself. It returns how long each took.
func Probe(ctx context.Context, url string) (answered, delivered time.Duration, err error) {
	client, err := dial(url)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	began := time.Now()
	if err := client.Ping(ctx).Err(); err != nil {
		return 0, 0, err
	}
	answered = time.Since(began)
	channel, word := "social:probe:"+rand.Text(), rand.Text()
	listener := client.Subscribe(ctx, channel)
	defer func() { err = errors.Join(err, listener.Close()) }()
	if _, err := listener.ReceiveTimeout(ctx, readWithin); err != nil { // the confirmation
		return answered, 0, err
	}
	began = time.Now()
	if err := client.Publish(ctx, channel, word).Err(); err != nil {
		return answered, 0, err
	}
	_, err = listener.ReceiveTimeout(ctx, readWithin)
	return answered, time.Since(began), err
}
