package api

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"social-server/internal/errs"
	"social-server/internal/protocol"
	"social-server/internal/settings"
)

// Changes on a page of history: about as many, for revisions are not split.
const (
	defaultPage = 50
	largestPage = 200
)

// history serves GET /api/v1/users/{username}/history: who changed what, from
// what to what, newest first (SPEC U1).
func (s *Server) history(w http.ResponseWriter, r *http.Request) error {
	who, user, err := s.user(r)
	if err != nil {
		return err
	}
	q, err := historyQuery(r.URL.Query())
	if err != nil {
		return err
	}
	if q.Device == "me" {
		q.Device = who.DeviceID
	}
	page, err := s.Settings.History(r.Context(), user.ID, q)
	if err != nil {
		return err
	}
	return writeRaw(w, http.StatusOK, append(protocol.AppendPage([]byte{'{'}, page), '}'))
}

// historyQuery reads which page is asked for.
func historyQuery(values url.Values) (settings.HistoryQuery, error) {
	q := settings.HistoryQuery{Limit: defaultPage, Device: values.Get("device")}
	if text := values.Get("before"); text != "" {
		before, err := strconv.ParseUint(text, 10, 53)
		if err != nil || before == 0 {
			return q, errs.Field("before", "must be a revision")
		}
		q.Before = before
	}
	if text := values.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > largestPage {
			return q, errs.Field("limit", "must be 1 to %d", largestPage)
		}
		q.Limit = limit
	}
	if text := values.Get("key"); text != "" {
		block, name, ok := strings.Cut(text, ".")
		if !ok || block == "" || name == "" {
			return q, errs.Field("key", "must be a block and a key, as in billing.salary")
		}
		q.Key = &settings.Key{Block: block, Name: name}
	}
	return q, nil
}
