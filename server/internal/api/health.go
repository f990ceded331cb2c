package api

import (
	"net/http"

	"social-server/internal/errs"
)

// SetReady says whether the server should be sent requests. It starts as no;
// main says yes once everything runs, and no again before it stops.
func (s *Server) SetReady(ready bool) { s.ready.Store(ready) }

// health serves GET /healthz: the process runs and answers.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readiness serves GET /readyz: 200 if requests may be sent here, or 503.
func (s *Server) readiness(w http.ResponseWriter, r *http.Request) error {
	if !s.ready.Load() {
		return errs.New(errs.Unavailable, "The server is starting or stopping.")
	}
	if s.Ping != nil {
		if err := s.Ping(r.Context()); err != nil {
			return &errs.Error{Code: errs.Unavailable, Message: "The database does not answer.", Cause: err}
		}
	}
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}
