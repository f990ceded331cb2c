package store

import (
	"context"
	"time"

	"github.com/jinzhu/gorm"

	"social-server/internal/account"
)

// resetRow is a row of reset_codes.
type resetRow struct {
	AccountID string `gorm:"primary_key"`
	CodeHash  string
	ExpiresAt instant
}

// TableName names the table to gorm.
func (resetRow) TableName() string { return "reset_codes" }

// PutResetCode stores the hash of an account's reset code, in place of the one
// before it.
func (s *Store) PutResetCode(ctx context.Context, accountID, codeHash string, expires time.Time) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("account_id = ?", accountID).Delete(&resetRow{}).Error; err != nil {
			return err
		}
		return tx.Create(&resetRow{AccountID: accountID, CodeHash: codeHash, ExpiresAt: instant{expires}}).Error
	})
}

// ResetCode returns the account of a reset code that has not expired.
func (s *Store) ResetCode(ctx context.Context, codeHash string, now time.Time) (account.Account, error) {
	var row accountRow
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		var code resetRow
		if err := tx.Where("code_hash = ? AND expires_at > ?", codeHash, instant{now}).Take(&code).Error; err != nil {
			return err
		}
		return tx.Where("id = ?", code.AccountID).Take(&row).Error
	})
	return row.account(), err
}

// DropResetCode forgets the reset code of an account, if there is one.
func (s *Store) DropResetCode(ctx context.Context, accountID string) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return tx.Where("account_id = ?", accountID).Delete(&resetRow{}).Error
	})
}

// EndLogins ends the log-ins of all devices of an account but one, and returns
// those that were alive.
func (s *Store) EndLogins(ctx context.Context, accountID, except string, at time.Time) (ended []account.Login, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		ended = nil
		var rows []loginRow
		alive := tx.Where("ended_at IS NULL AND id <> ? AND device_id IN (SELECT id FROM devices WHERE account_id = ?)", except, accountID)
		if err := alive.Order("id").Find(&rows).Error; err != nil {
			return err
		}
		for _, row := range rows {
			ended = append(ended, row.login())
		}
		return alive.Model(&loginRow{}).Updates(map[string]any{"ended_at": instant{at}}).Error
	})
	return ended, err
}
