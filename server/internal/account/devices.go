package account

import (
	"context"

	"social-server/internal/errs"
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
	for _, user := range users {
		for device, sessions := range s.Live.Online(user.ID) {
			online[device] = online[device] || sessions > 0
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
	if err := checkDeviceName("name", name); err != nil {
		return err
	}
	joined, err := s.Store.RenameDevice(ctx, who.AccountID, deviceID, name)
	if err != nil {
		return missing(naming(err), errNoDevice)
	}
	s.Live.DeviceRenamed(deviceID, name, joined)
	return nil
}

// RevokeDevice locks a device of the account out, for good: its log-ins,
// memberships and sessions end, and its tokens are worth nothing from now on.
func (s *Service) RevokeDevice(ctx context.Context, who Identity, deviceID string) error {
	joined, err := s.Store.RevokeDevice(ctx, who.AccountID, deviceID, s.now())
	if err != nil {
		return missing(err, errNoDevice)
	}
	s.Live.DeviceRevoked(deviceID, joined)
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
