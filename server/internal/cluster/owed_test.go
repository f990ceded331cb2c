package cluster

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// mute makes the commands of a node fail while on; what it has subscribed to
// goes on.
type mute struct{ on atomic.Bool }

var errMute = errors.New("mute")

func (m *mute) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (m *mute) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (m *mute) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		if !m.on.Load() {
			return next(ctx, commands)
		}
		for _, c := range commands {
			c.SetErr(errMute)
		}
		return errMute
	}
}

// [SPEC I5] A node could not publish for a while, and the other node's
// subscription was well all the time: it cannot know that it missed something.
// So it is told, as soon as that can be done. (Found by cutting one of two nodes
// from Redis, S-CL-1: the other was behind until its next check.)
func TestWhatWasNotPublishedIsMadeUpFor(t *testing.T) {
	truth, a, _, one, two := pair(t, Options{Beat: 100 * time.Millisecond})
	soon(t, 2*time.Second, "calm", func() bool { return one.has(`"ready"`) && two.has(`"ready"`) })
	m := &mute{}
	a.broker.client.AddHook(m)
	truth.set(func() { truth.blind = true }) // no check can help
	m.on.Store(true)
	a.put("41")
	a.put("42")
	soon(t, 2*time.Second, "nothing could be sent", func() bool { return a.events.of(Dropped) >= 2 })
	if two.has(`"value":42`) {
		t.Error("INVALID: the other node was told")
	}
	m.on.Store(false)
	soon(t, time.Second, "the other node has looked", func() bool { return two.has(`"value":42`) })
}
