package api

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/mux"

	"social-server/internal/errs"
)

// How many wrong codes may be tried: of 34 bits that is no hope (SEC-19).
const (
	wrongCodesOfAddress = 20 // in an hour
	wrongCodesOfAccount = 5  // in ten minutes
)

// codeGuard slows down whoever guesses codes of invitations.
type codeGuard struct{ addresses, accounts *buckets }

func newCodeGuard() *codeGuard {
	return &codeGuard{
		addresses: newBuckets(byCode, wrongCodesOfAddress, time.Hour),
		accounts:  newBuckets(byCode, wrongCodesOfAccount, 10*time.Minute),
	}
}

// invite serves POST /api/v1/users/{username}/invitations, to members: a code
// that lets one device join, 201.
func (s *Server) invite(w http.ResponseWriter, r *http.Request) error {
	code, expires, err := s.Accounts.Invite(r.Context(), identity(r.Context()), mux.Vars(r)["username"])
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, struct {
		Code      string `json:"code"`
		ExpiresIn int    `json:"expiresIn"`
		URL       string `json:"url"`
	}{code, int(expires.Sub(s.Accounts.Now()).Seconds()), "/join?" + url.Values{"code": {code}}.Encode()})
}

// acceptInvitation serves POST /api/v1/invitations/accept {"code"}: the device
// joins the user that the code invites to, 200.
func (s *Server) acceptInvitation(w http.ResponseWriter, r *http.Request) error {
	who := identity(r.Context())
	var req struct {
		Code string `json:"code"`
	}
	if err := readJSON(w, r, &req); err != nil {
		return err
	}
	if err := needed("code", req.Code); err != nil {
		return err
	}
	t := try{guard: s.guard}
	if err := t.take(held{s.codes.accounts, who.AccountID}, held{s.codes.addresses, addressOf(r)}); err != nil {
		return err
	}
	user, err := s.Accounts.Accept(r.Context(), who, req.Code)
	if !errs.Is(err, errs.Invalid) {
		t.giveBack() // only a wrong code counts
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, newUserBody(who, user))
}
