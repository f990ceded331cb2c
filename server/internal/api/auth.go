package api

import (
	"context"
	"net/http"
	"strings"

	"social-server/internal/account"
	"social-server/internal/errs"
)

type identityKey struct{}

// identity returns who is asking. Only handlers behind signedIn may call it.
func identity(ctx context.Context) account.Identity {
	who, _ := ctx.Value(identityKey{}).(account.Identity)
	return who
}

// signedIn lets a request pass whose access token is good, and tells the
// handler whose it is.
func (s *Server) signedIn(h func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, err := s.whoAsks(r)
		if err != nil {
			return err
		}
		return h(w, r.WithContext(context.WithValue(r.Context(), identityKey{}, who)))
	}
}

// whoAsks returns the identity that the request's access token proves.
func (s *Server) whoAsks(r *http.Request) (account.Identity, error) {
	token, ok := bearer(r)
	if !ok {
		return account.Identity{}, errs.New(errs.Unauthorized, "Log in to go on.")
	}
	who, err := s.Accounts.Authenticate(r.Context(), token)
	noteOf(r.Context()).device = who.DeviceID
	return who, err
}

// bearer returns the access token of the Authorization header. A token in the
// address is never looked at: addresses end up in logs.
func bearer(r *http.Request) (string, bool) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}
