package api

import (
	"context"
	"net/http"

	"github.com/gorilla/mux"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// deviceBody is a device as its own account sees it.
type deviceBody struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Platform  string `json:"platform"`
	CreatedAt stamp  `json:"createdAt"`
	LastSeen  stamp  `json:"lastSeen"`
}

func newDeviceBody(d account.Device) deviceBody {
	return deviceBody{
		ID: d.ID, Name: d.Name, Platform: d.Platform,
		CreatedAt: stamp(d.CreatedAt), LastSeen: stamp(d.LastSeen),
	}
}

// listedBody is a device in the list of its account.
type listedBody struct {
	deviceBody
	Online  bool     `json:"online"`
	Current bool     `json:"current"`
	Users   []string `json:"users"`
}

func newListedBody(d account.Listed) listedBody {
	return listedBody{deviceBody: newDeviceBody(d.Device), Online: d.Online, Current: d.Current, Users: d.Users}
}

// deviceID returns the device a path names: "me" is the one that asks.
func deviceID(r *http.Request, who account.Identity) string {
	if id := mux.Vars(r)["id"]; id != "me" {
		return id
	}
	return who.DeviceID
}

// listDevices serves GET /api/v1/devices: the devices of the account.
func (s *Server) listDevices(w http.ResponseWriter, r *http.Request) error {
	devices, err := s.Accounts.Devices(r.Context(), identity(r.Context()))
	if err != nil {
		return err
	}
	all := make([]listedBody, len(devices))
	for i, d := range devices {
		all[i] = newListedBody(d)
	}
	return writeJSON(w, http.StatusOK, map[string][]listedBody{"devices": all})
}

// getDevice serves GET /api/v1/devices/{id}.
func (s *Server) getDevice(w http.ResponseWriter, r *http.Request) error {
	who := identity(r.Context())
	found, err := s.Accounts.Device(r.Context(), who, deviceID(r, who))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, newListedBody(found))
}

// renameDevice serves PATCH /api/v1/devices/{id} {"name"} and answers 200 with
// the device.
func (s *Server) renameDevice(w http.ResponseWriter, r *http.Request) error {
	who := identity(r.Context())
	var req struct {
		Name string `json:"name"`
	}
	if err := readJSON(w, r, &req); err != nil {
		return err
	}
	if err := s.Accounts.RenameDevice(r.Context(), who, deviceID(r, who), req.Name); err != nil {
		return err
	}
	return s.getDevice(w, r)
}

// revokeDevice serves DELETE /api/v1/devices/{id} {"password"?}: the device is
// locked out. For another device than the one that asks, the account's password
// is needed; where DELETE loses its body on the way, nothing is revoked.
func (s *Server) revokeDevice(w http.ResponseWriter, r *http.Request) error {
	who := identity(r.Context())
	id := deviceID(r, who)
	var req struct {
		Password string `json:"password"`
	}
	if err := readOptionalJSON(w, r, &req); err != nil {
		return err
	}
	if id != who.DeviceID {
		if err := s.confirm(r, who, req.Password); err != nil {
			return err
		}
	}
	if err := s.Accounts.RevokeDevice(r.Context(), who, id); err != nil {
		return err
	}
	return send(w, http.StatusNoContent, nil)
}

// revokeOthers serves POST /api/v1/devices/revoke-others {"password"}: every
// device of the account but this one is locked out.
func (s *Server) revokeOthers(w http.ResponseWriter, r *http.Request) error {
	return s.onceConfirmed(w, r, s.Accounts.RevokeOthers)
}

// deleteAccount serves DELETE /api/v1/account {"password"}: the account and
// everything in it is removed for good.
func (s *Server) deleteAccount(w http.ResponseWriter, r *http.Request) error {
	return s.onceConfirmed(w, r, s.Accounts.DeleteAccount)
}

// onceConfirmed does what takes the account's password again, and answers 204.
func (s *Server) onceConfirmed(w http.ResponseWriter, r *http.Request, do func(context.Context, account.Identity) error) error {
	who := identity(r.Context())
	var req struct {
		Password string `json:"password"`
	}
	if err := readJSON(w, r, &req); err != nil {
		return err
	}
	if err := s.confirm(r, who, req.Password); err != nil {
		return err
	}
	if err := do(r.Context(), who); err != nil {
		return err
	}
	return send(w, http.StatusNoContent, nil)
}

// confirm asks for the account's password again (SEC-18). A wrong one is 403:
// with 401 a device would take its token to be bad.
func (s *Server) confirm(r *http.Request, who account.Identity, password string) error {
	if err := needed("password", password); err != nil {
		return err
	}
	try, err := s.guard.admitOwner(r, who.AccountID)
	if err != nil {
		return err
	}
	err = s.Accounts.Confirm(r.Context(), who, password)
	try.done(err)
	if errs.Is(err, errs.Unauthorized) {
		wrong := *errs.From(err)
		wrong.Code = errs.Forbidden
		return &wrong
	}
	return err
}
