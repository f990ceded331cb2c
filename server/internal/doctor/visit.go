package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/gorilla/websocket"

	"social-server/internal/protocol"
)

const root = "/api/v1"

// Guest is the account as which the doctor comes. It exists meanwhile.
type Guest struct {
	Device, Password string
	Username         string
}

// Visit is the doctor as a device of the server.
type Visit struct {
	Public  *Address       // where devices reach the server
	Own     *Address       // the server without what is before it; the same if there is nothing
	Trusted []netip.Prefix // TRUSTED_PROXIES
	Arrive  func(ctx context.Context) (Guest, error)
	Depart  func(ctx context.Context) error // undoes Arrive, wherever it stopped

	there bool // something answers at the public address
	guest Guest
	token string
	head  http.Header               // of the answer to the log-in
	reset map[string]map[string]any // a change that fits the server's schema: one key back to its default
}

// Checks returns the questions of a visit. They are one sequence: the first ones
// make what the later ones need, and the last one takes it away.
func (v *Visit) Checks() []Check {
	return []Check{
		{"address", v.address},
		{"clock", v.clock},
		{"pages", v.pages},
		{"origin", v.origin},
		{"log-in", v.login},
		{"TLS", v.encrypted},
		{"proxy headers", v.forwarded},
		{"schema", v.schema},
		{"ETag", v.etag},
		{"WebSocket", v.through(v.webSocket, needUpgrade)},
		{"events", v.through(v.events, needNoBuffer)},
		{"long-poll", v.through(v.poll, needPatience)},
		{"tidying up", v.depart},
	}
}

// behind reports whether there is anything before the server.
func (v *Visit) behind() bool { return v.Public != v.Own }

// address asks whether the server is there, and ready.
func (v *Visit) address(ctx context.Context) Finding {
	began := time.Now()
	var ready struct {
		Checks map[string]string `json:"checks"`
	}
	if _, err := v.Public.ask(ctx, call{method: http.MethodGet, path: "/readyz"}, &ready); errors.Is(err, errForeign) {
		return Bad("%s does not serve: %v; if there is a path in front of the server, add it to the address", v.Public.URL, err).with(needRoot.advice())
	} else if err != nil {
		return Bad("%s does not serve: %v", v.Public.URL, err)
	}
	v.there = true
	for part, state := range ready.Checks {
		if state != "ok" {
			return Doubtful("%s serves, but its %s is %s", v.Public.URL, part, state)
		}
	}
	return Good("%s is ready, and says so within %v", v.Public.URL, time.Since(began).Round(time.Millisecond))
}

// clock compares our clock with the server's, which tells whole seconds.
func (v *Visit) clock(ctx context.Context) Finding {
	if !v.there {
		return passed("nothing answers")
	}
	answer, err := v.Public.do(ctx, call{method: http.MethodGet, path: "/healthz"})
	if err != nil {
		return Bad("it answers no more: %v", err)
	}
	defer answer.Body.Close()
	theirs, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return Doubtful("%s does not say what time it is", v.Public.URL)
	}
	return Drift(time.Since(theirs).Truncate(time.Second), v.Public.URL)
}

// origin asks whether pages of the public address may connect, and no others.
func (v *Visit) origin(ctx context.Context) Finding {
	if !v.there {
		return passed("nothing answers")
	}
	own, errOwn := v.upgradeFrom(ctx, v.Public.origin)
	foreign, errForeign := v.upgradeFrom(ctx, "https://elsewhere.invalid")
	switch {
	case errOwn != nil || errForeign != nil:
		return Bad("a page's request is not answered: %v", cmp.Or(errOwn, errForeign))
	case own == http.StatusForbidden:
		return Bad("pages of %s may not connect: let the proxy pass on the host and whether it was https, or set ALLOWED_ORIGINS=%[1]s", v.Public.origin).
			with(needHost.advice())
	case foreign != http.StatusForbidden:
		return Bad("pages of any site may connect (%d instead of 403): a proxy changes or drops Origin", foreign)
	}
	return Good("pages of %s may connect, those of other sites may not", v.Public.origin)
}

// upgradeFrom asks for a WebSocket as a page of an origin does, and returns the
// status of the answer.
func (v *Visit) upgradeFrom(ctx context.Context, origin string) (int, error) {
	ws, answer, err := v.Public.upgrade(ctx, root+"/users/doctor/ws", http.Header{"Origin": {origin}})
	if err == nil {
		return http.StatusSwitchingProtocols, ws.Close()
	}
	if answer == nil {
		return 0, err
	}
	return answer.StatusCode, nil
}

// upgrade opens a WebSocket.
func (a *Address) upgrade(ctx context.Context, path string, header http.Header) (*websocket.Conn, *http.Response, error) {
	dialer := websocket.Dialer{
		NetDialContext: a.dial, TLSClientConfig: a.tls, HandshakeTimeout: answerWithin,
		Subprotocols: []string{protocol.Subprotocol},
	}
	return dialer.DialContext(ctx, a.socket(path), header)
}

// marker is an address that the doctor claims to come from (RFC 5737).
const marker = "192.0.2.77"

// login arrives and logs in. It claims to have come through a proxy, which
// nobody must believe who does not know it.
func (v *Visit) login(ctx context.Context) Finding {
	if !v.there {
		return passed("nothing answers")
	}
	var err error
	if v.guest, err = v.Arrive(ctx); err != nil {
		return Bad("no account to come with: %v", err)
	}
	var grant struct {
		AccessToken string `json:"accessToken"`
	}
	head, err := v.Public.ask(ctx, call{
		method: http.MethodPost, path: root + "/login", header: map[string]string{"X-Forwarded-For": marker},
		body: map[string]string{"deviceName": v.guest.Device, "password": v.guest.Password, "session": "cookie"},
	}, &grant)
	if err != nil {
		return Bad("a device cannot log in: %v", err)
	}
	v.token, v.head = grant.AccessToken, head
	return Good("a device can log in")
}

// depart takes the account away again.
func (v *Visit) depart(ctx context.Context) Finding {
	if err := v.Depart(ctx); err != nil {
		return Bad("the account made for this is still there (the next run removes it): %v", err)
	}
	return Good("the account made for this is gone")
}

// user returns the path of something of the guest's user.
func (v *Visit) user(what string) string {
	return root + "/users/" + url.PathEscape(v.guest.Username) + what
}

// through asks whether something works through the public address, and if it
// does not, whether it does without what is before the server.
func (v *Visit) through(probe func(context.Context, *Address) (string, error), lines need) func(context.Context) Finding {
	return func(ctx context.Context) Finding {
		if f := v.cannotPatch(); f != nil {
			return *f
		}
		text, err := probe(ctx, v.Public)
		if err == nil {
			return Good("%s", text)
		}
		if !v.behind() {
			return Bad("%v", err)
		}
		if _, direct := probe(ctx, v.Own); direct != nil {
			return Bad("%v; nor does it work at %s: %v", err, v.Own.URL, direct).with(lines.advice())
		}
		return Bad("%v; at %s it works, so a proxy between is to blame", err, v.Own.URL).with(lines.advice())
	}
}

// patch changes the guest's setting and returns the version that made. More of
// the request's header may be nil.
func (v *Visit) patch(ctx context.Context, a *Address, header map[string]string) (version string, err error) {
	var answer struct {
		Epoch    string `json:"epoch"`
		Revision uint64 `json:"revision"`
	}
	_, err = a.ask(ctx, call{
		method: http.MethodPatch, path: v.user("/settings"), token: v.token, header: header, body: v.reset,
	}, &answer)
	return fmt.Sprintf("%s.%d", answer.Epoch, answer.Revision), err
}
