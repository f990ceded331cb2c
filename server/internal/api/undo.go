package api

import (
	"net/http"
	"strconv"

	"social-server/internal/errs"
	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// undo serves POST /api/v1/users/{username}/undo: a new patch that puts back
// what a revision replaced (SPEC U4).
func (s *Server) undo(w http.ResponseWriter, r *http.Request) error {
	var req struct {
		Revision *uint64 `json:"revision"`
		Partial  bool    `json:"partial"`
		DryRun   bool    `json:"dryRun"`
	}
	if err := readJSON(w, r, &req); err != nil {
		return err
	}
	revision, err := namedRevision(req.Revision)
	if err != nil {
		return err
	}
	return s.apply(w, r, settings.Patch{Revert: &settings.Revert{Revision: revision, Partial: req.Partial}}, req.DryRun)
}

// restore serves POST /api/v1/users/{username}/restore: a new patch that makes
// the settings what they were at a revision (SPEC U5).
func (s *Server) restore(w http.ResponseWriter, r *http.Request) error {
	var req struct {
		Revision *uint64 `json:"revision"`
		DryRun   bool    `json:"dryRun"`
	}
	if err := readJSON(w, r, &req); err != nil {
		return err
	}
	revision, err := namedRevision(req.Revision)
	if err != nil {
		return err
	}
	return s.apply(w, r, settings.Patch{Revert: &settings.Revert{Revision: revision, Whole: true}}, req.DryRun)
}

// namedRevision refuses a revision that was left out: 0 is one to go back to.
func namedRevision(revision *uint64) (uint64, error) {
	const largest = 1<<53 - 1 // that every JSON reader holds exactly
	if revision == nil || *revision > largest {
		return 0, errs.Field("revision", "must be a revision")
	}
	return *revision, nil
}

// apply stores a patch under the request's id and version, or only says what it
// would do, and answers.
func (s *Server) apply(w http.ResponseWriter, r *http.Request, patch settings.Patch, dryRun bool) error {
	who, user, err := s.user(r)
	if err != nil {
		return err
	}
	if err := patchHeaders(r, &patch); err != nil {
		return err
	}
	if dryRun {
		return s.try(w, r, user.ID, who.DeviceID, patch)
	}
	out, err := s.Settings.Apply(r.Context(), user.ID, who.DeviceID, patch)
	if err != nil {
		return err
	}
	if out.Answer.Refused() {
		return &conflict{out.Answer.Conflict}
	}
	data := append([]byte(`{"epoch":`), strconv.Quote(out.Epoch)...)
	data = protocol.AppendAnswer(append(data, ','), patch.ID, out.Answer, out.Duplicate)
	data = protocol.AppendLeft(data, out.Answer.Conflict)
	w.Header().Set("ETag", etag(out.Epoch, out.Answer.Revision))
	return writeRaw(w, http.StatusOK, append(data, '}'))
}

// try answers what a patch would do, with the version that is true of: sent
// back as If-Match, it makes sure that nothing else changes first.
func (s *Server) try(w http.ResponseWriter, r *http.Request, user, device string, patch settings.Patch) error {
	trial, out, err := s.Settings.Try(r.Context(), user, device, patch)
	if err != nil {
		return err
	}
	if out.Answer.Refused() {
		return &conflict{out.Answer.Conflict}
	}
	w.Header().Set("ETag", etag(trial.Epoch, trial.Revision))
	return writeRaw(w, http.StatusOK, append(protocol.AppendTrial([]byte{'{'}, trial), '}'))
}
