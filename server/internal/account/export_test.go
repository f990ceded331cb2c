package account

import (
	"runtime"
	"time"
)

// FillHashLine takes every place at which a password could be hashed, so that
// a test sees who asks for one. The result gives them back.
func (s *Service) FillHashLine() (release func()) {
	for range cap(s.passwords.line) {
		s.passwords.line <- struct{}{}
	}
	return func() {
		for range cap(s.passwords.line) {
			<-s.passwords.line
		}
	}
}

// Waiting returns when so many requests wait for the answer to an ask, or after
// ten seconds.
func (s *Service) Waiting(want int) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		n := 0
		s.waits.mu.Lock()
		for _, waiting := range s.waits.byDevice {
			n += waiting
		}
		s.waits.mu.Unlock()
		if n == want {
			return
		}
		runtime.Gosched()
	}
}

// Settle returns when every event that is recorded late has been.
func (s *Service) Settle() {
	s.late.close()
	s.late = newLateLog(s.record, func(error) {})
}

// WatchHashes calls watch when a password hash begins and again when it ends.
// It must be called before the service is used.
func (s *Service) WatchHashes(watch func(memory uint32, begins bool)) {
	derive := s.passwords.derive
	s.passwords.derive = func(password, salt []byte, passes, memory uint32, threads uint8, size uint32) []byte {
		watch(memory, true)
		defer watch(memory, false)
		return derive(password, salt, passes, memory, threads, size)
	}
}
