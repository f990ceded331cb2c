package account

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"time"

	"social-server/internal/errs"
	"social-server/internal/text"
)

// A code that invites: eight letters without vowels, so that they make no word,
// and without those that are taken for digits (RFC 8628, 6.1). That is 34 bits,
// which ten minutes and few tries make enough.
const (
	inviteAlphabet = "BCDFGHJKLMNPQRSTVWXZ"
	inviteLetters  = 8
	inviteLife     = 10 * time.Minute
)

// Invitation lets one device join a user. Only a hash of its code is kept.
type Invitation struct {
	UserID   string
	DeviceID string // who invites
	CodeHash string
	Expires  time.Time
}

// invitations is the part of Store about invitations.
type invitations interface {
	// Invite stores an invitation in place of the one the device had to the
	// user, and forgets those that expired.
	Invite(ctx context.Context, i Invitation, now time.Time) error
	// Redeem takes an invitation out of the store, if it has not expired and
	// who invited is a member still, and returns the user.
	Redeem(ctx context.Context, codeHash string, now time.Time) (User, error)
}

// Invite returns a code with which one device, of whichever account, may join a
// user that this device has joined, and until when. It replaces the code this
// device made before.
func (s *Service) Invite(ctx context.Context, who Identity, username string) (code string, expires time.Time, err error) {
	letters := make([]byte, inviteLetters)
	for i := range letters {
		n, err := rand.Int(s.Random, big.NewInt(int64(len(inviteAlphabet))))
		if err != nil {
			return "", time.Time{}, err
		}
		letters[i] = inviteAlphabet[n.Int64()]
	}
	now := s.now()
	expires = now.Add(inviteLife)
	err = s.Store.Atomically(ctx, func(ctx context.Context) error {
		user, err := s.Authorize(ctx, who, username)
		if err != nil {
			return err
		}
		invitation := Invitation{UserID: user.ID, DeviceID: who.DeviceID, CodeHash: s.inviteHash(string(letters)), Expires: expires}
		if err := s.Store.Invite(ctx, invitation, now); err != nil {
			return err
		}
		return s.recordFor(ctx, who.did(EventInvite, user.Username), user.AccountID)
	})
	return string(letters[:4]) + "-" + string(letters[4:]), expires, err
}

// Accept makes the device a member of the user that a code invites to. A code
// works once; one that is wrong, used or expired is errs.Invalid, and whoever
// calls Accept must count those.
func (s *Service) Accept(ctx context.Context, who Identity, code string) (User, error) {
	var user User
	joined := false
	err := s.Store.Atomically(ctx, func(ctx context.Context) error {
		now := s.now()
		invited, err := s.Store.Redeem(ctx, s.inviteHash(text.Code(code)), now)
		if err != nil {
			return missing(err, errs.Field("code", "This code is not valid, or not any more."))
		}
		if joined, err = s.Store.Join(ctx, invited.ID, who.DeviceID, now, s.MaxMembers); err != nil {
			return err
		}
		// Whoever is invited is not blocked.
		if err := s.Store.Unblock(ctx, invited.ID, who.AccountID); err != nil {
			return err
		}
		user = invited
		return s.recordFor(ctx, who.did(EventAccept, user.Username), user.AccountID)
	})
	if err != nil {
		return User{}, err
	}
	if joined {
		s.memberJoined(ctx, who, user)
	}
	user.Joined, user.Online = true, connected(s.online(ctx, user)[0])
	return user, nil
}

// inviteKey derives the key under which codes are hashed: without it, whoever
// reads the database could try all codes in seconds.
func inviteKey(secret []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, secret, nil, "invitation code", sha256.Size)
}

// inviteHash is what is stored of a code. It is looked up, not compared: how
// long that takes says nothing to those who do not know the key.
func (s *Service) inviteHash(code string) string {
	mac := hmac.New(sha256.New, s.inviteKey)
	mac.Write([]byte(code))
	return hex.EncodeToString(mac.Sum(nil))
}
