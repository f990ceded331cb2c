// Package deep runs what takes much stack on a few goroutines that have it.
//
// A goroutine's stack grows by being copied, and the garbage collector takes back
// what is not used. A session is a goroutine that sleeps on little stack and
// decodes a patch, or reads the database, on much: with thousands of them each
// patch grew a stack anew, which was a tenth of the processor at 2,000 patches a
// second, and another of a connect.
package deep

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Workers are the goroutines, from Start to Close. A nil *Workers is none.
type Workers struct {
	idle chan *worker
	once sync.Once // of Close
	own  sync.WaitGroup
}

// worker is one goroutine, and what it tells with who borrows it.
type worker struct {
	work   chan func()
	done   chan struct{}
	failed string // what work panicked with, and where; set before done
}

// Start starts n workers. The caller must Close them.
func Start(n int) *Workers {
	w := &Workers{idle: make(chan *worker, n)}
	for range n {
		one := &worker{work: make(chan func()), done: make(chan struct{})}
		w.idle <- one
		w.own.Go(one.run)
	}
	return w
}

func (w *worker) run() {
	for work := range w.work {
		w.one(work)
		w.done <- struct{}{}
	}
}

// one runs work. Its panic is its caller's, who may know what to do about it.
func (w *worker) one(work func()) {
	w.failed = ""
	defer func() {
		if failed := recover(); failed != nil {
			w.failed = fmt.Sprintf("%v\n\n%s", failed, debug.Stack())
		}
	}()
	work()
}

// Do runs work and returns when it is done: on a worker, or here if all have
// something to do. It panics if work does.
func (w *Workers) Do(work func()) {
	if w == nil {
		work()
		return
	}
	select {
	case one := <-w.idle:
		one.work <- work
		<-one.done
		failed := one.failed
		w.idle <- one
		if failed != "" {
			panic(failed)
		}
	default:
		work()
	}
}

// Close ends the workers, when they have done what they were given. What comes
// later is done by who brings it. It may be called again.
func (w *Workers) Close() {
	if w == nil {
		return
	}
	w.once.Do(func() {
		for range cap(w.idle) {
			close((<-w.idle).work)
		}
		w.own.Wait()
	})
}
