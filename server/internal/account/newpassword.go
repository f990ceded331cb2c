package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"time"

	"social-server/internal/errs"
	"social-server/internal/text"
)

// resetLife is how long a reset code may be used.
const resetLife = 30 * time.Minute

// resets is the part of Store about passwords that are replaced.
type resets interface {
	// PutResetCode stores the hash of an account's reset code, in place of the
	// one before it.
	PutResetCode(ctx context.Context, accountID, codeHash string, expires time.Time) error
	// ResetCode returns the account of a reset code that has not expired.
	ResetCode(ctx context.Context, codeHash string, now time.Time) (Account, error)
	// DropResetCode forgets the reset code of an account, if there is one.
	DropResetCode(ctx context.Context, accountID string) error
	// EndLogins ends the log-ins of all devices of an account but one, and
	// returns those that were alive.
	EndLogins(ctx context.Context, accountID, except string, at time.Time) ([]Login, error)
}

// ChangePassword gives the account of a device another password, if the device
// knows the current one (errs.Unauthorized otherwise). Every other log-in of
// the account ends: whoever knew the old password is out (SEC-5).
func (s *Service) ChangePassword(ctx context.Context, who Identity, current, next string) error {
	owner, err := s.Store.Account(ctx, who.AccountID)
	if err != nil {
		return err
	}
	if ok, _, err := s.matches(ctx, owner, current); err != nil {
		return err
	} else if !ok {
		return &errs.Error{Code: errs.Unauthorized, Field: "current", Message: "This is not the password."}
	}
	hash, err := s.hashNew(ctx, "new", next, owner)
	if err != nil {
		return err
	}
	return s.replacePassword(ctx, owner, hash, who.LoginID, who.did(EventPasswordChanged, ""))
}

var errBadCode = &errs.Error{Code: errs.Unauthorized, Field: "code", Message: "This code is wrong, was used, or is too old."}

// ResetPassword gives an account a new password for a code of NewResetCode,
// which works once. All log-ins of the account end.
func (s *Service) ResetPassword(ctx context.Context, code, password string) error {
	owner, err := s.Store.ResetCode(ctx, codeHash(code), s.now())
	if err != nil {
		return missing(err, errBadCode)
	}
	hash, err := s.hashNew(ctx, "password", password, owner)
	if err != nil {
		return err
	}
	event := Event{AccountID: owner.ID, Event: EventPasswordReset}
	return s.replacePassword(ctx, owner, hash, "", event, func(ctx context.Context) error {
		_, err := s.Store.ResetCode(ctx, codeHash(code), s.now()) // once more: of two who come at once, one is late
		return missing(err, errBadCode)
	})
}

// replacePassword stores a new hash if nothing else replaced the old one
// meanwhile and the checks pass, ends all log-ins but keep, and says so to the log.
func (s *Service) replacePassword(ctx context.Context, owner Account, hash, keep string, event Event, checks ...func(context.Context) error) error {
	var ended []Login
	err := s.Store.Atomically(ctx, func(ctx context.Context) error {
		for _, check := range checks {
			if err := check(ctx); err != nil {
				return err
			}
		}
		now, err := s.Store.Account(ctx, owner.ID)
		if err != nil {
			return err
		}
		if now.PasswordHash != owner.PasswordHash {
			return errs.New(errs.Conflict, "The password was changed just now.")
		}
		if err := s.Store.ReplaceHash(ctx, owner.ID, owner.PasswordHash, hash); err != nil {
			return err
		}
		if err := s.Store.DropResetCode(ctx, owner.ID); err != nil {
			return err
		}
		if ended, err = s.Store.EndLogins(ctx, owner.ID, keep, s.now()); err != nil {
			return err
		}
		return s.record(ctx, event)
	})
	if err != nil {
		return err
	}
	for _, login := range ended {
		s.Live.LoginEnded(login.ID, login.DeviceID)
	}
	return nil
}

// hashNew checks a new password of an account and hashes it. Errors name field.
func (s *Service) hashNew(ctx context.Context, field, password string, owner Account) (string, error) {
	names, err := s.namesOf(ctx, owner)
	if err != nil {
		return "", err
	}
	if password, err = newPassword(password, s.MinPassword, names...); err != nil {
		e := *errs.From(err)
		e.Field = field
		return "", &e
	}
	return s.passwords.hash(ctx, password)
}

// namesOf returns the names in an account that its password may not be made of.
func (s *Service) namesOf(ctx context.Context, owner Account) ([]string, error) {
	devices, err := s.Store.Devices(ctx, owner.ID)
	if err != nil {
		return nil, err
	}
	users, err := s.Store.Users(ctx, owner.ID, "")
	if err != nil {
		return nil, err
	}
	names := []string{owner.Email}
	for _, d := range devices {
		names = append(append(names, d.Name), d.Users...)
	}
	for _, u := range users {
		names = append(names, u.Username)
	}
	return names, nil
}

// codeStore is what NewResetCode needs of a Store.
type codeStore interface {
	AccountByEmail(ctx context.Context, email string) (Account, error)
	DeviceByName(ctx context.Context, name string) (Device, Account, error)
	PutResetCode(ctx context.Context, accountID, codeHash string, expires time.Time) error
}

// NewResetCode makes a code that sets a new password for the account of a
// device name or e-mail address, once, within half an hour. The account's
// former code is void. It is for whoever runs the server, who is trusted to
// know to whom they give it.
func NewResetCode(ctx context.Context, store codeStore, random io.Reader, now time.Time, name string) (code string, owner Account, err error) {
	_, owner, err = store.DeviceByName(ctx, name)
	if errs.Is(err, errs.NotFound) {
		owner, err = store.AccountByEmail(ctx, name)
	}
	if err != nil {
		return "", Account{}, missing(err, errs.New(errs.NotFound, "No device and no account is called %q.", name))
	}
	var bits [10]byte // 80 bits are 16 letters
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return "", Account{}, err
	}
	code = strings.ToUpper(idAlphabet.EncodeToString(bits[:]))
	code = strings.Join([]string{code[:4], code[4:8], code[8:12], code[12:]}, "-")
	return code, owner, store.PutResetCode(ctx, owner.ID, codeHash(code), now.UTC().Add(resetLife))
}

// codeHash returns what is stored of a code, however it was typed.
func codeHash(code string) string {
	sum := sha256.Sum256([]byte(text.Code(code)))
	return hex.EncodeToString(sum[:])
}
