package api

import (
	"net/http"

	"github.com/gorilla/mux"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// askBody is an ask as the device that made it sees it.
type askBody struct {
	ID        string `json:"id"`
	Username  string `json:"username"`
	Status    string `json:"status"`
	Code      string `json:"code"`
	ExpiresIn int    `json:"expiresIn"` // seconds
}

func (s *Server) newAskBody(a account.Ask) askBody {
	return askBody{
		ID: a.ID, Username: a.Username, Status: a.State, Code: a.Code,
		ExpiresIn: max(0, int(a.Expires.Sub(s.Accounts.Now()).Seconds())),
	}
}

// join serves POST /api/v1/users/{username}/join: the device becomes a member
// of a user of its account, 200. For any other username, whether there is such
// a user or not, it asks and has to wait, 202 (SEC-8).
func (s *Server) join(w http.ResponseWriter, r *http.Request) error {
	who, username := identity(r.Context()), mux.Vars(r)["username"]
	user, err := s.Accounts.Join(r.Context(), who, username)
	if err == nil {
		return writeJSON(w, http.StatusOK, newUserBody(who, user))
	}
	if !errs.Is(err, errs.NotFound) {
		return err
	}
	ask, err := s.Accounts.Ask(r.Context(), who, username)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusAccepted, s.newAskBody(ask))
}

// awaitAsk serves GET /api/v1/asks/{ask}?wait=S, to the device that made it: as
// soon as it is answered, or after S seconds.
func (s *Server) awaitAsk(w http.ResponseWriter, r *http.Request) error {
	wait, err := pollWait(r)
	if err != nil {
		return err
	}
	if wait > 0 {
		defer asSession(r.Context())()
	}
	ask, err := s.Accounts.AwaitAsk(r.Context(), identity(r.Context()), mux.Vars(r)["ask"], wait)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, s.newAskBody(ask))
}

// askedBody is an ask as the members of the user see it: without its number.
type askedBody struct {
	ID     string `json:"id"`
	Device struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"device"`
	Email   string `json:"email"`
	Expires stamp  `json:"expires"`
}

// listAsks serves GET /api/v1/users/{username}/asks, to members: who waits.
func (s *Server) listAsks(w http.ResponseWriter, r *http.Request) error {
	waiting, err := s.Accounts.Asks(r.Context(), identity(r.Context()), mux.Vars(r)["username"])
	if err != nil {
		return err
	}
	all := make([]askedBody, len(waiting))
	for i, a := range waiting {
		all[i] = askedBody{ID: a.ID, Email: a.MaskedEmail(), Expires: stamp(a.Expires)}
		all[i].Device.ID, all[i].Device.Name = a.DeviceID, a.DeviceName
	}
	return writeJSON(w, http.StatusOK, map[string][]askedBody{"asks": all})
}

// approve serves POST /api/v1/users/{username}/asks/{ask}/approve {"code"}: with
// the number on its screen a device is let in.
func (s *Server) approve(w http.ResponseWriter, r *http.Request) error {
	var req struct {
		Code string `json:"code"`
	}
	if err := readJSON(w, r, &req); err != nil {
		return err
	}
	names := mux.Vars(r)
	if err := s.Accounts.Approve(r.Context(), identity(r.Context()), names["username"], names["ask"], req.Code); err != nil {
		return err
	}
	return send(w, http.StatusNoContent, nil)
}

// deny serves POST /api/v1/users/{username}/asks/{ask}/deny {"block"?}: a device
// is not let in, and with block its account is heard of no more.
func (s *Server) deny(w http.ResponseWriter, r *http.Request) error {
	var req struct {
		Block bool `json:"block"`
	}
	if err := readOptionalJSON(w, r, &req); err != nil {
		return err
	}
	names := mux.Vars(r)
	if err := s.Accounts.Deny(r.Context(), identity(r.Context()), names["username"], names["ask"], req.Block); err != nil {
		return err
	}
	return send(w, http.StatusNoContent, nil)
}

// removeMember serves DELETE /api/v1/users/{username}/members/{device}: owners
// may remove any member, others themselves.
func (s *Server) removeMember(w http.ResponseWriter, r *http.Request) error {
	names := mux.Vars(r)
	if err := s.Accounts.Remove(r.Context(), identity(r.Context()), names["username"], names["device"]); err != nil {
		return err
	}
	return send(w, http.StatusNoContent, nil)
}
