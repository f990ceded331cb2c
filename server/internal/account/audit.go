package account

import (
	"context"
	"time"

	"social-server/internal/errs"
)

// The events of an audit log. Its owner reads them: they say what happened, by
// which device, from where, and never a secret.
const (
	EventRegister        = "register"         // detail: the platform
	EventLogin           = "login"            // detail: the platform
	EventLoginFailed     = "login-failed"     // a wrong password for a device that exists
	EventRefreshReuse    = "refresh-reuse"    // a refresh token was copied; the log-in has ended
	EventLogout          = "logout"           //
	EventJoin            = "join"             // detail: the username, as in all that follow
	EventLeave           = "leave"            //
	EventAsk             = "ask"              // to join a user of another account
	EventApprove         = "approve"          //
	EventDeny            = "deny"             //
	EventBlock           = "block"            // denied, and not to be asked again
	EventInvite          = "invite"           //
	EventAccept          = "accept"           // an invitation
	EventRemove          = "remove"           // a member; detail: its name and the username
	EventRevoke          = "revoke"           // detail: the name of the device that is locked out
	EventRename          = "rename"           // detail: the new name
	EventPasswordChanged = "password-changed" // by a device that knew the old one
	EventPasswordReset   = "password-reset"   // with a code from whoever runs the server
)

// What is kept of an audit log: so long, and so many of each kind. One kind
// never pushes out another, so that a stranger's guessing hides nothing.
const (
	auditKept   = 365 * 24 * time.Hour
	auditOfKind = 200
)

// maxAuditPage bounds one page of an audit log.
const maxAuditPage = 100

// Event is one line of an account's audit log.
type Event struct {
	Number     int64 // the order of events; the store gives it
	AccountID  string
	Event      string // one of the words above
	DeviceID   string // whose doing it was; "" if nobody knows
	DeviceName string
	Address    string // where it came from, of IPv6 the network
	Detail     string
	At         time.Time
}

// audit is the part of Store about audit logs.
type audit interface {
	// Record adds a line to an account's log, and forgets what is from before
	// oldest in any log, and of this log and kind all but the newest keep.
	Record(ctx context.Context, e Event, oldest time.Time, keep int) error
	// Events returns lines of an account's log that have a lower number than
	// before and are not older than oldest, newest first; event "" is any.
	Events(ctx context.Context, accountID, event string, before int64, oldest time.Time, limit int) ([]Event, error)
}

type addressKey struct{}

// WithAddress notes the client address of a request, for the audit log.
func WithAddress(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey{}, address)
}

// addressOf returns the address of the request; "" if there is none.
func addressOf(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}

// record adds an event to the audit log of its account. Time and address are
// filled in. Under a context of Store.Atomically it is part of that
// transaction, as it should be wherever there is a change to go with it.
func (s *Service) record(ctx context.Context, e Event) error {
	e.At, e.Address = s.now(), addressOf(ctx)
	return s.Store.Record(ctx, e, e.At.Add(-auditKept), auditOfKind)
}

// recordFor is record, also in the log of the account that owns a user, if it is
// another one. "" is nobody.
func (s *Service) recordFor(ctx context.Context, e Event, owner string) error {
	if err := s.record(ctx, e); err != nil || owner == "" || owner == e.AccountID {
		return err
	}
	e.AccountID = owner
	return s.record(ctx, e)
}

// did is an event that this device caused in its own account.
func (who Identity) did(event, detail string) Event {
	return Event{AccountID: who.AccountID, Event: event, DeviceID: who.DeviceID, DeviceName: who.DeviceName, Detail: detail}
}

// Audit returns the log of the device's account, newest first: at most limit
// lines with a number below before, or the newest if before is 0.
func (s *Service) Audit(ctx context.Context, who Identity, before int64, limit int) ([]Event, error) {
	if before < 0 {
		return nil, errs.Field("before", "This must be the number of an event.")
	}
	if limit < 1 || limit > maxAuditPage {
		return nil, errs.Field("limit", "This must be from 1 to %d.", maxAuditPage)
	}
	return s.Store.Events(ctx, who.AccountID, "", before, s.now().Add(-auditKept), limit)
}
