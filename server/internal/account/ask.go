package account

import (
	"context"
	"crypto/rand"
	"math/big"
	"strconv"
	"strings"
	"time"

	"social-server/internal/errs"
	"social-server/internal/protocol"
	"social-server/internal/text"
)

// The states of an ask.
const (
	AskWaiting  = "waiting"
	AskApproved = "approved"
	AskDenied   = "denied" // by a member, or by too many wrong numbers
	AskExpired  = "expired"
)

// The limits of asking, so that nobody is nagged. Those that concern one
// account are of Config.
const (
	askLife     = 10 * time.Minute
	askDay      = 24 * time.Hour // that MaxAsksPerDay counts
	askTries    = 3              // wrong numbers
	asksPerUser = 10             // that wait at one user; more reach nobody
)

// Ask is the wish of a device to join a user of another account.
type Ask struct {
	ID         string
	Username   string // as it was asked for
	UserID     string // "" if it reaches nobody
	AccountID  string // of the device
	DeviceID   string
	DeviceName string
	Email      string // of its account
	Code       string // two digits, for the device's own screen
	Wrong      int    // numbers typed that were not these
	State      string
	At         time.Time
	Expires    time.Time
}

// MaskedEmail is as much of the address as a person needs to know whose device
// it is: "anna@…".
func (a Ask) MaskedEmail() string {
	local, _, _ := strings.Cut(a.Email, "@")
	return local + "@…"
}

// asks is the part of Store about asks and blocks.
type asks interface {
	// UserNamed returns the user of a name, whoever owns it.
	UserNamed(ctx context.Context, username string) (User, error)
	// CreateAsk stores an ask that waits, of a device that is not revoked.
	CreateAsk(ctx context.Context, a Ask) error
	// AskOf returns the ask of a device for a username that waits.
	AskOf(ctx context.Context, deviceID, username string) (Ask, error)
	// Ask returns an ask, whatever its state.
	Ask(ctx context.Context, id string) (Ask, error)
	// Asks returns the asks that wait at a user, oldest first.
	Asks(ctx context.Context, userID string) ([]Ask, error)
	// AsksSince returns when the asks of an account since a time were made,
	// oldest first, and how many of them wait.
	AsksSince(ctx context.Context, accountID string, since time.Time) (made []time.Time, waiting int, err error)
	// AnswerAsk sets the state of an ask and how many wrong numbers it met.
	AnswerAsk(ctx context.Context, id, state string, wrong int) error
	// ExpireAsks ends the waiting of asks whose time is over, and forgets
	// those made before a time.
	ExpireAsks(ctx context.Context, now, before time.Time) error
	// Blocked reports whether a user does not want to hear of an account.
	Blocked(ctx context.Context, userID, accountID string) (bool, error)
	// Block makes all asks of an account to a user reach nobody.
	Block(ctx context.Context, userID, accountID string, at time.Time) error
	// Unblock undoes Block for asks to come.
	Unblock(ctx context.Context, userID, accountID string) error
}

// Ask asks to join the user of a name, which belongs to another account, or to
// nobody: the answer is the same (SEC-8). An ask that waits is returned again,
// so that a page may be loaded again. Above the account's limits it is
// errs.RateLimited.
func (s *Service) Ask(ctx context.Context, who Identity, username string) (Ask, error) {
	name, err := text.Username(username)
	if err != nil {
		return Ask{}, err
	}
	ask, owner, fresh := Ask{}, "", false
	err = s.Store.Atomically(ctx, func(ctx context.Context) (err error) {
		fresh = false
		now := s.now()
		if err := s.Store.ExpireAsks(ctx, now, now.Add(-askDay)); err != nil {
			return err
		}
		if ask, err = s.Store.AskOf(ctx, who.DeviceID, username); !errs.Is(err, errs.NotFound) {
			return err
		}
		if err := s.mayAsk(ctx, who, now); err != nil {
			return err
		}
		if ask, owner, err = s.newAsk(ctx, who, name, username, now); err != nil {
			return err
		}
		fresh = true
		if err := s.Store.CreateAsk(ctx, ask); err != nil {
			return err
		}
		return s.record(ctx, who.did(EventAsk, ask.Username))
	})
	if err != nil {
		return Ask{}, err
	}
	if fresh && ask.UserID != "" {
		reached := who.did(EventAsk, ask.Username)
		reached.AccountID, reached.Address = owner, addressOf(ctx)
		s.late.add(reached) // late, or an ask that reaches somebody would take longer
		s.Live.Asked(ask.UserID, protocol.Device{ID: who.DeviceID, Name: who.DeviceName},
			protocol.Ask{ID: ask.ID, Email: ask.MaskedEmail(), Expires: ask.Expires})
	}
	return ask, nil
}

// mayAsk refuses an account that asks too much.
func (s *Service) mayAsk(ctx context.Context, who Identity, now time.Time) error {
	made, waiting, err := s.Store.AsksSince(ctx, who.AccountID, now.Add(-askDay))
	if err != nil {
		return err
	}
	wait := time.Duration(0)
	switch {
	case len(made) >= s.MaxAsksPerDay:
		wait = made[len(made)-s.MaxAsksPerDay].Add(askDay).Sub(now)
	case waiting >= s.MaxAsksWaiting:
		wait = made[len(made)-waiting].Add(askLife).Sub(now)
	default:
		return nil
	}
	return &errs.Error{
		Code: errs.RateLimited, Message: "This account has asked to join too often. Wait a little.", RetryAfter: max(wait, time.Second),
	}
}

// newAsk makes an ask, and finds the account that owns the user. The ask is a decoy
// if there is no such user, or if its account is blocked there. The user is found
// by the name as it was typed.
func (s *Service) newAsk(ctx context.Context, who Identity, name, typed string, now time.Time) (Ask, string, error) {
	id, err := randomID(s.Random, "q_")
	if err != nil {
		return Ask{}, "", err
	}
	number, err := rand.Int(s.Random, big.NewInt(90))
	if err != nil {
		return Ask{}, "", err
	}
	asker, err := s.Store.Account(ctx, who.AccountID)
	if err != nil {
		return Ask{}, "", err
	}
	ask := Ask{
		ID: id, Username: name, AccountID: who.AccountID, DeviceID: who.DeviceID, DeviceName: who.DeviceName,
		Email: asker.Email, Code: strconv.FormatInt(10+number.Int64(), 10), State: AskWaiting, At: now, Expires: now.Add(askLife),
	}
	user, err := s.Store.UserNamed(ctx, typed)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return Ask{}, "", err
	}
	blocked, err := s.Store.Blocked(ctx, user.ID, who.AccountID) // asked of nobody too: it takes the same time
	if err != nil {
		return Ask{}, "", err
	}
	others, err := s.Store.Asks(ctx, user.ID)
	if err != nil {
		return Ask{}, "", err
	}
	if blocked || len(others) >= asksPerUser {
		return ask, "", nil
	}
	ask.UserID = user.ID
	return ask, user.AccountID, nil
}
