package store

import (
	"context"
	"time"

	"github.com/jinzhu/gorm"

	"social-server/internal/settings"
)

var _ settings.Memory = (*Store)(nil)

// The statements of a janitor. A history always loses its oldest revisions, and
// whole ones, so that what is left has no gap. sqlFloor is the revision it is to
// begin with: the higher of those that count and age say.
const (
	sqlFloor = "SELECT max(floor) FROM (" +
		"SELECT coalesce((SELECT revision FROM changes WHERE user_id = ? ORDER BY revision DESC LIMIT 1 OFFSET ?), 0) AS floor UNION ALL " +
		"SELECT coalesce((SELECT revision FROM changes WHERE user_id = ? AND at >= ? ORDER BY revision LIMIT 1), 9223372036854775807)) AS floors"
	// sqlOverdue asks for a page of users at once: two questions for each of a million took minutes.
	sqlOverdue = "SELECT id, coalesce((SELECT at FROM changes WHERE user_id = page.id ORDER BY revision LIMIT 1) < ?, false)" +
		" OR EXISTS (SELECT 1 FROM changes WHERE user_id = page.id LIMIT 1 OFFSET ?)" +
		" FROM (SELECT id FROM users WHERE id > ? ORDER BY id LIMIT ?) AS page ORDER BY id"
	sqlOldest        = "SELECT revision FROM changes WHERE user_id = ? AND revision < ? ORDER BY revision LIMIT ?"
	sqlForget        = "DELETE FROM changes WHERE user_id = ? AND revision <= ?"
	sqlForgetAnswers = "DELETE FROM patches WHERE (device_id, patch_id) IN (SELECT device_id, patch_id FROM patches WHERE at < ? ORDER BY at LIMIT ?)"
)

// Overdue looks at the next users after an id, most of them, and returns those
// of whom Forget may have something to remove, and the last one it looked at;
// "" when there are no more.
func (s *Store) Overdue(ctx context.Context, after string, before time.Time, keep, most int) (users []string, last string, err error) {
	err = s.inSnapshot(ctx, func(tx *gorm.DB) error {
		users, last = nil, ""
		rows, err := tx.Raw(sqlOverdue, instant{before}, keep, after, most).Rows()
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var overdue bool
			if err := rows.Scan(&last, &overdue); err != nil {
				return err
			}
			if overdue {
				users = append(users, last)
			}
		}
		return rows.Err()
	})
	return users, last, err
}

// Forget removes the oldest revisions of a user's history: those from before a
// time, and those beyond the newest keep records. It looks for them beside the
// writers, removes about most rows, and reports whether more may be left.
func (s *Store) Forget(ctx context.Context, user string, before time.Time, keep, most int) (more bool, err error) {
	var oldest []uint64
	err = s.inSnapshot(ctx, func(tx *gorm.DB) error {
		var floor uint64
		if err := tx.Raw(sqlFloor, user, max(keep-1, 0), user, instant{before}).Row().Scan(&floor); err != nil {
			return err
		}
		return tx.Raw(sqlOldest, user, floor, most).Pluck("revision", &oldest).Error
	})
	if err != nil || len(oldest) == 0 {
		return false, err
	}
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		return tx.Exec(sqlForget, user, oldest[len(oldest)-1]).Error
	})
	return len(oldest) == most, err
}

// ForgetAnswers removes answers given before a time, at most most of them, and
// reports whether more may be left.
func (s *Store) ForgetAnswers(ctx context.Context, before time.Time, most int) (more bool, err error) {
	var old []string
	err = s.inSnapshot(ctx, func(tx *gorm.DB) error {
		return tx.Raw("SELECT at FROM patches WHERE at < ? LIMIT 1", instant{before}).Pluck("at", &old).Error
	})
	if err != nil || len(old) == 0 {
		return false, err
	}
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		gone := tx.Exec(sqlForgetAnswers, instant{before}, most)
		more = gone.RowsAffected == int64(most)
		return gone.Error
	})
	return more && err == nil, err
}
