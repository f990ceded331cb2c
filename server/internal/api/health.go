package api

import (
	"context"
	"net/http"
	"time"

	"social-server/internal/errs"
)

// Check is a part of the server that may fail by itself.
type Check struct {
	Name   string // one word, as in "database"
	Needed bool   // without it no request can be served
	Run    func(context.Context) error
}

// checkWithin bounds a check: a load balancer that asks every second must not
// find a node ready for long that serves nothing.
const checkWithin = 2 * time.Second

// SetReady says whether the server should be sent requests. It starts as no;
// main says yes once everything runs, and no again before it stops.
func (s *Server) SetReady(ready bool) { s.ready.Store(ready) }

// health serves GET /healthz: the process runs and answers.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyBody says what was looked at, and how it is: "ok" or "unavailable".
type readyBody struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"`
}

// readiness serves GET /readyz: 200 if requests may be sent here, with what is
// amiss and can be done without; or 503 and the reason.
func (s *Server) readiness(w http.ResponseWriter, r *http.Request) error {
	if !s.ready.Load() {
		return errs.New(errs.Unavailable, "The server is starting or stopping.")
	}
	body := readyBody{Status: "ready", Checks: map[string]string{}}
	for _, check := range s.Checks {
		err := runCheck(r.Context(), check)
		if err != nil && check.Needed {
			return &errs.Error{Code: errs.Unavailable, Field: check.Name, Message: "The " + check.Name + " does not answer.", Cause: errs.From(err).Cause}
		}
		body.Checks[check.Name] = "ok"
		if err != nil {
			body.Checks[check.Name] = string(errs.Unavailable)
			s.Log.WarnContext(r.Context(), "ready, but not whole", "check", check.Name, "err", err)
		}
	}
	return writeJSON(w, http.StatusOK, body)
}

func runCheck(ctx context.Context, c Check) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	return c.Run(ctx)
}
