package api

import (
	"errors"
	"net/http"
	"time"

	"social-server/internal/account"
	"social-server/internal/errs"
	"social-server/internal/text"
)

// register serves POST /api/v1/register: it registers a device, the first one of
// an e-mail address together with its account, and answers 201 with the device.
func (s *Server) register(w http.ResponseWriter, r *http.Request) error {
	var req struct {
		DeviceName string `json:"deviceName"`
		Email      string `json:"email"`
		Password   string `json:"password"`
	}
	if err := readJSON(w, r, &req); err != nil {
		return err
	}
	try, err := s.guard.admit(r, "email "+text.EmailKey(req.Email), func() (string, error) {
		return s.Accounts.AccountOfEmail(r.Context(), req.Email)
	})
	if err != nil {
		return err
	}
	registered, err := s.Accounts.Register(r.Context(), account.NewDevice{
		Name: req.DeviceName, Email: req.Email, Password: req.Password, Platform: platformOf(r),
	})
	try.done(err)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, newDeviceBody(registered))
}

// login serves POST /api/v1/login. With "session":"cookie" the refresh token
// goes into a cookie that no script can read, instead of the body.
func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	var req struct {
		DeviceName string `json:"deviceName"`
		Password   string `json:"password"`
		Session    string `json:"session"`
	}
	if err := readJSON(w, r, &req); err != nil {
		return err
	}
	if err := errors.Join(
		needed("deviceName", text.Trim(req.DeviceName)), needed("password", req.Password), oneOf("session", req.Session, "", "cookie"),
	); err != nil {
		return err
	}
	try, err := s.guard.admit(r, "device "+text.Key(req.DeviceName), func() (string, error) {
		return s.Accounts.AccountOfDevice(r.Context(), req.DeviceName)
	})
	if err != nil {
		return err
	}
	grant, err := s.Accounts.Login(r.Context(), req.DeviceName, req.Password, platformOf(r))
	try.done(err)
	if err != nil {
		return err
	}
	return s.writeGrant(w, r, grant, req.Session == "cookie")
}

// refresh serves POST /api/v1/refresh: new tokens for the refresh token in the
// body, or else for the one in the cookie. Either way they come back the way
// they were sent.
func (s *Server) refresh(w http.ResponseWriter, r *http.Request) error {
	var req struct {
		RefreshToken string `json:"refreshToken"`
	}
	if err := readOptionalJSON(w, r, &req); err != nil {
		return err
	}
	token, cookie := req.RefreshToken, ""
	if token == "" {
		token, cookie = refreshCookie(r)
	}
	grant, err := s.Accounts.Refresh(r.Context(), token)
	if err != nil {
		return err
	}
	if cookie != "" && cookie != cookieName(r) {
		clearCookie(w, r, cookie) // it was ours, and goes on under its present name
	}
	return s.writeGrant(w, r, grant, cookie != "")
}

// logout serves POST /api/v1/logout: it ends the log-in of the access token, or
// else of the refresh token in the body or the cookie, and answers 204.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	var req struct {
		RefreshToken string `json:"refreshToken"`
	}
	if err := readOptionalJSON(w, r, &req); err != nil {
		return err
	}
	if err := s.endLogin(r, req.RefreshToken); err != nil {
		return err
	}
	clearRefreshCookie(w, r)
	return send(w, http.StatusNoContent, nil)
}

// endLogin ends the log-in a request proves to be of. An access token that has
// expired meanwhile does not matter if there is a refresh token as well.
func (s *Server) endLogin(r *http.Request, refresh string) error {
	if refresh == "" {
		refresh, _ = refreshCookie(r)
	}
	who, err := s.whoAsks(r)
	switch {
	case err == nil:
		return s.Accounts.Logout(r.Context(), who)
	case refresh != "":
		return s.Accounts.LogoutToken(r.Context(), refresh)
	}
	return err
}

// grantBody is what logging in or refreshing answers.
type grantBody struct {
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken,omitzero"`
	TokenType    string `json:"tokenType"`
	ExpiresIn    int    `json:"expiresIn"` // seconds
	Device       struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"device"`
}

// writeGrant answers 200 with tokens; the refresh token in the cookie or the body.
func (s *Server) writeGrant(w http.ResponseWriter, r *http.Request, g account.Grant, byCookie bool) error {
	noteOf(r.Context()).device = g.Device.ID
	body := grantBody{
		AccessToken: g.AccessToken, RefreshToken: g.RefreshToken,
		TokenType: "Bearer", ExpiresIn: int(s.Accounts.AccessLife / time.Second),
	}
	body.Device.ID, body.Device.Name = g.Device.ID, g.Device.Name
	if byCookie {
		body.RefreshToken = ""
		setRefreshCookie(w, r, g.RefreshToken, g.RefreshExpires)
	}
	return writeJSON(w, http.StatusOK, body)
}

// needed blames a field that is empty.
func needed(field, value string) error {
	if value == "" {
		return errs.Field(field, "This is needed.")
	}
	return nil
}

// oneOf blames a field that has none of the values.
func oneOf(field, value string, values ...string) error {
	for _, v := range values {
		if value == v {
			return nil
		}
	}
	return errs.Field(field, "This has no meaning here.")
}
