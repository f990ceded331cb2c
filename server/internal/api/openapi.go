package api

import (
	_ "embed"
	"net/http"
)

// openAPIText describes every route. Tests hold it against the list of routes
// and against real answers.
//
//go:embed openapi.json
var openAPIText []byte

// openAPI serves GET /api/v1/openapi.json.
func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) error {
	return writeRaw(w, http.StatusOK, openAPIText)
}
