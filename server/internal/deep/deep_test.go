package deep

import (
	"bytes"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// goroutine returns the number of the goroutine it runs on.
func goroutine() string {
	room := make([]byte, 64)
	return string(bytes.Fields(room[:runtime.Stack(room, false)])[1])
}

// Work runs on a worker, on the caller's goroutine when all are busy, and always before Do returns.
func TestWorkIsDone(t *testing.T) {
	w := Start(1)
	defer w.Close()
	defer w.Close() // twice does no harm
	var there, within string
	w.Do(func() {
		there = goroutine()
		w.Do(func() { within = goroutine() }) // its only worker is at this
	})
	if there == goroutine() || within != there {
		t.Errorf("on goroutine %s, within it on %s, called on %s", there, within, goroutine())
	}
	var none *Workers
	none.Do(func() { there = goroutine() })
	none.Close()
	if there != goroutine() {
		t.Errorf("without workers on goroutine %s, called on %s", there, goroutine())
	}
}

func TestManyCallers(t *testing.T) {
	w := Start(3)
	defer w.Close()
	var done atomic.Int64
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			for range 200 {
				mine := 0
				w.Do(func() { mine = 1 })
				done.Add(int64(mine))
			}
		})
	}
	callers.Wait()
	if done.Load() != 50*200 {
		t.Errorf("%d of %d calls were done when Do returned", done.Load(), 50*200)
	}
}

// A panic reaches who called, and the worker lives on.
func TestPanicIsTheCallers(t *testing.T) {
	w := Start(1)
	defer w.Close()
	for range 3 {
		func() {
			defer func() {
				got, _ := recover().(string)
				if !strings.HasPrefix(got, "broken\n") || !strings.Contains(got, "TestPanicIsTheCallers") {
					t.Errorf("recovered %q", got)
				}
			}()
			w.Do(func() { panic("broken") })
		}()
	}
}

// BenchmarkDo is what it costs to have work done elsewhere.
func BenchmarkDo(b *testing.B) {
	w := Start(1)
	defer w.Close()
	b.ReportAllocs()
	for b.Loop() {
		w.Do(func() {})
	}
}
