package hub

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// Many goroutines do everything at once; -race watches, and in the end every
// session that stayed has the newest state.
func TestManyGoroutines(t *testing.T) {
	devices := []string{"d_1", "d_2", "d_3", "d_4"}
	source := newSource(devices...)
	r := newTestRegistry(source)
	stay := &fakeConn{}
	stayer := open(t, r, "d_1", stay, nil)

	var commits sync.Mutex // commit order is publish order, as the service has it
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(worker)))
			device := devices[random.IntN(len(devices))]
			for i := range 40 {
				churn(t, r, source, &commits, random, device, i)
			}
		})
	}
	all.Wait()

	commits.Lock()
	final := source.commit("salary", `"the last"`, "d_2")
	r.Publish("u", final)
	commits.Unlock()
	stayer.Sync(0)
	for deadline := time.Now().Add(10 * time.Second); ; {
		if _, frames := stay.take(); strings.Contains(last(frames, "change"), `"the last"`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the session that stayed never got the last change")
		}
	}
	stayer.Detach()
	if sessions, hubs := r.Sessions(); sessions != 0 || hubs != 0 {
		t.Errorf("%d sessions and %d hubs left", sessions, hubs)
	}
	if err := r.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// churn opens a session, does one of everything, and leaves. Some news are lost.
func churn(t *testing.T, r *Registry, source *fakeSource, commits *sync.Mutex, random *rand.Rand, device string, i int) {
	conn := &fakeConn{}
	o := opening(device, conn, &settings.Version{Epoch: "k3f9", Revision: random.Uint64N(20)})
	s, err := r.Attach(context.Background(), o)
	if err != nil {
		return // eight sessions of this device are open: fine
	}
	defer s.Detach()
	commits.Lock()
	change := source.commit("salary", fmt.Sprint(i), device)
	if random.IntN(4) > 0 {
		r.Publish("u", change)
	}
	commits.Unlock()
	switch random.IntN(7) {
	case 0:
		s.Preview([]settings.Assignment{{Key: settings.Key{Block: "billing", Name: "salary"}, Text: "1"}})
	case 1:
		s.Focus("billing.salary")
	case 2:
		s.Seen(change.Revision)
	case 3:
		s.Sync(random.Uint64N(change.Revision + 5))
	case 4:
		r.MemberJoined("u", device, "name")
	case 5:
		ack(s, change.Revision)
	case 6:
		s.End(protocol.CloseFault, "fault")
	}
	r.Online(t.Context(), "u")
}
