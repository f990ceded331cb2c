// Package api is the HTTP face of the server: one file per resource, one list
// of routes, one door for errors. Its handlers read, ask one service, write.
package api

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gorilla/mux"

	"social-server/internal/account"
	"social-server/internal/deep"
	"social-server/internal/errs"
	"social-server/internal/hub"
	"social-server/internal/origin"
	"social-server/internal/settings"
)

// Server answers HTTP. Its fields are set once, before Handler.
type Server struct {
	Accounts *account.Service
	Settings *settings.Service
	Hubs     *hub.Registry
	Wire     Wire
	Limits   Limits
	Proxies  []netip.Prefix // whose X-Forwarded-For and X-Forwarded-Proto are believed
	Hosts    Hosts          // under which requests are answered
	Log      *slog.Logger
	Web      http.Handler    // everything that is not the API; may be nil
	Checks   []Check         // what readiness looks at
	Refused  func(errs.Code) // told of every refusal, to count them; may be nil
	Deep     *deep.Workers   // decode frames; may be nil

	origins     []origin.Origin // Wire.Origins
	guard       *guard
	codes       *codeGuard
	waiting     *places // WebSockets that have not said who they are
	connections *places
	ready       atomic.Bool
	unreadable  sync.Once      // logs the first X-Forwarded-For that cannot be read
	taken       sync.WaitGroup // connections that were taken over from net/http
}

// route is one method of one path of the API.
type route struct {
	method, path string
	handle       func(http.ResponseWriter, *http.Request) error
	open         bool // answers without an access token, or looks for it itself
}

// Handler returns the whole server: the routes and everything around them.
func (s *Server) Handler() (http.Handler, error) {
	s.Log = slog.New(requestLog{s.Log.Handler()})
	s.guard = newGuard(s.Limits)
	s.waiting = newPlaces(cmp.Or(s.Limits.WaitingPerAddress, 20), cmp.Or(s.Limits.Waiting, 1000),
		"Too many connections are waiting to say who they are.", func() { s.Limits.limited(byWaiting) })
	s.connections = newPlaces(cmp.Or(s.Limits.ConnectionsPerAddress, 256), 0,
		"There are too many connections from this address.", func() { s.Limits.limited(byConnections) })
	s.codes = newCodeGuard()
	// No redirects: they turn a POST into a GET. And %2F is part of a name.
	router := mux.NewRouter().SkipClean(true).UseEncodedPath()
	paths := s.byPath()
	for _, path := range slices.Sorted(maps.Keys(paths)) { // a name sorts before a variable, and so comes first
		router.NewRoute().MatcherFunc(around(path)).Path(path).Handler(s.dispatch(path, paths[path]))
	}
	router.NotFoundHandler = http.HandlerFunc(s.elsewhere)
	if err := s.allowedOrigins(); err != nil {
		return nil, err
	}
	// Around the router, not in it: mux skips its own middleware for 404 and 405.
	return s.forwarded(s.observe(secured(guardHost(s.Hosts, s.fail, s.perClient(s.sameOrigin(router)))))), nil
}

// around reports whether a request's path has what is before the first variable
// of a route's, and after the last. The router would try the pattern of each
// route before the right one: thirty of them took a fifteenth of a connect.
func around(path string) mux.MatcherFunc {
	before, after := path, path
	if first, last := strings.IndexByte(path, '{'), strings.LastIndexByte(path, '}'); first >= 0 {
		before, after = path[:first], path[last+1:]
	}
	return func(r *http.Request, _ *mux.RouteMatch) bool {
		asked := r.URL.EscapedPath()
		return strings.HasPrefix(asked, before) && strings.HasSuffix(asked, after)
	}
}

// byPath groups the routes by path.
func (s *Server) byPath() map[string]map[string]http.HandlerFunc {
	paths := map[string]map[string]http.HandlerFunc{}
	for _, r := range s.routes() {
		if paths[r.path] == nil {
			paths[r.path] = map[string]http.HandlerFunc{}
		}
		handle := r.handle
		if !r.open {
			handle = s.signedIn(handle)
		}
		paths[r.path][r.method] = s.handle(handle)
	}
	return paths
}

// dispatch picks the handler of a path by method, and says which there are.
func (s *Server) dispatch(path string, methods map[string]http.HandlerFunc) http.HandlerFunc {
	if get, ok := methods[http.MethodGet]; ok {
		methods[http.MethodHead] = get // net/http leaves the body out
	}
	allow := strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
	refuse := s.handle(func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Allow", allow)
		return errs.New(errs.MethodNotAllowed, "This address takes %s.", allow)
	})
	accept := s.handle(func(w http.ResponseWriter, r *http.Request) error {
		if err := onceEach(r.URL.RawQuery); err != nil {
			return err
		}
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			// net/http sees that a peer has gone only behind the body, so no route waits before it.
			if _, err := readBody(w, r, 0); err != nil {
				return err
			}
		}
		methods[r.Method](w, r)
		return nil
	})
	return func(w http.ResponseWriter, r *http.Request) {
		names := mux.Vars(r)
		for variable, text := range names {
			names[variable], _ = url.PathUnescape(text) // cannot fail: the address was read
		}
		note := noteOf(r.Context())
		note.route, note.user = path, names["username"]
		if _, ok := methods[r.Method]; ok {
			accept(w, r)
			return
		}
		refuse(w, r)
	}
}

// elsewhere answers every path that no route has: with the client, or, below
// /api, never with a page.
func (s *Server) elsewhere(w http.ResponseWriter, r *http.Request) {
	if s.Web != nil && !isAPI(r) {
		s.Web.ServeHTTP(w, r)
		return
	}
	s.fail(w, r, errs.New(errs.NotFound, "There is nothing at this address."))
}

// isAPI reports whether a request is for the API and not for a page.
func isAPI(r *http.Request) bool {
	return r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/")
}

// handle adapts a handler that returns its failure. Every error leaves through
// here, so none is logged twice and no handler can forget to stop.
func (s *Server) handle(h func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	}
}

func (s *Server) count(code errs.Code) {
	if s.Refused != nil {
		s.Refused(code)
	}
}

// fail answers a failed request and logs what is our side of it.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := errs.From(err)
	s.count(e.Code)
	noteOf(r.Context()).code = e.Code
	switch {
	case e.Cause == nil || r.Context().Err() != nil: // the person's side, or nobody waits any more
	case e.Code == errs.Internal:
		s.Log.ErrorContext(r.Context(), "request failed", "err", e.Cause)
	default:
		s.Log.WarnContext(r.Context(), "request failed", "err", e.Cause)
	}
	if err := writeProblem(w, err); err != nil {
		s.Log.ErrorContext(r.Context(), "problem not written", "err", fmt.Errorf("write problem: %w", err))
	}
}
