package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/jinzhu/gorm"

	"social-server/internal/account"
)

// CreateUser stores a user whose first member is a device of its account, which
// may own limit users.
func (s *Store) CreateUser(ctx context.Context, u account.User, deviceID string, limit int) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := stillThere(tx, deviceID); err != nil {
			return err
		}
		mine := tx.Model(&userRow{}).Where("account_id = ?", u.AccountID)
		if err := below(limit, mine, "An account may have at most %d users.", limit); err != nil {
			return err
		}
		row := userRow{
			ID: u.ID, AccountID: u.AccountID, Username: u.Username, Revision: u.Revision, CreatedAt: instant{u.CreatedAt},
			UsernameKey: usernames.of(u.Username),
		}
		if err := tx.Create(&row).Error; err != nil {
			return unlessTaken(err, "username")
		}
		return tx.Create(&memberRow{UserID: u.ID, DeviceID: deviceID, JoinedAt: instant{u.CreatedAt}}).Error
	})
}

// Users returns the users an account owns or the device has joined, by name.
func (s *Store) Users(ctx context.Context, accountID, deviceID string) ([]account.User, error) {
	var rows []userRow
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		return visible(tx, accountID, deviceID).Order(s.dialect.folded("users.username")).Scan(&rows).Error
	})
	all := make([]account.User, len(rows))
	for i, row := range rows {
		all[i] = row.user()
	}
	return all, err
}

// User returns one of the users an account owns or the device has joined.
func (s *Store) User(ctx context.Context, accountID, deviceID, username string) (account.User, error) {
	var u userRow
	spelling, key := usernames.typed(username)
	err := s.ask(ctx, &s.reads.user, func(row *sql.Rows, _ bool) error {
		return row.Scan(&u.ID, &u.AccountID, &u.Username, &u.Revision, &u.CreatedAt, &u.Joined)
	}, deviceID, accountID, spelling, key)
	return u.user(), err
}

// visible is the users an account owns or the device has joined.
func visible(tx *gorm.DB, accountID, deviceID string) *gorm.DB {
	return tx.Table("users").Select("users.*, members.device_id IS NOT NULL AS joined").
		Joins("LEFT JOIN members ON members.user_id = users.id AND members.device_id = ?", deviceID).
		Where("users.account_id = ? OR members.device_id IS NOT NULL", accountID)
}

// Join makes the device a member of a user, who may have limit members, and
// reports whether it was none before.
func (s *Store) Join(ctx context.Context, userID, deviceID string, at time.Time, limit int) (joined bool, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		joined = false
		if err := stillThere(tx, deviceID); err != nil {
			return err
		}
		members := tx.Model(&memberRow{}).Where("user_id = ?", userID)
		if member, err := exists(members.Where("device_id = ?", deviceID)); err != nil || member {
			return err
		}
		if err := below(limit, members, "A user may have at most %d devices.", limit); err != nil {
			return err
		}
		joined = true
		return tx.Create(&memberRow{UserID: userID, DeviceID: deviceID, JoinedAt: instant{at}}).Error
	})
	return joined && err == nil, err
}

// Leave ends a membership and reports whether there was one.
func (s *Store) Leave(ctx context.Context, userID, deviceID string) (left bool, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		gone := tx.Where("user_id = ? AND device_id = ?", userID, deviceID).Delete(&memberRow{})
		left = gone.RowsAffected > 0
		return gone.Error
	})
	return left && err == nil, err
}

// Members returns the devices that joined a user, by name.
func (s *Store) Members(ctx context.Context, userID string) ([]account.Member, error) {
	var rows []deviceRow
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		return tx.Joins("JOIN members ON members.device_id = devices.id").
			Where("members.user_id = ?", userID).Order(s.dialect.folded("devices.name")).Find(&rows).Error
	})
	members := make([]account.Member, len(rows))
	for i, row := range rows {
		members[i] = account.Member{ID: row.ID, Name: row.Name, LastSeen: row.LastSeen.Time}
	}
	return members, err
}
