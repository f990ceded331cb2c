package api

import (
	"net/http"
	"net/url"
	"strconv"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// Lines on a page of the audit log, if it is not said how many.
const defaultEvents = 50

// eventBody is a line of an account's audit log.
type eventBody struct {
	Number int64  `json:"number"`
	Event  string `json:"event"`
	Device struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"device"`
	Address string `json:"address"`
	Detail  string `json:"detail"`
	At      stamp  `json:"at"`
}

func newEventBody(e account.Event) eventBody {
	body := eventBody{Number: e.Number, Event: e.Event, Address: e.Address, Detail: e.Detail, At: stamp(e.At)}
	body.Device.ID, body.Device.Name = e.DeviceID, e.DeviceName
	return body
}

// audit serves GET /api/v1/audit?before=&limit=: what happened in the account,
// newest first.
func (s *Server) audit(w http.ResponseWriter, r *http.Request) error {
	before, limit, err := auditQuery(r.URL.Query())
	if err != nil {
		return err
	}
	events, err := s.Accounts.Audit(r.Context(), identity(r.Context()), before, limit)
	if err != nil {
		return err
	}
	page := struct {
		Events []eventBody `json:"events"`
		Next   int64       `json:"next,omitzero"`
	}{Events: make([]eventBody, len(events))}
	for i, e := range events {
		page.Events[i] = newEventBody(e)
	}
	if len(events) == limit {
		page.Next = events[limit-1].Number
	}
	return writeJSON(w, http.StatusOK, page)
}

// auditQuery reads which page is asked for.
func auditQuery(values url.Values) (before int64, limit int, err error) {
	limit = defaultEvents
	if text := values.Get("before"); text != "" {
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before < 1 {
			return 0, 0, errs.Field("before", "must be the number of an event")
		}
	}
	if text := values.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil {
			return 0, 0, errs.Field("limit", "must be a number")
		}
	}
	return before, limit, nil
}
