package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/jinzhu/gorm"

	"social-server/internal/account"
)

// CreateLogin stores a log-in and the platform it came from, and forgets those
// of the device that have ended or were last used before idle.
func (s *Store) CreateLogin(ctx context.Context, l account.Login, platform string, idle time.Time) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		if err := stillThere(tx, l.DeviceID); err != nil {
			return err
		}
		if err := tx.Where("device_id = ? AND (ended_at IS NOT NULL OR rotated_at < ?)", l.DeviceID, instant{idle}).
			Delete(&loginRow{}).Error; err != nil {
			return err
		}
		row := loginRow{
			ID: l.ID, DeviceID: l.DeviceID, TokenHash: l.TokenHash, PreviousHash: l.PreviousHash,
			RotatedAt: instant{l.RotatedAt}, CreatedAt: instant{l.CreatedAt}, EndedAt: instant{l.EndedAt},
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return tx.Model(&deviceRow{}).Where("id = ?", l.DeviceID).
			Updates(map[string]any{"platform": platform}).Error
	})
}

// Login returns a log-in, ended or not, and its device, revoked or not.
func (s *Store) Login(ctx context.Context, id string) (account.Login, account.Device, error) {
	var l loginRow
	var d deviceRow
	err := s.ask(ctx, &s.reads.login, func(row *sql.Rows, _ bool) error {
		return row.Scan(&l.ID, &l.DeviceID, &l.TokenHash, &l.PreviousHash, &l.RotatedAt, &l.CreatedAt, &l.EndedAt,
			&d.ID, &d.AccountID, &d.Name, &d.Platform, &d.CreatedAt, &d.LastSeen, &d.RevokedAt)
	}, id)
	return l.login(), d.device(), err
}

// Seat returns what an access token of a log-in stands for, and the user of a
// name if its device has joined it.
func (s *Store) Seat(ctx context.Context, loginID, username string) (account.Seat, error) {
	var seat account.Seat
	var u userRow
	spelling, key := usernames.typed(username)
	err := s.ask(ctx, &s.reads.seat, func(row *sql.Rows, _ bool) error {
		return row.Scan(&seat.Ended, &seat.DeviceID, &seat.DeviceName, &seat.AccountID, &seat.Revoked,
			&u.Joined, &u.ID, &u.AccountID, &u.Username, &u.Revision, &u.CreatedAt)
	}, spelling, key, loginID)
	seat.User = u.user()
	return seat, err
}

// RotateLogin moves a living log-in from one token hash to the next. It reports
// false, and does nothing, if from is not its current one.
func (s *Store) RotateLogin(ctx context.Context, id, from, to string, at time.Time) (bool, error) {
	return s.changeLogin(ctx, map[string]any{"token_hash": to, "previous_hash": from, "rotated_at": instant{at}},
		"id = ? AND token_hash = ? AND ended_at IS NULL", id, from)
}

// EndLogin ends a log-in and reports whether it was alive.
func (s *Store) EndLogin(ctx context.Context, id string, at time.Time) (bool, error) {
	return s.changeLogin(ctx, map[string]any{"ended_at": instant{at}}, "id = ? AND ended_at IS NULL", id)
}

// changeLogin sets columns of a log-in that meets a condition, and reports
// whether it did.
func (s *Store) changeLogin(ctx context.Context, columns map[string]any, condition string, args ...any) (changed bool, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		update := tx.Model(&loginRow{}).Where(condition, args...).Updates(columns)
		changed = update.RowsAffected > 0
		return update.Error
	})
	return changed, err
}
