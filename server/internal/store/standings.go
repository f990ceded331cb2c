package store

import (
	"context"

	"github.com/jinzhu/gorm"

	"social-server/internal/hub"
)

// Heads returns the epoch and the revisions of users, read at one point in
// time. Users that do not exist are not in it.
func (s *Store) Heads(ctx context.Context, users []string) (epoch string, revisions map[string]uint64, err error) {
	revisions = make(map[string]uint64, len(users))
	err = s.inSnapshot(ctx, func(tx *gorm.DB) (err error) {
		if epoch, err = epochOf(tx); err != nil {
			return err
		}
		for _, user := range users {
			var rows []userRow
			if err := tx.Where("id = ?", user).Find(&rows).Error; err != nil {
				return err
			}
			for _, row := range rows {
				revisions[user] = uint64(row.Revision) // #nosec G115 -- revisions are never negative
			}
		}
		return nil
	})
	return epoch, revisions, err
}

// Standings says of each seat whether it still is one, in their order.
func (s *Store) Standings(ctx context.Context, seats []hub.Seat) ([]hub.Standing, error) {
	standings := make([]hub.Standing, len(seats))
	err := s.inSnapshot(ctx, func(tx *gorm.DB) (err error) {
		for i, seat := range seats {
			if standings[i], err = standing(tx, seat); err != nil {
				return err
			}
		}
		return nil
	})
	return standings, err
}

func standing(tx *gorm.DB, seat hub.Seat) (hub.Standing, error) {
	for _, check := range []struct {
		rows *gorm.DB
		lost hub.Standing
	}{
		{tx.Model(&deviceRow{}).Where("id = ? AND revoked_at IS NULL", seat.Device), hub.Revoked},
		{tx.Model(&loginRow{}).Where("id = ? AND device_id = ? AND ended_at IS NULL", seat.Login, seat.Device), hub.SignedOut},
		{tx.Model(&memberRow{}).Where("user_id = ? AND device_id = ?", seat.User, seat.Device), hub.NotMember},
	} {
		if there, err := exists(check.rows); err != nil || !there {
			return check.lost, err
		}
	}
	return hub.Good, nil
}
