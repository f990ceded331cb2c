package api

import (
	"fmt"
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

// cookieName returns the name of the refresh cookie at the origin of a request.
// A browser sends the cookies of a host to all of its ports (RFC 6265, 8.5), so
// a port that is not the scheme's own is part of the name: two servers on one
// host would replace each other's.
func cookieName(r *http.Request) string {
	if own, err := ownOrigin(r); err == nil && !own.DefaultPort() {
		return fmt.Sprintf("%s-%d", formerCookieName(r), own.Port)
	}
	return formerCookieName(r)
}

// formerCookieName returns the name that the cookie once had at every port, and
// still has at the scheme's own. It is accepted once, for log-ins from then.
func formerCookieName(r *http.Request) string {
	if secure(r) {
		return secureCookie
	}
	return plainCookie
}

// newRefreshCookie returns a cookie that goes to this server alone, and that
// no script can read.
func newRefreshCookie(r *http.Request, name, value string) *http.Cookie {
	cookie := &http.Cookie{ // #nosec G124 -- Secure is set below, over TLS: a browser refuses it without
		Name: name, Value: value, Path: root,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	if secure(r) {
		cookie.Path, cookie.Secure = "/", true
	}
	return cookie
}

// setRefreshCookie sets the cookie.
func setRefreshCookie(w http.ResponseWriter, r *http.Request, token string, expires time.Time) {
	cookie := newRefreshCookie(r, cookieName(r), token) // #nosec G124 -- it sets them
	cookie.Expires = expires
	http.SetCookie(w, cookie)
}

// clearCookie removes a cookie that the request has.
func clearCookie(w http.ResponseWriter, r *http.Request, name string) {
	cookie := newRefreshCookie(r, name, "") // #nosec G124 -- it sets them
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
}

// clearRefreshCookie removes the cookie if the request has it. One with the
// former name stays: it may be another server's.
func clearRefreshCookie(w http.ResponseWriter, r *http.Request) {
	if _, name := refreshCookie(r); name == cookieName(r) {
		clearCookie(w, r, name)
	}
}

// refreshCookie returns the refresh token in the request's cookie and the
// cookie's name; both are empty if there is none.
func refreshCookie(r *http.Request) (token, name string) {
	for _, name := range []string{cookieName(r), formerCookieName(r)} {
		if cookie, err := r.Cookie(name); err == nil && cookie.Value != "" && !cookie.Quoted {
			return cookie.Value, name
		}
	}
	return "", ""
}
