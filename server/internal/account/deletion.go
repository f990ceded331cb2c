package account

import "context"

// Gone says whose sessions end when an account is deleted.
type Gone struct {
	Devices map[string][]string // ids of the users each device of the account had joined
	Guests  map[string][]string // by user of the account: devices of others that had joined it
}

// DeleteAccount removes the account of the device that asks, and everything in
// it, for good (SEC-52). The caller has asked for the password again.
func (s *Service) DeleteAccount(ctx context.Context, who Identity) error {
	gone, err := s.Store.DeleteAccount(ctx, who.AccountID)
	if err != nil {
		return err
	}
	for device, users := range gone.Devices {
		s.Live.DeviceRevoked(device, users)
	}
	for user, guests := range gone.Guests {
		for _, device := range guests {
			s.Live.MemberLeft(user, device)
		}
	}
	s.Log.InfoContext(ctx, "account deleted", "account", who.AccountID)
	return nil
}
