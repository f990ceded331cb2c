package store

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jinzhu/gorm"

	"social-server/internal/hub"
)

// What a node asks about many users, devices or seats at once takes one query,
// whose argument is a JSON array of arrays: both databases can take those apart,
// and know ->> for an element.

// Heads returns the epoch, and the stored revision of each of the users that exist.
func (s *Store) Heads(ctx context.Context, users []string) (epoch string, revisions map[string]uint64, err error) {
	rows := make([][1]string, len(users))
	for i, user := range users {
		rows[i][0] = user
	}
	err = s.onElements(ctx, s.read, rows, func(db *gorm.DB, elements string) error {
		found, err := db.Raw("SELECT e.epoch, u.id, u.revision FROM epoch e LEFT JOIN users u"+
			" ON u.id IN (SELECT value ->> 0 FROM "+s.dialect.elements+" AS asked)", elements).Rows()
		if err != nil {
			return err
		}
		defer found.Close()
		revisions = make(map[string]uint64, len(users))
		for found.Next() {
			var user *string
			var revision *uint64
			if err := found.Scan(&epoch, &user, &revision); err != nil {
				return err
			}
			if user != nil {
				revisions[*user] = *revision
			}
		}
		return found.Err()
	})
	return epoch, revisions, err
}

// sqlStandings is the standing of each seat, in the order they were asked for.
const sqlStandings = "SELECT CASE WHEN d.id IS NULL OR d.revoked_at IS NOT NULL THEN 3" +
	" WHEN l.id IS NULL OR l.ended_at IS NOT NULL THEN 2 WHEN m.user_id IS NULL THEN 1 ELSE 0 END" +
	" FROM (SELECT CAST(value ->> 0 AS integer) AS nth, value ->> 1 AS user_id, value ->> 2 AS device_id, value ->> 3 AS login_id FROM "

const sqlStandingsOf = " AS asked) AS seats LEFT JOIN devices d ON d.id = seats.device_id" +
	" LEFT JOIN logins l ON l.id = seats.login_id AND l.device_id = seats.device_id" +
	" LEFT JOIN members m ON m.user_id = seats.user_id AND m.device_id = seats.device_id ORDER BY nth"

// Standings returns whether each seat still is one, in their order.
func (s *Store) Standings(ctx context.Context, seats []hub.Seat) ([]hub.Standing, error) {
	rows := make([][4]any, len(seats))
	for i, seat := range seats {
		rows[i] = [4]any{i, seat.User, seat.Device, seat.Login}
	}
	var standings []hub.Standing
	err := s.onElements(ctx, s.read, rows, func(db *gorm.DB, elements string) error {
		found, err := db.Raw(sqlStandings+s.dialect.elements+sqlStandingsOf, elements).Rows()
		if err != nil {
			return err
		}
		defer found.Close()
		standings = make([]hub.Standing, 0, len(seats))
		for found.Next() {
			var standing hub.Standing
			if err := found.Scan(&standing); err != nil {
				return err
			}
			standings = append(standings, standing)
		}
		return found.Err()
	})
	return standings, err
}

// TouchDevices sets when devices were last seen. A time never moves back. Rows
// are locked in the order of their ids: several nodes may do this at once.
func (s *Store) TouchDevices(ctx context.Context, seen map[string]time.Time) error {
	rows := make([][2]string, 0, len(seen))
	for device, at := range seen {
		rows = append(rows, [2]string{device, formatInstant(at)})
	}
	return s.onElements(ctx, s.write, rows, func(db *gorm.DB, elements string) error {
		return db.Exec("UPDATE devices SET last_seen = seen.at FROM"+
			" (SELECT d.id, asked.value ->> 1 AS at FROM "+s.dialect.elements+" AS asked JOIN devices d ON d.id = asked.value ->> 0"+
			" AND d.last_seen < asked.value ->> 1 ORDER BY d.id"+s.dialect.locked+") AS seen"+
			" WHERE devices.id = seen.id AND devices.last_seen < seen.at", elements).Error
	})
}

// onElements runs a statement about the elements of an array.
func (s *Store) onElements(ctx context.Context, db runner, rows any, work func(db *gorm.DB, elements string) error) error {
	elements, err := json.Marshal(rows)
	if err != nil {
		return translate(err)
	}
	return s.alone(ctx, db, func(db *gorm.DB) error { return work(db, string(elements)) })
}
