package store

import (
	"database/sql/driver"
	"fmt"
	"time"

	"social-server/internal/account"
)

// instant is a time as it is stored: RFC 3339 text in UTC with milliseconds,
// whose order is that of the times; the zero time is NULL.
type instant struct{ time.Time }

// instantLayout is the format of SPEC V6.
const instantLayout = "2006-01-02T15:04:05.000Z"

// formatInstant returns a time as it is stored.
func formatInstant(at time.Time) string { return at.UTC().Format(instantLayout) }

// parseInstant reads what formatInstant returned.
func parseInstant(text string) (time.Time, error) { return time.Parse(instantLayout, text) }

// Value is what the driver stores.
func (i instant) Value() (driver.Value, error) {
	if i.IsZero() {
		return nil, nil
	}
	return formatInstant(i.Time), nil
}

// Scan reads what Value stored.
func (i *instant) Scan(stored any) (err error) {
	switch text := stored.(type) {
	case nil:
		*i = instant{}
	case string:
		i.Time, err = parseInstant(text)
	default:
		err = fmt.Errorf("a time is stored as %T", stored)
	}
	return err
}

// accountRow is a row of accounts.
type accountRow struct {
	ID           string
	Email        string
	PasswordHash string
	CreatedAt    instant
	EmailKey     *string
}

// TableName names the table to gorm.
func (accountRow) TableName() string { return "accounts" }

func (r accountRow) account() account.Account {
	return account.Account{ID: r.ID, Email: r.Email, PasswordHash: r.PasswordHash, CreatedAt: r.CreatedAt.Time}
}

// deviceRow is a row of devices.
type deviceRow struct {
	ID        string
	AccountID string
	Name      string
	Platform  string
	CreatedAt instant
	LastSeen  instant
	RevokedAt instant
	NameKey   *string
}

// TableName names the table to gorm.
func (deviceRow) TableName() string { return "devices" }

func (r deviceRow) device() account.Device {
	return account.Device{
		ID: r.ID, AccountID: r.AccountID, Name: r.Name, Platform: r.Platform,
		CreatedAt: r.CreatedAt.Time, LastSeen: r.LastSeen.Time, RevokedAt: r.RevokedAt.Time,
	}
}

func newDeviceRow(d account.Device) *deviceRow {
	return &deviceRow{
		ID: d.ID, AccountID: d.AccountID, Name: d.Name, Platform: d.Platform,
		CreatedAt: instant{d.CreatedAt}, LastSeen: instant{d.LastSeen}, RevokedAt: instant{d.RevokedAt},
		NameKey: deviceNames.of(d.Name),
	}
}

// loginRow is a row of logins.
type loginRow struct {
	ID           string
	DeviceID     string
	TokenHash    string
	PreviousHash string
	RotatedAt    instant
	CreatedAt    instant
	EndedAt      instant
}

// TableName names the table to gorm.
func (loginRow) TableName() string { return "logins" }

func (r loginRow) login() account.Login {
	return account.Login{
		ID: r.ID, DeviceID: r.DeviceID, TokenHash: r.TokenHash, PreviousHash: r.PreviousHash,
		RotatedAt: r.RotatedAt.Time, CreatedAt: r.CreatedAt.Time, EndedAt: r.EndedAt.Time,
	}
}

// userRow is a row of users. Joined is no column of it: it comes with a query.
type userRow struct {
	ID          string
	AccountID   string
	Username    string
	Revision    int64
	CreatedAt   instant
	UsernameKey *string
	Joined      bool `sql:"-"`
}

// TableName names the table to gorm.
func (userRow) TableName() string { return "users" }

func (r userRow) user() account.User {
	return account.User{
		ID: r.ID, AccountID: r.AccountID, Username: r.Username,
		Revision: r.Revision, CreatedAt: r.CreatedAt.Time, Joined: r.Joined,
	}
}

// memberRow is a row of members.
type memberRow struct {
	UserID   string `gorm:"primary_key"`
	DeviceID string `gorm:"primary_key"`
	JoinedAt instant
}

// TableName names the table to gorm.
func (memberRow) TableName() string { return "members" }
