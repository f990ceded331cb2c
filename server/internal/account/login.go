package account

import (
	"context"
	"time"

	"social-server/internal/errs"
)

// grace is how long the predecessor of a refresh token still works, so that an
// answer lost on the way locks nobody out. It ends sooner, when its successor
// is used.
const grace = 30 * time.Second

// Grant is what a device gets for logging in or refreshing.
type Grant struct {
	AccessToken    string
	AccessExpires  time.Time
	RefreshToken   string
	RefreshExpires time.Time // unless it is used before
	Device         Device
}

// Login starts a log-in of a device. A wrong password and a device that does
// not exist are the same errs.Unauthorized, after the same time.
func (s *Service) Login(ctx context.Context, deviceName, password, platform string) (Grant, error) {
	device, owner, err := s.Store.DeviceByName(ctx, deviceName)
	known := err == nil
	if errs.Is(err, errs.NotFound) {
		owner, err = Account{PasswordHash: s.passwords.nobody}, nil
	}
	if err != nil {
		return Grant{}, err
	}
	ok, err := s.proves(ctx, owner, password)
	if err != nil {
		return Grant{}, err
	}
	if !ok && known {
		s.late.add(failedLogin(ctx, device, platform))
	}
	if !ok || !known {
		return Grant{}, errs.New(errs.Unauthorized, "The device name or the password is wrong.")
	}
	return s.startLogin(ctx, device, platform)
}

// startLogin stores a new log-in and grants its first tokens.
func (s *Service) startLogin(ctx context.Context, device Device, platform string) (Grant, error) {
	id, err := randomID(s.Random, "l_")
	if err != nil {
		return Grant{}, err
	}
	token, err := s.tokens.newRefresh(id)
	if err != nil {
		return Grant{}, err
	}
	now := s.now()
	login := Login{ID: id, DeviceID: device.ID, TokenHash: digest(token), RotatedAt: now, CreatedAt: now}
	event := Event{AccountID: device.AccountID, Event: EventLogin, DeviceID: device.ID, DeviceName: device.Name, Detail: platform}
	unknown, err := s.newPlace(ctx, device.AccountID, platform)
	if err != nil {
		return Grant{}, err
	}
	err = s.Store.Atomically(ctx, func(ctx context.Context) error {
		if err := s.Store.CreateLogin(ctx, login, platform, now.Add(-s.RefreshIdle)); err != nil {
			return err
		}
		return s.record(ctx, event)
	})
	if err != nil {
		return Grant{}, err
	}
	if unknown {
		s.notify(ctx, event)
	}
	s.Touch(device.ID)
	device.Platform, device.LastSeen = platform, now
	return s.grant(login, device, token)
}

// failedLogin is the event of a wrong password for a device that exists.
func failedLogin(ctx context.Context, d Device, platform string) Event {
	return Event{
		AccountID: d.AccountID, Event: EventLoginFailed, DeviceID: d.ID, DeviceName: d.Name,
		Address: addressOf(ctx), Detail: platform,
	}
}

// grant signs an access token to go with a refresh token.
func (s *Service) grant(login Login, device Device, refresh string) (Grant, error) {
	access, expires, err := s.tokens.sign(device.ID, login.ID)
	return Grant{
		AccessToken: access, AccessExpires: expires,
		RefreshToken: refresh, RefreshExpires: s.loginExpires(login),
		Device: device,
	}, err
}

// loginExpires returns when a log-in ends by itself.
func (s *Service) loginExpires(l Login) time.Time {
	idle, last := l.RotatedAt.Add(s.RefreshIdle), l.CreatedAt.Add(s.RefreshLife)
	if idle.Before(last) {
		return idle
	}
	return last
}

var errBadRefresh = errs.New(errs.Unauthorized, "The log-in has ended. Log in again.")

// Refresh exchanges a refresh token for new tokens. Each token is used once;
// the one just before may come again within the grace and gets the same
// successor, so that many tabs, or a lost answer, do no harm. One that comes
// after that has been copied: the whole log-in ends, for the thief and the
// owner, and the owner logs in again.
func (s *Service) Refresh(ctx context.Context, token string) (Grant, error) {
	id, ok := loginOf(token)
	if !ok {
		return Grant{}, errBadRefresh
	}
	used, next := digest(token), s.tokens.successor(token)
	for range 2 { // once more if another request rotated between look and move
		login, device, err := s.usableLogin(ctx, id, used)
		if err != nil {
			return Grant{}, err
		}
		now := s.now()
		switch {
		case used == login.TokenHash:
			moved, err := s.Store.RotateLogin(ctx, id, used, digest(next), now)
			if err != nil {
				return Grant{}, err
			}
			if moved {
				login.RotatedAt = now
				s.Touch(device.ID)
				return s.grant(login, device, next)
			}
		case used == login.PreviousHash && now.Sub(login.RotatedAt) <= grace:
			next, ok := s.tokens.givenBefore(token, login.TokenHash)
			if !ok {
				return Grant{}, errBadRefresh // its key is gone: nobody was given another
			}
			return s.grant(login, device, next)
		default:
			return Grant{}, s.copied(ctx, login, device)
		}
	}
	return Grant{}, errBadRefresh
}

// copied ends a log-in of which somebody else has a token, and says so to the
// account's log. It returns the answer, which tells the thief nothing.
func (s *Service) copied(ctx context.Context, login Login, device Device) error {
	reuse := Event{AccountID: device.AccountID, Event: EventRefreshReuse, DeviceID: device.ID, DeviceName: device.Name}
	ended, err := s.endLogin(ctx, login.ID, reuse)
	if err != nil {
		return err
	}
	if ended {
		s.Log.WarnContext(ctx, "a refresh token came twice: its log-in has ended", "device", device.ID)
		s.notify(ctx, reuse)
	}
	return errBadRefresh
}

// usableLogin returns a log-in that has not ended, with its device.
func (s *Service) usableLogin(ctx context.Context, id, used string) (Login, Device, error) {
	login, device, err := s.Store.Login(ctx, id)
	switch {
	case errs.Is(err, errs.NotFound):
		return Login{}, Device{}, errBadRefresh
	case err != nil:
		return Login{}, Device{}, err
	case !device.RevokedAt.IsZero() && (used == login.TokenHash || used == login.PreviousHash):
		return Login{}, Device{}, errRevoked
	case !login.EndedAt.IsZero(), !s.now().Before(s.loginExpires(login)):
		return Login{}, Device{}, errBadRefresh
	}
	return login, device, nil
}

// Logout ends the log-in of a device that is asking.
func (s *Service) Logout(ctx context.Context, who Identity) error {
	_, err := s.endLogin(ctx, who.LoginID, who.did(EventLogout, ""))
	return err
}

// LogoutToken ends the log-in of a refresh token. One that is not good any more
// is not an error: its log-in has ended, which is what was asked for.
func (s *Service) LogoutToken(ctx context.Context, token string) error {
	id, _ := loginOf(token)
	login, device, err := s.Store.Login(ctx, id)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if used := digest(token); used != login.TokenHash && used != login.PreviousHash {
		return nil
	}
	_, err = s.endLogin(ctx, id, Event{AccountID: device.AccountID, Event: EventLogout, DeviceID: device.ID, DeviceName: device.Name})
	return err
}

// endLogin ends a log-in of the device of an event, for the reason it says,
// then its sessions, and reports whether it was alive.
func (s *Service) endLogin(ctx context.Context, loginID string, e Event) (ended bool, err error) {
	err = s.Store.Atomically(ctx, func(ctx context.Context) (err error) {
		if ended, err = s.Store.EndLogin(ctx, loginID, s.now()); err != nil || !ended {
			return err
		}
		return s.record(ctx, e)
	})
	if err != nil || !ended {
		return false, err
	}
	s.Live.LoginEnded(loginID, e.DeviceID)
	return true, nil
}
