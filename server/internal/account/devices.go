package account

import (
	"context"

	"social-server/internal/errs"
	"social-server/internal/text"
)

// Devices returns the devices of the account, oldest first.
func (s *Service) Devices(ctx context.Context, who Identity) ([]Listed, error) {
	all, err := s.Store.Devices(ctx, who.AccountID)
	if err != nil {
		return nil, err
	}
	users, err := s.Store.Users(ctx, who.AccountID, who.DeviceID)
	if err != nil {
		return nil, err
	}
	online := map[string]bool{}
	for _, sessions := range s.online(ctx, users...) {
		for device, n := range sessions {
			online[device] = online[device] || n > 0
		}
	}
	for i := range all {
		all[i].Online = online[all[i].ID]
		all[i].Current = all[i].ID == who.DeviceID
	}
	return all, nil
}

// Device returns one device of the account.
func (s *Service) Device(ctx context.Context, who Identity, deviceID string) (Listed, error) {
	all, err := s.Devices(ctx, who)
	if err != nil {
		return Listed{}, err
	}
	for _, device := range all {
		if device.ID == deviceID {
			return device, nil
		}
	}
	return Listed{}, errNoDevice
}

// RenameDevice gives a device of the account another name.
func (s *Service) RenameDevice(ctx context.Context, who Identity, deviceID, name string) error {
	name, err := text.DeviceName("name", name)
	if err != nil {
		return err
	}
	var joined []string
	err = s.Store.Atomically(ctx, func(ctx context.Context) (err error) {
		if joined, err = s.Store.RenameDevice(ctx, who.AccountID, deviceID, name); err != nil {
			return missing(naming(err), errNoDevice)
		}
		return s.record(ctx, who.did(EventRename, name))
	})
	if err != nil {
		return err
	}
	s.Live.DeviceRenamed(deviceID, name, joined)
	return nil
}

// RevokeDevice locks a device of the account out, for good: its log-ins,
// memberships and sessions end, and its tokens are worth nothing from now on.
func (s *Service) RevokeDevice(ctx context.Context, who Identity, deviceID string) error {
	return s.revoke(ctx, who, func(d Device) bool { return d.ID == deviceID })
}

// RevokeOthers locks out every device of the account but the one that asks.
func (s *Service) RevokeOthers(ctx context.Context, who Identity) error {
	err := s.revoke(ctx, who, func(d Device) bool { return d.ID != who.DeviceID })
	if errs.Is(err, errs.NotFound) {
		return nil // there is no other
	}
	return err
}

// revoke locks out the devices of the account that match, all or none. If none
// match it is errs.NotFound.
func (s *Service) revoke(ctx context.Context, who Identity, match func(Device) bool) error {
	var joined map[string][]string // users, by device
	err := s.Store.Atomically(ctx, func(ctx context.Context) error {
		joined = map[string][]string{}
		all, err := s.Store.Devices(ctx, who.AccountID)
		if err != nil {
			return err
		}
		for _, d := range all {
			if !match(d.Device) {
				continue
			}
			if joined[d.ID], err = s.Store.RevokeDevice(ctx, who.AccountID, d.ID, s.now()); err != nil {
				return err
			}
			if err := s.record(ctx, who.did(EventRevoke, d.Name)); err != nil {
				return err
			}
		}
		if len(joined) == 0 {
			return errNoDevice
		}
		return nil
	})
	if err != nil {
		return err
	}
	for device, users := range joined {
		s.Live.DeviceRevoked(device, users)
	}
	return nil
}

// What is missing and what is another account's is the same answer.
var (
	errNoDevice = errs.New(errs.NotFound, "There is no such device.")
	errNoUser   = errs.New(errs.NotFound, "There is no such user.")
)

// missing replaces a not-found of the store by one that says of what.
func missing(err, what error) error {
	if errs.Is(err, errs.NotFound) {
		return what
	}
	return err
}
