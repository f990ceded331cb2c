package api

import (
	"net/http"
	"time"
)

// The refresh cookie. Over TLS its name makes the browser insist that it was
// set by this very host, securely; without TLS, which is for one's own machine,
// a browser would refuse such a cookie.
const (
	secureCookie = "__Host-refresh"
	plainCookie  = "refresh"
)

// newRefreshCookie returns a cookie that goes to this server alone, and that
// no script can read.
func newRefreshCookie(r *http.Request, value string) *http.Cookie {
	cookie := &http.Cookie{ // #nosec G124 -- Secure is set below, over TLS: a browser refuses it without
		Name: plainCookie, Value: value, Path: root,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	if secure(r) {
		cookie.Name, cookie.Path, cookie.Secure = secureCookie, "/", true
	}
	return cookie
}

func setRefreshCookie(w http.ResponseWriter, r *http.Request, token string, expires time.Time) {
	cookie := newRefreshCookie(r, token) // #nosec G124 -- it sets them
	cookie.Expires = expires
	http.SetCookie(w, cookie)
}

func clearRefreshCookie(w http.ResponseWriter, r *http.Request) {
	if _, sent := refreshCookie(r); !sent {
		return
	}
	cookie := newRefreshCookie(r, "") // #nosec G124 -- it sets them
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
}

// refreshCookie returns the refresh token in the request's cookie.
func refreshCookie(r *http.Request) (string, bool) {
	cookie, err := r.Cookie(newRefreshCookie(r, "").Name)
	if err != nil {
		return "", false
	}
	return cookie.Value, cookie.Value != ""
}
