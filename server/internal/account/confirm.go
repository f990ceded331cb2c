package account

import (
	"context"

	"social-server/internal/errs"
)

// Confirm makes sure that it is the owner who asks, by the account's password
// (SEC-18): a token alone may be a found phone's. A wrong password is
// errs.Unauthorized; whoever calls Confirm must count those.
func (s *Service) Confirm(ctx context.Context, who Identity, password string) error {
	owner, err := s.Store.Account(ctx, who.AccountID)
	if err != nil {
		return err
	}
	ok, err := s.proves(ctx, owner, password)
	if err != nil {
		return err
	}
	if !ok {
		return &errs.Error{Code: errs.Unauthorized, Field: "password", Message: "This is not the password."}
	}
	return nil
}
