package api

import "net/http"

// Paths that several routes share.
const (
	root   = "/api/v1"
	device = root + "/devices/{id}"
	user   = root + "/users/{username}"
)

// routes is everything the API answers. What it answers is written down for
// others in the OpenAPI document, which a test compares with this list.
func (s *Server) routes() []route {
	return []route{
		{http.MethodGet, "/healthz", s.health, true},
		{http.MethodGet, "/readyz", s.readiness, true},

		{http.MethodPost, root + "/register", s.register, true},
		{http.MethodPost, root + "/login", s.login, true},
		{http.MethodPost, root + "/refresh", s.refresh, true},
		{http.MethodPost, root + "/logout", s.logout, true},
		{http.MethodPost, root + "/password", s.changePassword, false},
		{http.MethodDelete, root + "/account", s.deleteAccount, false},
		{http.MethodPost, root + "/reset", s.resetPassword, true},

		{http.MethodGet, root + "/devices", s.listDevices, false},
		{http.MethodGet, device, s.getDevice, false},
		{http.MethodPatch, device, s.renameDevice, false},
		{http.MethodDelete, device, s.revokeDevice, false},
		{http.MethodPost, root + "/devices/revoke-others", s.revokeOthers, false},
		{http.MethodGet, root + "/audit", s.audit, false},

		{http.MethodPost, root + "/users", s.connect, false},
		{http.MethodGet, root + "/users", s.listUsers, false},
		{http.MethodPost, user + "/join", s.join, false},
		{http.MethodDelete, user + "/join", s.leave, false},
		{http.MethodGet, user + "/devices", s.listMembers, false},
		{http.MethodDelete, user + "/members/{device}", s.removeMember, false},
		{http.MethodGet, user + "/asks", s.listAsks, false},
		{http.MethodPost, user + "/asks/{ask}/approve", s.approve, false},
		{http.MethodPost, user + "/asks/{ask}/deny", s.deny, false},
		{http.MethodGet, root + "/asks/{ask}", s.awaitAsk, false},
		{http.MethodPost, user + "/invitations", s.invite, false},
		{http.MethodPost, root + "/invitations/accept", s.acceptInvitation, false},
		{http.MethodGet, user + "/settings", s.getSettings, false},
		{http.MethodPatch, user + "/settings", s.patchSettings, false},
		{http.MethodGet, user + "/history", s.history, false},
		{http.MethodPost, user + "/undo", s.undo, false},
		{http.MethodPost, user + "/restore", s.restore, false},
		{http.MethodGet, user + "/export", s.exportSettings, false},
		{http.MethodPost, user + "/import", s.importSettings, false},
		{http.MethodGet, user + "/ws", s.live, true},
		{http.MethodGet, user + "/events", s.events, true},

		{http.MethodGet, root + "/schema", s.schema, true},
		{http.MethodGet, root + "/openapi.json", s.openAPI, true},
	}
}
