package account

import (
	"context"

	"social-server/internal/errs"
)

// AccountOfDevice returns the id of the account that has a device of this name,
// "" if none has. It is for counting guesses, and must not be told to anybody.
func (s *Service) AccountOfDevice(ctx context.Context, name string) (string, error) {
	_, owner, err := s.Store.DeviceByName(ctx, name)
	return orNone(owner.ID, err)
}

// AccountOfEmail is AccountOfDevice for an e-mail address.
func (s *Service) AccountOfEmail(ctx context.Context, email string) (string, error) {
	owner, err := s.Store.AccountByEmail(ctx, email)
	return orNone(owner.ID, err)
}

func orNone(id string, err error) (string, error) {
	if errs.Is(err, errs.NotFound) {
		return "", nil
	}
	return id, err
}
