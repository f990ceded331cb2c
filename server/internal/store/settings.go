package store

import (
	"context"
	"time"

	"github.com/jinzhu/gorm"

	"social-server/internal/errs"
	"social-server/internal/hub"
	"social-server/internal/settings"
)

var (
	_ settings.Store = (*Store)(nil)
	_ hub.Source     = (*Store)(nil)
)

// stampLayout is how times are kept: RFC 3339, UTC, milliseconds.
const stampLayout = "2006-01-02T15:04:05.000Z"

// stamper writes times as they are kept. Those of a group are all the same: with
// encodeAnswer it saves 1.5 µs of the 22 that a patch takes on a RAM disk.
type stamper struct {
	at   time.Time
	text string
}

func (s *stamper) stamp(at time.Time) string {
	if s.text == "" || !s.at.Equal(at) {
		s.at, s.text = at, at.UTC().Format(stampLayout)
	}
	return s.text
}

// Changed returns a user's head and its entries above a revision, both read at
// one point in time. An unknown user is errs.NotFound.
func (s *Store) Changed(ctx context.Context, user string, above uint64) (settings.Head, []settings.Entry, error) {
	var head settings.Head
	var entries []settings.Entry
	err := s.inSnapshot(ctx, func(tx *gorm.DB) (err error) {
		if head.Epoch, err = epochOf(tx); err != nil {
			return err
		}
		err = tx.Raw(sqlHead, user).Row().Scan(&head.Revision, &head.Keys, &head.Bytes)
		if err != nil || head.Revision <= above {
			return err
		}
		entries, err = entriesAbove(tx, user, above)
		return err
	})
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
		at, err := time.Parse(stampLayout, r.At)
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
	var rows []struct{ ID, Name, LastSeen string }
	err := s.inSnapshot(ctx, func(tx *gorm.DB) error {
		return tx.Raw("SELECT d.id, d.name, d.last_seen FROM members m JOIN devices d ON d.id = m.device_id"+
			" WHERE m.user_id = ? AND d.revoked_at IS NULL ORDER BY m.joined_at, d.id", user).Scan(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	members := make([]hub.Member, len(rows))
	for i, r := range rows {
		seen, err := time.Parse(stampLayout, r.LastSeen)
		if err != nil {
			return nil, errs.Wrap(err)
		}
		members[i] = hub.Member{ID: r.ID, Name: r.Name, LastSeen: seen}
	}
	return members, nil
}
