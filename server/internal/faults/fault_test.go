package faults

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"syscall"
	"time"
)

// fault is one of 6.4's.
type fault struct {
	name  string
	on    string // what it takes hold of: two faults at once must differ in it
	onlyA bool   // devices of B must not notice
	begin func(*scenario) error
	heal  func(*scenario) error
}

// catalogue is every fault a scenario may meet.
var catalogue = []fault{
	{"A is cut from Redis", "redis", false,
		func(s *scenario) error { s.A.redis.Refuse(true); return nil },
		func(s *scenario) error { s.A.redis.Refuse(false); return nil }},
	{"both are cut from Redis", "redis", false,
		func(s *scenario) error { s.A.redis.Refuse(true); s.B.redis.Refuse(true); return nil },
		func(s *scenario) error { s.A.redis.Refuse(false); s.B.redis.Refuse(false); return nil }},
	{"Redis is silent", "redis", false,
		func(s *scenario) error { s.A.redis.DropDown(true); s.B.redis.DropDown(true); return nil },
		(*scenario).redisSpeaks},
	{"Redis is killed", "redis", false,
		func(s *scenario) error { return s.Redis.Kill() },
		func(s *scenario) error { return s.Redis.Start(context.Background()) }},
	{"A is cut from PostgreSQL", "postgres", true,
		func(s *scenario) error { s.A.postgres.Refuse(true); return nil },
		func(s *scenario) error { s.A.postgres.Refuse(false); return nil }},
	{"PostgreSQL is 200 ms away", "postgres", false,
		func(s *scenario) error { s.distance(200 * time.Millisecond); return nil },
		func(s *scenario) error { s.distance(0); return nil }},
	{"PostgreSQL crashes", "postgres", false,
		func(s *scenario) error { return s.depot.StopNow() },
		func(s *scenario) error { return s.depot.Start(context.Background()) }},
	{"A stands still", "A", true,
		func(s *scenario) error { return s.A.Signal(syscall.SIGSTOP) },
		func(s *scenario) error { return s.A.Signal(syscall.SIGCONT) }},
	{"A is killed", "A", true,
		func(s *scenario) error { return s.A.Kill() },
		func(s *scenario) error { return s.A.Start(context.Background()) }},
	{"A is told to end", "A", true,
		func(s *scenario) error { return s.A.Signal(syscall.SIGTERM) },
		(*scenario).endedInOrder},
	{"all connections to A are reset", "clients", true,
		func(s *scenario) error { s.A.clients.Cut(); return nil },
		func(s *scenario) error { s.A.clients.Cut(); return nil }},
	{"nothing passes between A and its devices", "clients", true,
		func(s *scenario) error { s.A.clients.Freeze(); return nil },
		func(s *scenario) error { s.A.clients.Thaw(); return nil }},
	{"a device of B does not read", "device", false,
		func(s *scenario) error { s.stall.Freeze(); return nil },
		func(s *scenario) error { s.stall.Thaw(); return nil }},
	{"a device is revoked", "device", false, (*scenario).revokeLast, (*scenario).revokeLast},
}

// redisSpeaks ends the silence. Connections that lost bytes end with it: no TCP
// stream ever loses its middle.
func (s *scenario) redisSpeaks() error {
	for _, one := range s.both() {
		one.redis.Cut()
		one.redis.DropDown(false)
	}
	return nil
}

func (s *scenario) distance(d time.Duration) {
	for _, one := range s.both() {
		one.postgres.Delay(d)
	}
}

func (s *scenario) endedInOrder() error {
	code, err := s.A.Wait(context.Background(), 30*time.Second)
	crashed := slices.ContainsFunc(s.faults, func(f fault) bool { return f.on == "postgres" })
	if err == nil && code != 0 && !crashed { // without PostgreSQL it cannot note who was seen last, and says so
		err = errors.New("A did not end in order")
	}
	if err != nil {
		return err
	}
	return s.A.Start(context.Background())
}

// revokeLast revokes the last device, if that can be done now; in the end it is
// done for certain, as soon as what else had failed allows it.
func (s *scenario) revokeLast() error {
	last := s.Devices[len(s.Devices)-1]
	revoked := func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		status, _, err := Do(ctx, s.B.Addr(), s.revoke(last))
		return err == nil && (status == http.StatusNoContent || status == http.StatusNotFound)
	}
	if s.healing {
		return Poll(context.Background(), patient, "the device is revoked", revoked)
	}
	revoked() // or not
	return nil
}
