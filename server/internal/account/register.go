package account

import (
	"context"
	"errors"
	"strings"

	"social-server/internal/errs"
)

// NewDevice is what a device says of itself when it registers.
type NewDevice struct {
	Name     string
	Email    string
	Password string
	Platform string
}

// Register makes a device. The first one of an e-mail address makes its
// account; a later one must know the account's password (errs.Unauthorized
// otherwise, after the same time). A name that is taken is errs.Conflict. Bad
// fields are reported all at once.
func (s *Service) Register(ctx context.Context, r NewDevice) (Device, error) {
	if s.Registration == Closed {
		return Device{}, errs.New(errs.Forbidden, "This server registers no new devices.")
	}
	email, emailErr := checkEmail(r.Email)
	local, _, _ := strings.Cut(email, "@")
	if err := errors.Join(
		checkDeviceName("deviceName", r.Name),
		emailErr,
		checkPassword(r.Password, s.MinPassword, r.Name, email, local),
	); err != nil {
		return Device{}, err
	}
	id, err := randomID(s.Random, "d_")
	if err != nil {
		return Device{}, err
	}
	now := s.now()
	device := Device{ID: id, Name: r.Name, Platform: r.Platform, CreatedAt: now, LastSeen: now}
	device, err = s.admit(ctx, device, email, r.Password)
	if errs.Is(err, errs.Conflict) && errs.From(err).Field == "email" {
		// Another device made the account meanwhile: now there is one to join.
		device, err = s.admit(ctx, device, email, r.Password)
	}
	return device, err
}

// admit stores a device, with a new account or in the one the e-mail has. It
// takes one password hash either way.
func (s *Service) admit(ctx context.Context, device Device, email, password string) (Device, error) {
	owner, err := s.Store.AccountByEmail(ctx, email)
	switch {
	case err == nil:
		return s.admitToAccount(ctx, device, owner, password)
	case !errs.Is(err, errs.NotFound):
		return Device{}, err
	}
	if s.Registration == FirstAccount {
		if any, err := s.Store.AnyAccount(ctx); err != nil {
			return Device{}, err
		} else if any {
			return s.admitToAccount(ctx, device, Account{PasswordHash: s.passwords.nobody}, password)
		}
	}
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return Device{}, err
	}
	id, err := randomID(s.Random, "a_")
	if err != nil {
		return Device{}, err
	}
	device.AccountID = id
	account := Account{ID: id, Email: email, PasswordHash: hash, CreatedAt: device.CreatedAt}
	return device, s.Store.Atomically(ctx, func(ctx context.Context) error {
		if err := s.Store.CreateAccount(ctx, account, device, s.Registration == FirstAccount); err != nil {
			return naming(err)
		}
		return s.record(ctx, registered(device))
	})
}

// admitToAccount stores a device in an account whose password it knows.
func (s *Service) admitToAccount(ctx context.Context, device Device, owner Account, password string) (Device, error) {
	ok, err := s.proves(ctx, owner, password)
	if err != nil {
		return Device{}, err
	}
	if !ok {
		if owner.ID != "" {
			s.late.add(failedLogin(ctx, Device{AccountID: owner.ID, Name: device.Name}, device.Platform))
		}
		return Device{}, &errs.Error{Code: errs.Unauthorized, Field: "password", Message: "This e-mail address is registered, and this is not its password."}
	}
	device.AccountID = owner.ID
	err = s.Store.Atomically(ctx, func(ctx context.Context) error {
		if err := s.Store.CreateDevice(ctx, device, s.MaxDevices); err != nil {
			return naming(err)
		}
		return s.record(ctx, registered(device))
	})
	if err == nil {
		s.notify(ctx, registered(device))
	}
	return device, err
}

// registered is the event of a new device.
func registered(d Device) Event {
	return Event{AccountID: d.AccountID, Event: EventRegister, DeviceID: d.ID, DeviceName: d.Name, Detail: d.Platform}
}

// proves reports whether password is the account's. The hash of one that is
// gets replaced if it took less than a hash takes today.
func (s *Service) proves(ctx context.Context, a Account, password string) (bool, error) {
	ok, err := s.matches(ctx, a, password)
	if !ok || err != nil || !s.passwords.cheap(a.PasswordHash) {
		return ok, err
	}
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return false, err
	}
	return true, s.Store.ReplaceHash(ctx, a.ID, a.PasswordHash, hash)
}

// matches is proves without a new hash.
func (s *Service) matches(ctx context.Context, a Account, password string) (bool, error) {
	if len(password) > maxPasswordBytes {
		return false, nil // nobody's: too long to have been stored
	}
	return s.passwords.matches(ctx, a.PasswordHash, password)
}

// naming gives a conflict of the store the words for a person.
func naming(err error) error {
	if !errs.Is(err, errs.Conflict) {
		return err
	}
	e := *errs.From(err)
	switch e.Field {
	case "username":
		e.Message = "This username is taken."
	case "email":
		e.Message = "This e-mail address was registered just now. Try again."
	default:
		e.Message = "This device name is taken."
	}
	return &e
}
