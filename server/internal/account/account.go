// Package account knows who may do what: accounts, their devices, log-ins,
// users and members. It registers, logs in, connects, joins and revokes. It
// knows no HTTP, no SQL and no Redis: what it needs of them are the interfaces
// Store and Live.
package account

import (
	"context"
	"time"

	"social-server/internal/protocol"
)

// Account is an e-mail address and the hash of its password.
type Account struct {
	ID           string
	Email        string // as text.Email spells it; older ones in lower case
	PasswordHash string // PHC string
	CreatedAt    time.Time
}

// Device is a named login of an account.
type Device struct {
	ID        string
	AccountID string
	Name      string
	Platform  string // "Firefox on Linux": a hint for people, to be shown as text only
	CreatedAt time.Time
	LastSeen  time.Time // up to half a minute old
	RevokedAt time.Time // zero while the device may log in
}

// Login is one log-in of a device: the family of refresh tokens that follow
// one another. Only hashes of tokens are kept.
type Login struct {
	ID           string
	DeviceID     string
	TokenHash    string // of the token that may be used next
	PreviousHash string // of the one before it, "" if there is none
	RotatedAt    time.Time
	CreatedAt    time.Time
	EndedAt      time.Time // zero while it lives
}

// User is a shared identity whose settings are synced.
type User struct {
	ID        string
	AccountID string
	Username  string
	Revision  int64
	CreatedAt time.Time
	Joined    bool // whether the device that asked is a member
	Online    int  // devices with a session, on any node
}

// Member is a device that has joined a user.
type Member struct {
	ID       string // of the device
	Name     string
	LastSeen time.Time
	Sessions int // live connections to the user; more than 0 is online
}

// Listed is a device as the owner of its account sees it.
type Listed struct {
	Device
	Users   []string // usernames it has joined
	Online  bool
	Current bool // the device that asked
}

// Seat is a log-in with its device, as far as an access token speaks for them,
// and a user the device has joined.
type Seat struct {
	DeviceID   string
	DeviceName string
	AccountID  string
	Ended      bool // the log-in
	Revoked    bool // the device
	User       User // not Joined: there is none
}

// Identity is what a good access token proves: which device is asking, of
// which account, in which log-in, and until when.
type Identity struct {
	DeviceID   string
	DeviceName string
	AccountID  string
	LoginID    string
	Expires    time.Time
}

// Store keeps what this package decides. What is missing is errs.NotFound, and
// so is what belongs to another account; a name that is taken is errs.Conflict
// with the field named. Each method is one transaction.
type Store interface {
	// Atomically makes one transaction of all that work does, if it gives its
	// context to each method. Work must not wait for anything else, and may be
	// run again: what it sets outside of itself, it sets anew every time.
	Atomically(ctx context.Context, work func(ctx context.Context) error) error
	accounts
	logins
	devices
	users
	asks
	invitations
	audit
	resets
}

// accounts is the part of Store about accounts and who is in them.
type accounts interface {
	// AnyAccount reports whether there is an account at all.
	AnyAccount(ctx context.Context) (bool, error)
	// Account returns an account by its id.
	Account(ctx context.Context, id string) (Account, error)
	// AccountByEmail returns the account of an e-mail address in any spelling.
	AccountByEmail(ctx context.Context, email string) (Account, error)
	// DeviceByName returns a device that is not revoked, and its account. Names
	// are compared by text.Key, here and below.
	DeviceByName(ctx context.Context, name string) (Device, Account, error)
	// CreateAccount stores an account and its first device. With only set,
	// another account, whichever it is, is a conflict too.
	CreateAccount(ctx context.Context, a Account, first Device, only bool) error
	// CreateDevice stores one more device of an account, which may have limit
	// devices: errs.QuotaExceeded above it.
	CreateDevice(ctx context.Context, d Device, limit int) error
	// DeleteAccount removes an account and everything in it.
	DeleteAccount(ctx context.Context, accountID string) (Gone, error)
	// ReplaceHash sets an account's password hash, if it still is old.
	ReplaceHash(ctx context.Context, accountID, old, hash string) error
}

// logins is the part of Store about log-ins.
type logins interface {
	// CreateLogin stores a log-in and the platform it came from, and forgets
	// those of the device that have ended or were last used before idle.
	CreateLogin(ctx context.Context, l Login, platform string, idle time.Time) error
	// Login returns a log-in, ended or not, and its device, revoked or not.
	Login(ctx context.Context, id string) (Login, Device, error)
	// Seat returns what an access token of a log-in stands for, and the user of
	// a name if its device has joined it: all that a connect asks, at once.
	Seat(ctx context.Context, loginID, username string) (Seat, error)
	// RotateLogin moves a living log-in from one token hash to the next. It
	// reports false, and does nothing, if from is not its current one.
	RotateLogin(ctx context.Context, id, from, to string, at time.Time) (bool, error)
	// EndLogin ends a log-in and reports whether it was alive.
	EndLogin(ctx context.Context, id string, at time.Time) (bool, error)
}

// devices is the part of Store about the devices of one account.
type devices interface {
	// Devices returns the devices of an account that are not revoked, oldest
	// first, each with its usernames.
	Devices(ctx context.Context, accountID string) ([]Listed, error)
	// RenameDevice renames a device and returns the ids of the users it joined.
	RenameDevice(ctx context.Context, accountID, deviceID, name string) ([]string, error)
	// RevokeDevice locks a device out: it ends its log-ins and memberships, and
	// returns the ids of the users it had joined.
	RevokeDevice(ctx context.Context, accountID, deviceID string, at time.Time) ([]string, error)
	// TouchDevices sets when devices were last seen.
	TouchDevices(ctx context.Context, seen map[string]time.Time) error
}

// users is the part of Store about users and their members.
type users interface {
	// CreateUser stores a user whose first member is a device of its account,
	// which may own limit users: errs.QuotaExceeded above it.
	CreateUser(ctx context.Context, u User, deviceID string, limit int) error
	// Users returns the users an account owns or the device has joined, by name.
	Users(ctx context.Context, accountID, deviceID string) ([]User, error)
	// User returns one of those.
	User(ctx context.Context, accountID, deviceID, username string) (User, error)
	// Join makes the device a member of a user, who may have limit members, and
	// reports whether it was none before.
	Join(ctx context.Context, userID, deviceID string, at time.Time, limit int) (bool, error)
	// Leave ends a membership and reports whether there was one.
	Leave(ctx context.Context, userID, deviceID string) (bool, error)
	// Members returns the devices that joined a user, by name.
	Members(ctx context.Context, userID string) ([]Member, error)
}

// Live is told what concerns devices that are connected just now. Its methods
// are called after the change is durable, and must not block; Online may, as
// long as its context lasts.
type Live interface {
	// DeviceRevoked ends all sessions of a device and tells the other devices
	// of the users it had joined.
	DeviceRevoked(deviceID string, userIDs []string)
	// DeviceRenamed tells the members of the users a device has joined.
	DeviceRenamed(deviceID, name string, userIDs []string)
	// LoginEnded ends the sessions a device opened in one log-in.
	LoginEnded(loginID, deviceID string)
	// MemberJoined tells the members of a user about a new one.
	MemberJoined(userID, deviceID, name string)
	// MemberLeft ends the sessions of a device to a user and tells its members.
	MemberLeft(userID, deviceID string)
	// Asked tells the members of a user of a device that asks to join it.
	Asked(userID string, device protocol.Device, ask protocol.Ask)
	// AskEnded tells them that it was not let in.
	AskEnded(userID string, device protocol.Device)
	// Noticed tells the devices of an account, but not the one it is about.
	Noticed(accountID string, notice protocol.Notice)
	// Online returns how many sessions each connected device has to each user, in
	// the order of the users, as far as that is known before ctx ends.
	Online(ctx context.Context, userIDs ...string) []map[string]int
}
