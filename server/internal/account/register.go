package account

import (
	"context"
	"errors"

	"social-server/internal/errs"
	"social-server/internal/text"
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
	device, err := s.register(ctx, r)
	if errs.Is(err, errs.Conflict) && errs.From(err).Field == "email" {
		// Another device made the account meanwhile: now there is one to join.
		device, err = s.register(ctx, r)
	}
	return device, err
}

// register stores a device, with a new account or in the one the e-mail has. It
// takes one password hash either way. The rules for new passwords are asked only
// of one that founds an account.
func (s *Service) register(ctx context.Context, r NewDevice) (Device, error) {
	name, nameErr := text.DeviceName("deviceName", r.Name)
	email, emailErr := text.Email(r.Email)
	owner, founding := Account{}, true
	if emailErr == nil {
		var err error
		if owner, founding, err = s.accountOf(ctx, r.Email); err != nil {
			return Device{}, err
		}
	}
	password, passwordErr := r.Password, error(nil)
	switch {
	case founding:
		password, passwordErr = newPassword(password, s.MinPassword, name, r.Email, email)
	case password == "":
		passwordErr = errs.Field("password", "A password is needed.")
	}
	if err := errors.Join(nameErr, emailErr, passwordErr); err != nil {
		return Device{}, err
	}
	id, err := randomID(s.Random, "d_")
	if err != nil {
		return Device{}, err
	}
	now := s.now()
	device := Device{ID: id, Name: name, Platform: r.Platform, CreatedAt: now, LastSeen: now}
	if founding {
		return s.found(ctx, device, email, password)
	}
	return s.admitToAccount(ctx, device, owner, password)
}

// accountOf returns the account whose password a device of an e-mail address has
// to give, or reports that the device founds one. Under first-account every other
// address gets an account without a password, so that all of them look alike.
func (s *Service) accountOf(ctx context.Context, email string) (owner Account, founding bool, err error) {
	full := false
	if s.Registration == FirstAccount {
		if full, err = s.Store.AnyAccount(ctx); err != nil {
			return Account{}, false, err
		}
	}
	owner, err = s.Store.AccountByEmail(ctx, email)
	if !errs.Is(err, errs.NotFound) {
		return owner, false, err
	}
	return Account{PasswordHash: s.passwords.nobody}, !full, nil
}

// found stores a new account and its first device.
func (s *Service) found(ctx context.Context, device Device, email, password string) (Device, error) {
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
		return Device{}, s.notAdmitted()
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

// notAdmitted is the error for a device that gave a wrong password of its e-mail
// address's account. Under first-account every other address gets it too, so that
// it does not reveal the address of the account.
func (s *Service) notAdmitted() error {
	message := "This e-mail address is registered, and this is not its password."
	if s.Registration == FirstAccount {
		message = "Nobody else may register here: this server is for one account. A device of that account needs its e-mail address and its password."
	}
	return &errs.Error{Code: errs.Unauthorized, Field: "password", Message: message}
}

// registered is the event of a new device.
func registered(d Device) Event {
	return Event{AccountID: d.AccountID, Event: EventRegister, DeviceID: d.ID, DeviceName: d.Name, Detail: d.Platform}
}

// proves reports whether password is the account's. The hash of one that is
// gets replaced if it took less than a hash takes today, or is of a spelling
// that is not hashed any more.
func (s *Service) proves(ctx context.Context, a Account, password string) (bool, error) {
	ok, older, err := s.matches(ctx, a, password)
	if !ok || err != nil || !older && !s.passwords.cheap(a.PasswordHash) {
		return ok, err
	}
	hash, err := s.passwords.hash(ctx, text.Password(password))
	if err != nil {
		return false, err
	}
	return true, s.Store.ReplaceHash(ctx, a.ID, a.PasswordHash, hash)
}

// matches is proves without a new hash. A password whose spelling text.Password
// changes is tried as it was typed too, for it may have been hashed before there
// was such a rule (older). How many hashes that takes follows from the password
// alone, also for an account that does not exist (SEC-7).
func (s *Service) matches(ctx context.Context, a Account, password string) (ok, older bool, err error) {
	spellings := []string{text.Password(password)}
	if spellings[0] != password {
		spellings = append(spellings, password)
	}
	for i, spelling := range spellings {
		if len(spelling) > maxPasswordBytes {
			continue // nobody's: too long to have been stored
		}
		if ok, err = s.passwords.matches(ctx, a.PasswordHash, spelling); ok || err != nil {
			return ok, i > 0, err
		}
	}
	return false, false, nil
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
