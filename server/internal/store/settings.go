package store

import (
	"context"
	"database/sql"

	"github.com/jinzhu/gorm"

	"social-server/internal/errs"
	"social-server/internal/hub"
	"social-server/internal/settings"
)

var (
	_ settings.Store = (*Store)(nil)
	_ hub.Source     = (*Store)(nil)
)

// Changed returns a user's head and its entries above a revision, both read at
// one point in time. An unknown user is errs.NotFound.
func (s *Store) Changed(ctx context.Context, user string, above uint64) (settings.Head, []settings.Entry, error) {
	var head settings.Head
	var entries []settings.Entry
	err := s.ask(ctx, &s.reads.changed, func(row *sql.Rows, first bool) error {
		var block, key, value, device *string // NULL in the one row of a user with nothing above
		var revision *uint64
		var at instant
		if first {
			entries = nil
		}
		err := row.Scan(&head.Epoch, &head.Revision, &head.Keys, &head.Bytes, &block, &key, &value, &revision, &device, &at)
		if err == nil && block != nil {
			entries = append(entries, settings.Entry{
				Key:   settings.Key{Block: *block, Name: *key},
				Value: settings.Value{Text: *value, Revision: *revision, Device: *device, At: at.Time},
			})
		}
		return err
	}, above, user)
	return head, entries, err
}

// entriesAbove reads the current values of a user set after a revision, in the
// order they were set.
func entriesAbove(tx *gorm.DB, user string, above uint64) ([]settings.Entry, error) {
	var rows []struct {
		Block, Key, Value, DeviceID, At string
		Revision                        uint64
	}
	err := tx.Raw("SELECT block, key, value, revision, device_id, at FROM settings"+
		" WHERE user_id = ? AND revision > ? ORDER BY revision, block, key", user, above).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	entries := make([]settings.Entry, len(rows))
	for i, r := range rows {
		at, err := parseInstant(r.At)
		if err != nil {
			return nil, err
		}
		entries[i] = settings.Entry{
			Key:   settings.Key{Block: r.Block, Name: r.Key},
			Value: settings.Value{Text: r.Value, Revision: r.Revision, Device: r.DeviceID, At: at},
		}
	}
	return entries, nil
}

// HubMembers returns the devices that have joined a user and are not revoked,
// in the order they joined.
func (s *Store) HubMembers(ctx context.Context, user string) ([]hub.Member, error) {
	var members []hub.Member
	err := s.ask(ctx, &s.reads.members, func(row *sql.Rows, first bool) error {
		var m hub.Member
		var seen instant
		if first {
			members = nil
		}
		err := row.Scan(&m.ID, &m.Name, &seen)
		m.LastSeen = seen.Time
		members = append(members, m)
		return err
	}, user)
	if errs.Is(err, errs.NotFound) {
		return nil, nil
	}
	return members, err
}
