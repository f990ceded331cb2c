package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"time"

	"social-server/internal/errs"
	"social-server/internal/protocol"
)

// Registration says who may register a device.
type Registration string

// The three rules.
const (
	Open         Registration = "open"          // anyone may make an account
	FirstAccount Registration = "first-account" // one account is made; later devices must be its own
	Closed       Registration = "closed"        // no new account and no new device
)

// Config is what a Service is made of. Store and Secrets are needed; of
// everything else the zero value means the default named beside it.
type Config struct {
	Store   Store
	Live    Live     // nobody is connected
	Secrets [][]byte // at least 32 bytes each; the first signs, all verify

	Log    *slog.Logger     // slog.Default
	Now    func() time.Time // time.Now
	Random io.Reader        // crypto/rand

	Registration Registration  // Open
	MinPassword  int           // 8 code points
	HashCost     HashCost      // DefaultHashCost
	AccessLife   time.Duration // 15 minutes: how long an access token is good
	RefreshIdle  time.Duration // 30 days: a log-in that was not used this long has ended
	RefreshLife  time.Duration // 90 days: so has one that is this old
	MaxDevices   int           // 100 per account
	MaxUsers     int           // 100 per account
	MaxMembers   int           // 50 per user

	MaxAsksWaiting int // 5 at once, of the devices of one account, to join users of others
	MaxAsksPerDay  int // 20
	MaxWaits       int // 8: requests of one device that wait for the answer to an ask
}

// withDefaults returns c with every zero replaced.
func (c Config) withDefaults() Config {
	const day = 24 * time.Hour
	if c.Live == nil {
		c.Live = nobody{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Log = cmp.Or(c.Log, slog.Default())
	c.Random = cmp.Or(c.Random, rand.Reader)
	c.Registration = cmp.Or(c.Registration, Open)
	c.MinPassword = cmp.Or(c.MinPassword, 8)
	c.HashCost = cmp.Or(c.HashCost, DefaultHashCost)
	c.AccessLife = cmp.Or(c.AccessLife, 15*time.Minute)
	c.RefreshIdle = cmp.Or(c.RefreshIdle, 30*day)
	c.RefreshLife = cmp.Or(c.RefreshLife, 90*day)
	c.MaxDevices = cmp.Or(c.MaxDevices, 100)
	c.MaxUsers = cmp.Or(c.MaxUsers, 100)
	c.MaxMembers = cmp.Or(c.MaxMembers, 50)
	c.MaxAsksWaiting = cmp.Or(c.MaxAsksWaiting, 5)
	c.MaxAsksPerDay = cmp.Or(c.MaxAsksPerDay, 20)
	c.MaxWaits = cmp.Or(c.MaxWaits, 8)
	return c
}

// Service decides about accounts, devices, users and members. Its methods may
// be called from many goroutines.
type Service struct {
	Config
	passwords *passwords
	tokens    *tokens
	seen      *seen
	late      *lateLog
	waits     *waits
	inviteKey []byte
}

// New returns a Service. The caller must Close it, before the store.
func New(c Config) (*Service, error) {
	c = c.withDefaults()
	t, err := newTokens(c.Secrets, c.AccessLife, c.Now, c.Random)
	if err != nil {
		return nil, err
	}
	p, err := newPasswords(c.HashCost, c.Random)
	if err != nil {
		return nil, err
	}
	key, err := inviteKey(c.Secrets[0])
	if err != nil {
		return nil, err
	}
	c.Secrets = nil // they live in tokens alone
	s := &Service{Config: c, passwords: p, tokens: t, seen: newSeen(c.Store, c.Log), waits: newWaits(), inviteKey: key}
	s.late = newLateLog(s.record, func(err error) { s.Log.Warn("event not recorded", "err", err) })
	return s, nil
}

// Close stores when devices were last seen and what was to be recorded, and
// waits until that is done.
func (s *Service) Close() error {
	s.StopWaiting()
	s.late.close()
	return s.seen.close()
}

// Touch notes that a device was heard of just now. It never waits: the times
// are stored together, twice a minute.
func (s *Service) Touch(deviceID string) { s.seen.touch(deviceID, s.now()) }

// now is the time of a change, as precise as it is stored and shown.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// Authenticate returns whom an access token speaks for. It asks the store each
// time, since a token alone cannot be taken back. A token past its time is
// errs.Expired, a device that was locked out errs.Revoked, and anything else
// that is not good errs.Unauthorized.
func (s *Service) Authenticate(ctx context.Context, accessToken string) (Identity, error) {
	who, _, err := s.seat(ctx, accessToken, "")
	return who, err
}

// Enter is Authenticate, and Authorize for a user.
func (s *Service) Enter(ctx context.Context, accessToken, username string) (Identity, User, error) {
	who, user, err := s.seat(ctx, accessToken, username)
	if err == nil && !user.Joined {
		err = errNoUser
	}
	return who, user, err
}

func (s *Service) seat(ctx context.Context, accessToken, username string) (Identity, User, error) {
	c, err := s.tokens.verify(accessToken)
	if err != nil {
		return Identity{}, User{}, err
	}
	seat, err := s.Store.Seat(ctx, c.Login, username)
	if err := seatError(seat, c.Device, err); err != nil {
		return Identity{}, User{}, err
	}
	s.Touch(seat.DeviceID)
	return Identity{
		DeviceID: seat.DeviceID, DeviceName: seat.DeviceName, AccountID: seat.AccountID,
		LoginID: c.Login, Expires: time.Unix(c.Expires, 0).UTC(),
	}, seat.User, nil
}

// seatError returns why a seat that was read from the store, or not, is not one
// of a device; nil if it is.
func seatError(seat Seat, deviceID string, err error) error {
	switch {
	case errs.Is(err, errs.NotFound):
		return errBadToken
	case err != nil:
		return err
	case seat.DeviceID != deviceID:
		return errBadToken
	case seat.Revoked:
		return errRevoked
	case seat.Ended:
		return errBadToken
	}
	return nil
}

var errRevoked = errs.New(errs.Revoked, "This device was locked out.")

// nobody is the Live of a server without live connections.
type nobody struct{}

func (nobody) DeviceRevoked(string, []string)              {}
func (nobody) DeviceRenamed(string, string, []string)      {}
func (nobody) LoginEnded(string, string)                   {}
func (nobody) MemberJoined(string, string, string)         {}
func (nobody) MemberLeft(string, string)                   {}
func (nobody) Asked(string, protocol.Device, protocol.Ask) {}
func (nobody) AskEnded(string, protocol.Device)            {}
func (nobody) Noticed(string, protocol.Notice)             {}
func (nobody) Online(_ context.Context, users ...string) []map[string]int {
	return make([]map[string]int, len(users))
}
