package api

import (
	"net/http"

	"github.com/gorilla/mux"

	"social-server/internal/account"
)

// userBody is a user as devices that may join it see it.
type userBody struct {
	Username string `json:"username"`
	Joined   bool   `json:"joined"`
	Online   int    `json:"online"`
	Revision int64  `json:"revision"`
	Owner    bool   `json:"owner"` // whether it is of the account of the device that asks
}

func newUserBody(who account.Identity, u account.User) userBody {
	return userBody{
		Username: u.Username, Joined: u.Joined, Online: u.Online, Revision: u.Revision,
		Owner: u.AccountID == who.AccountID,
	}
}

// connect serves POST /api/v1/users: it makes a user, with the device that asks
// as its first member, and answers 201 with it.
func (s *Server) connect(w http.ResponseWriter, r *http.Request) error {
	who := identity(r.Context())
	var req struct {
		Username string `json:"username"`
	}
	if err := readJSON(w, r, &req); err != nil {
		return err
	}
	user, err := s.Accounts.Connect(r.Context(), who, req.Username)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, newUserBody(who, user))
}

// listUsers serves GET /api/v1/users: the users the device has joined or may join.
func (s *Server) listUsers(w http.ResponseWriter, r *http.Request) error {
	who := identity(r.Context())
	users, err := s.Accounts.Users(r.Context(), who)
	if err != nil {
		return err
	}
	all := make([]userBody, len(users))
	for i, user := range users {
		all[i] = newUserBody(who, user)
	}
	return writeJSON(w, http.StatusOK, map[string][]userBody{"users": all})
}

// leave serves DELETE /api/v1/users/{username}/join: the device is no member
// any more.
func (s *Server) leave(w http.ResponseWriter, r *http.Request) error {
	if err := s.Accounts.Leave(r.Context(), identity(r.Context()), mux.Vars(r)["username"]); err != nil {
		return err
	}
	return send(w, http.StatusNoContent, nil)
}

// memberBody is a member as the other members see it.
type memberBody struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Online   bool   `json:"online"`
	Sessions int    `json:"sessions"`
	LastSeen stamp  `json:"lastSeen"`
}

// listMembers serves GET /api/v1/users/{username}/devices, to members.
func (s *Server) listMembers(w http.ResponseWriter, r *http.Request) error {
	members, err := s.Accounts.Members(r.Context(), identity(r.Context()), mux.Vars(r)["username"])
	if err != nil {
		return err
	}
	all := make([]memberBody, len(members))
	for i, m := range members {
		all[i] = memberBody{ID: m.ID, Name: m.Name, Online: m.Sessions > 0, Sessions: m.Sessions, LastSeen: stamp(m.LastSeen)}
	}
	return writeJSON(w, http.StatusOK, map[string][]memberBody{"devices": all})
}
