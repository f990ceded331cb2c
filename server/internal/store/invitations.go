package store

import (
	"context"
	"time"

	"github.com/jinzhu/gorm"

	"social-server/internal/account"
)

// invitationRow is a row of invitations.
type invitationRow struct {
	UserID    string `gorm:"primary_key"`
	DeviceID  string `gorm:"primary_key"`
	CodeHash  string
	ExpiresAt instant
}

// TableName names the table to gorm.
func (invitationRow) TableName() string { return "invitations" }

// Invite stores an invitation in place of the one the device had to the user,
// and forgets those that expired.
func (s *Store) Invite(ctx context.Context, i account.Invitation, now time.Time) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		err := tx.Where("expires_at <= ? OR (user_id = ? AND device_id = ?)", instant{now}, i.UserID, i.DeviceID).
			Delete(&invitationRow{}).Error
		if err != nil {
			return err
		}
		return tx.Create(&invitationRow{UserID: i.UserID, DeviceID: i.DeviceID, CodeHash: i.CodeHash, ExpiresAt: instant{i.Expires}}).Error
	})
}

// Redeem takes an invitation out of the store, if it has not expired and who
// invited is a member still, and returns the user.
func (s *Store) Redeem(ctx context.Context, codeHash string, now time.Time) (account.User, error) {
	var user userRow
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		user = userRow{} // gorm would look for the one in it
		err := tx.Table("users").Joins("JOIN invitations ON invitations.user_id = users.id").
			Joins("JOIN members ON members.user_id = users.id AND members.device_id = invitations.device_id").
			Where("invitations.code_hash = ? AND invitations.expires_at > ?", codeHash, instant{now}).
			Select("users.*").Take(&user).Error
		if err != nil {
			return err
		}
		return tx.Where("code_hash = ?", codeHash).Delete(&invitationRow{}).Error
	})
	return user.user(), err
}
