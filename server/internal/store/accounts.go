package store

import (
	"context"
	"errors"
	"time"

	"github.com/jinzhu/gorm"

	"social-server/internal/account"
	"social-server/internal/errs"
)

var _ account.Store = (*Store)(nil)

// AnyAccount reports whether there is an account at all.
func (s *Store) AnyAccount(ctx context.Context) (any bool, err error) {
	err = s.inSnapshot(ctx, func(tx *gorm.DB) error {
		any, err = exists(tx.Model(&accountRow{}))
		return err
	})
	return any, err
}

// Account returns an account by its id.
func (s *Store) Account(ctx context.Context, id string) (account.Account, error) {
	var row accountRow
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		return tx.Where("id = ?", id).Take(&row).Error
	})
	return row.account(), err
}

// AccountByEmail returns the account of an e-mail address, however it is spelled.
func (s *Store) AccountByEmail(ctx context.Context, email string) (account.Account, error) {
	var row accountRow
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		spelling, key := emails.typed(email)
		return tx.Where(emails.is(s.dialect, "id"), spelling, key).Take(&row).Error
	})
	return row.account(), err
}

// DeviceByName returns a device that is not revoked, and its account. The name
// may be spelled in any way that is the same name.
func (s *Store) DeviceByName(ctx context.Context, name string) (account.Device, account.Account, error) {
	var device deviceRow
	var owner accountRow
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		spelling, key := deviceNames.typed(name)
		err := tx.Where(deviceNames.is(s.dialect, "id"), spelling, key).Take(&device).Error
		// Asked for nobody's account too, so that a name that exists takes no longer.
		if ownerErr := tx.Where("id = ?", device.AccountID).Take(&owner).Error; err == nil {
			err = ownerErr
		}
		return err
	})
	return device.device(), owner.account(), err
}

// CreateAccount stores an account and its first device. With only set, another
// account, whichever it is, is a conflict too.
func (s *Store) CreateAccount(ctx context.Context, a account.Account, first account.Device, only bool) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if only {
			if any, err := exists(tx.Model(&accountRow{})); err != nil {
				return err
			} else if any {
				return conflict("email")
			}
		}
		row := accountRow{ID: a.ID, Email: a.Email, PasswordHash: a.PasswordHash, CreatedAt: instant{a.CreatedAt}, EmailKey: emails.of(a.Email)}
		if err := tx.Create(&row).Error; err != nil {
			return unlessTaken(err, "email")
		}
		return unlessTaken(tx.Create(newDeviceRow(first)).Error, "deviceName")
	})
}

// CreateDevice stores one more device of an account, which may have limit of them.
func (s *Store) CreateDevice(ctx context.Context, d account.Device, limit int) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		mine := tx.Model(&deviceRow{}).Where("account_id = ? AND revoked_at IS NULL", d.AccountID)
		if err := below(limit, mine, "An account may have at most %d devices.", limit); err != nil {
			return err
		}
		return unlessTaken(tx.Create(newDeviceRow(d)).Error, "deviceName")
	})
}

// ReplaceHash sets an account's password hash, if it still is old.
func (s *Store) ReplaceHash(ctx context.Context, accountID, old, hash string) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return tx.Model(&accountRow{}).Where("id = ? AND password_hash = ?", accountID, old).
			Updates(map[string]any{"password_hash": hash}).Error
	})
}

// Devices returns the devices of an account that are not revoked, oldest first,
// each with its usernames.
func (s *Store) Devices(ctx context.Context, accountID string) ([]account.Listed, error) {
	var rows []deviceRow
	var joined []struct{ DeviceID, Username string }
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("account_id = ? AND revoked_at IS NULL", accountID).
			Order("created_at, id").Find(&rows).Error; err != nil {
			return err
		}
		return tx.Table("members").Select("members.device_id, users.username").
			Joins("JOIN users ON users.id = members.user_id").
			Joins("JOIN devices ON devices.id = members.device_id").
			Where("devices.account_id = ?", accountID).
			Order(s.dialect.folded("users.username")).Scan(&joined).Error
	})
	users := map[string][]string{}
	for _, m := range joined {
		users[m.DeviceID] = append(users[m.DeviceID], m.Username)
	}
	all := make([]account.Listed, len(rows))
	for i, row := range rows {
		all[i] = account.Listed{Device: row.device(), Users: users[row.ID]}
	}
	return all, err
}

// RenameDevice renames a device and returns the ids of the users it joined.
func (s *Store) RenameDevice(ctx context.Context, accountID, deviceID, name string) (users []string, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		renamed := ownDevice(tx, accountID, deviceID).Updates(map[string]any{"name": name, "name_key": deviceNames.of(name)})
		if renamed.Error != nil {
			return unlessTaken(renamed.Error, "name")
		}
		if renamed.RowsAffected == 0 {
			return gorm.ErrRecordNotFound
		}
		users, err = joinedBy(tx, deviceID)
		return err
	})
	return users, err
}

// RevokeDevice locks a device out: it ends its log-ins and memberships, what it
// asked for and whom it invited, and returns the ids of the users it had joined.
func (s *Store) RevokeDevice(ctx context.Context, accountID, deviceID string, at time.Time) (users []string, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		revoked := ownDevice(tx, accountID, deviceID).Updates(map[string]any{"revoked_at": instant{at}})
		if revoked.Error != nil {
			return revoked.Error
		}
		if revoked.RowsAffected == 0 {
			return gorm.ErrRecordNotFound
		}
		if users, err = joinedBy(tx, deviceID); err != nil {
			return err
		}
		for _, row := range []any{&memberRow{}, &askRow{}, &invitationRow{}} {
			if err := tx.Where("device_id = ?", deviceID).Delete(row).Error; err != nil {
				return err
			}
		}
		return tx.Model(&loginRow{}).Where("device_id = ? AND ended_at IS NULL", deviceID).
			Updates(map[string]any{"ended_at": instant{at}}).Error
	})
	return users, err
}

// ownDevice is the row of a device, if it is the account's and not revoked.
func ownDevice(tx *gorm.DB, accountID, deviceID string) *gorm.DB {
	return tx.Model(&deviceRow{}).Where("id = ? AND account_id = ? AND revoked_at IS NULL", deviceID, accountID)
}

// joinedBy returns the ids of the users a device has joined.
func joinedBy(tx *gorm.DB, deviceID string) (users []string, err error) {
	err = tx.Model(&memberRow{}).Where("device_id = ?", deviceID).Order("user_id").Pluck("user_id", &users).Error
	return users, err
}

// exists reports whether a query finds a row.
func exists(query *gorm.DB) (bool, error) {
	var rows int
	err := query.Limit(1).Count(&rows).Error
	return rows > 0, err
}

// below refuses one more row of a query that has limit rows already.
func below(limit int, query *gorm.DB, format string, args ...any) error {
	var rows int
	if err := query.Count(&rows).Error; err != nil {
		return err
	}
	if rows >= limit {
		return errs.New(errs.QuotaExceeded, format, args...)
	}
	return nil
}

// stillThere fails with errs.Revoked if a device was locked out after it
// proved who it is, and before this transaction.
func stillThere(tx *gorm.DB, deviceID string) error {
	var device deviceRow
	err := tx.Where("id = ? AND revoked_at IS NULL", deviceID).Take(&device).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return errs.New(errs.Revoked, "This device was locked out.")
	}
	return err
}

// unlessTaken returns the failure of an insert or update; one of uniqueness as
// a conflict about a field.
func unlessTaken(err error, field string) error {
	if failureOf(err) == taken {
		return conflict(field)
	}
	return err
}

// conflict says that the value of a field is taken.
func conflict(field string) error {
	return &errs.Error{Code: errs.Conflict, Field: field, Message: "This is taken."}
}
