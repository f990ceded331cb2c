package relay

import (
	"context"
	"crypto/rand"
	"errors"
	"time"
)

// Probe looks whether a Redis can serve as the relay: it asks it, and sends a
// message that must come back. It returns how long each took.
func Probe(ctx context.Context, url string) (answered, relayed time.Duration, err error) {
	client, lanes, err := dial(url)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	began := time.Now()
	if err := client.Ping(ctx).Err(); err != nil {
		return 0, 0, err
	}
	answered = time.Since(began)
	channel, word := "social:{probe}:"+rand.Text(), rand.Text()
	subscribe, publish := client.Subscribe, client.Publish
	if lanes > 1 {
		subscribe, publish = client.SSubscribe, client.SPublish
	}
	listener := subscribe(ctx, channel)
	defer func() { err = errors.Join(err, listener.Close()) }()
	if _, err := listener.ReceiveTimeout(ctx, readWithin); err != nil { // that it is subscribed
		return answered, 0, err
	}
	began = time.Now()
	if err := publish(ctx, channel, word).Err(); err != nil {
		return answered, 0, err
	}
	_, err = listener.ReceiveTimeout(ctx, readWithin)
	return answered, time.Since(began), err
}
