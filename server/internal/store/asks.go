package store

import (
	"context"
	"time"

	"github.com/jinzhu/gorm"

	"social-server/internal/account"
	"social-server/internal/text"
)

// askRow is a row of asks. UserID is NULL for an ask that reaches nobody.
// DeviceName and Email are no columns of it: they come with a query.
type askRow struct {
	ID        string
	Username  string
	UserID    *string
	AccountID string
	DeviceID  string
	Code      string
	Wrong     int
	State     string
	At        instant
	ExpiresAt instant

	DeviceName string `sql:"-"`
	Email      string `sql:"-"`
}

// TableName names the table to gorm.
func (askRow) TableName() string { return "asks" }

func (r askRow) ask() account.Ask {
	a := account.Ask{
		ID: r.ID, Username: r.Username, AccountID: r.AccountID, DeviceID: r.DeviceID, DeviceName: r.DeviceName,
		Email: r.Email, Code: r.Code, Wrong: r.Wrong, State: r.State, At: r.At.Time, Expires: r.ExpiresAt.Time,
	}
	if r.UserID != nil {
		a.UserID = *r.UserID
	}
	return a
}

// UserNamed returns the user of a name, whoever owns it.
func (s *Store) UserNamed(ctx context.Context, username string) (account.User, error) {
	var row userRow
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		spelling, key := usernames.typed(username)
		return tx.Where(usernames.is(s.dialect, "id"), spelling, key).Take(&row).Error
	})
	return row.user(), err
}

// CreateAsk stores an ask that waits, of a device that is not revoked.
func (s *Store) CreateAsk(ctx context.Context, a account.Ask) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := stillThere(tx, a.DeviceID); err != nil {
			return err
		}
		row := askRow{
			ID: a.ID, Username: a.Username, AccountID: a.AccountID, DeviceID: a.DeviceID,
			Code: a.Code, Wrong: a.Wrong, State: a.State, At: instant{a.At}, ExpiresAt: instant{a.Expires},
		}
		if a.UserID != "" {
			row.UserID = &a.UserID
		}
		return tx.Create(&row).Error
	})
}

// AskOf returns the ask of a device for a username that waits.
func (s *Store) AskOf(ctx context.Context, deviceID, username string) (account.Ask, error) {
	waiting, err := s.findAsks(ctx, "asks.device_id = ? AND asks.state = ?", deviceID, account.AskWaiting)
	for _, ask := range waiting {
		if text.Key(ask.Username) == text.Key(username) {
			return ask, nil
		}
	}
	if err == nil {
		err = translate(gorm.ErrRecordNotFound)
	}
	return account.Ask{}, err
}

// Ask returns an ask, whatever its state.
func (s *Store) Ask(ctx context.Context, id string) (account.Ask, error) {
	return s.oneAsk(ctx, "asks.id = ?", id)
}

// oneAsk returns the one ask that meets a condition.
func (s *Store) oneAsk(ctx context.Context, condition string, args ...any) (account.Ask, error) {
	all, err := s.findAsks(ctx, condition, args...)
	if err == nil && len(all) == 0 {
		err = translate(gorm.ErrRecordNotFound)
	}
	if err != nil {
		return account.Ask{}, err
	}
	return all[0], nil
}

// Asks returns the asks that wait at a user, oldest first.
func (s *Store) Asks(ctx context.Context, userID string) ([]account.Ask, error) {
	return s.findAsks(ctx, "asks.user_id = ? AND asks.state = ?", userID, account.AskWaiting)
}

// findAsks returns the asks that meet a condition, oldest first.
func (s *Store) findAsks(ctx context.Context, condition string, args ...any) ([]account.Ask, error) {
	var rows []askRow
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		return tx.Table("asks").Select("asks.*, devices.name AS device_name, accounts.email AS email").
			Joins("JOIN devices ON devices.id = asks.device_id").
			Joins("JOIN accounts ON accounts.id = asks.account_id").
			Where(condition, args...).Order("asks.at, asks.id").Scan(&rows).Error
	})
	all := make([]account.Ask, len(rows))
	for i, row := range rows {
		all[i] = row.ask()
	}
	return all, err
}

// AsksSince returns when the asks of an account since a time were made, oldest
// first, and how many of them wait.
func (s *Store) AsksSince(ctx context.Context, accountID string, since time.Time) (made []time.Time, waiting int, err error) {
	var rows []askRow
	err = s.inSnapshot(ctx, func(tx *gorm.DB) error {
		return tx.Where("account_id = ? AND at > ?", accountID, instant{since}).Order("at").Find(&rows).Error
	})
	for _, row := range rows {
		made = append(made, row.At.Time)
		if row.State == account.AskWaiting {
			waiting++
		}
	}
	return made, waiting, err
}

// AnswerAsk sets the state of an ask and how many wrong numbers it met.
func (s *Store) AnswerAsk(ctx context.Context, id, state string, wrong int) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return tx.Model(&askRow{}).Where("id = ?", id).Updates(map[string]any{"state": state, "wrong": wrong}).Error
	})
}

// ExpireAsks ends the waiting of asks whose time is over, and forgets those
// made before a time.
func (s *Store) ExpireAsks(ctx context.Context, now, before time.Time) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		err := tx.Model(&askRow{}).Where("state = ? AND expires_at <= ?", account.AskWaiting, instant{now}).
			Updates(map[string]any{"state": account.AskExpired}).Error
		if err != nil {
			return err
		}
		return tx.Where("at < ?", instant{before}).Delete(&askRow{}).Error
	})
}

// blockRow is a row of blocks.
type blockRow struct {
	UserID    string `gorm:"primary_key"`
	AccountID string `gorm:"primary_key"`
	At        instant
}

// TableName names the table to gorm.
func (blockRow) TableName() string { return "blocks" }

// Blocked reports whether a user does not want to hear of an account.
func (s *Store) Blocked(ctx context.Context, userID, accountID string) (blocked bool, err error) {
	err = s.inSnapshot(ctx, func(tx *gorm.DB) error {
		blocked, err = exists(tx.Model(&blockRow{}).Where("user_id = ? AND account_id = ?", userID, accountID))
		return err
	})
	return blocked, err
}

// Block makes all asks of an account to a user reach nobody, those that wait
// as well.
func (s *Store) Block(ctx context.Context, userID, accountID string, at time.Time) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		row := blockRow{UserID: userID, AccountID: accountID}
		if err := tx.Where(&row).Attrs(blockRow{At: instant{at}}).FirstOrCreate(&row).Error; err != nil {
			return err
		}
		return tx.Model(&askRow{}).Where("user_id = ? AND account_id = ?", userID, accountID).
			Updates(map[string]any{"user_id": nil}).Error
	})
}

// Unblock undoes Block for asks to come.
func (s *Store) Unblock(ctx context.Context, userID, accountID string) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return tx.Where("user_id = ? AND account_id = ?", userID, accountID).Delete(&blockRow{}).Error
	})
}
