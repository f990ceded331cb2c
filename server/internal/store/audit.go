package store

import (
	"context"
	"math"
	"time"

	"github.com/jinzhu/gorm"

	"social-server/internal/account"
)

// auditRow is a row of audit.
type auditRow struct {
	Number     int64 `gorm:"primary_key"`
	AccountID  string
	Event      string
	DeviceID   string
	DeviceName string
	Address    string
	Detail     string
	At         instant
}

// TableName names the table to gorm.
func (auditRow) TableName() string { return "audit" }

func (r auditRow) event() account.Event {
	return account.Event{
		Number: r.Number, AccountID: r.AccountID, Event: r.Event, DeviceID: r.DeviceID, DeviceName: r.DeviceName,
		Address: r.Address, Detail: r.Detail, At: r.At.Time,
	}
}

// Record adds a line to an account's log, and forgets what is from before
// oldest in any log, and of this log and kind all but the newest keep.
func (s *Store) Record(ctx context.Context, e account.Event, oldest time.Time, keep int) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		row := auditRow{
			AccountID: e.AccountID, Event: e.Event, DeviceID: e.DeviceID, DeviceName: e.DeviceName,
			Address: e.Address, Detail: e.Detail, At: instant{e.At},
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		var beyond []int64
		err := tx.Model(&auditRow{}).Where("account_id = ? AND event = ?", e.AccountID, e.Event).
			Order("number DESC").Offset(keep).Limit(1).Pluck("number", &beyond).Error
		if err != nil {
			return err
		}
		if len(beyond) > 0 {
			if err := tx.Where("account_id = ? AND event = ? AND number <= ?", e.AccountID, e.Event, beyond[0]).
				Delete(&auditRow{}).Error; err != nil {
				return err
			}
		}
		return tx.Where("at < ?", instant{oldest}).Delete(&auditRow{}).Error
	})
}

// Events returns lines of an account's log that have a lower number than before
// and are not older than oldest, newest first; event "" is any, and so is
// before 0.
func (s *Store) Events(ctx context.Context, accountID, event string, before int64, oldest time.Time, limit int) ([]account.Event, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	var rows []auditRow
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		log := tx.Where("account_id = ? AND number < ?", accountID, before)
		if !oldest.IsZero() {
			log = log.Where("at >= ?", instant{oldest})
		}
		if event != "" {
			log = log.Where("event = ?", event)
		}
		return log.Order("number DESC").Limit(limit).Find(&rows).Error
	})
	events := make([]account.Event, len(rows))
	for i, row := range rows {
		events[i] = row.event()
	}
	return events, err
}
