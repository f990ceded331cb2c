package api

import (
	"net/http"

	"social-server/internal/errs"
)

// changePassword serves POST /api/v1/password {"current","new"}: it gives the
// account another password, ends its other log-ins and answers 204. A wrong
// current password is 403: with 401 a device would take its token to be bad.
func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) error {
	who := identity(r.Context())
	var req struct {
		Current string `json:"current"`
		New     string `json:"new"`
	}
	if err := readJSON(w, r, &req); err != nil {
		return err
	}
	try, err := s.guard.admitOwner(r, who.AccountID)
	if err != nil {
		return err
	}
	err = s.Accounts.ChangePassword(r.Context(), who, req.Current, req.New)
	try.done(err)
	if errs.Is(err, errs.Unauthorized) {
		wrong := *errs.From(err)
		wrong.Code = errs.Forbidden
		return &wrong
	}
	if err != nil {
		return err
	}
	return send(w, http.StatusNoContent, nil)
}

// resetPassword serves POST /api/v1/reset {"code","password"}: with a code of
// social-server admin reset-code it sets a new password, ends all log-ins of
// the account and answers 204.
func (s *Server) resetPassword(w http.ResponseWriter, r *http.Request) error {
	var req struct {
		Code     string `json:"code"`
		Password string `json:"password"`
	}
	if err := readJSON(w, r, &req); err != nil {
		return err
	}
	if err := needed("code", req.Code); err != nil {
		return err
	}
	nobody := func() (string, error) { return "", nil }
	// By address: a code cannot be guessed, and strangers who try lock nobody out.
	try, err := s.guard.admit(r, "reset from "+addressOf(r), nobody)
	if err != nil {
		return err
	}
	err = s.Accounts.ResetPassword(r.Context(), req.Code, req.Password)
	try.done(err)
	if err != nil {
		return err
	}
	return send(w, http.StatusNoContent, nil)
}
