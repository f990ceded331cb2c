package store

import (
	"context"

	"github.com/jinzhu/gorm"

	"social-server/internal/account"
)

// DeleteAccount removes an account with its devices, log-ins, log, users and
// their settings and history: all of them hang on the account's row. What its
// devices changed in users of other accounts stays, under their bare ids. It
// returns whose sessions are to end.
func (s *Store) DeleteAccount(ctx context.Context, accountID string) (gone account.Gone, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		var rows []struct{ UserID, DeviceID, Owner string }
		err := tx.Raw("SELECT m.user_id, m.device_id, d.account_id AS owner FROM members m"+
			" JOIN devices d ON d.id = m.device_id JOIN users u ON u.id = m.user_id"+
			" WHERE d.account_id = ? OR u.account_id = ?", accountID, accountID).Scan(&rows).Error
		if err != nil {
			return err
		}
		gone = account.Gone{Devices: map[string][]string{}, Guests: map[string][]string{}}
		for _, r := range rows {
			if r.Owner == accountID {
				gone.Devices[r.DeviceID] = append(gone.Devices[r.DeviceID], r.UserID)
			} else {
				gone.Guests[r.UserID] = append(gone.Guests[r.UserID], r.DeviceID)
			}
		}
		return tx.Exec("DELETE FROM accounts WHERE id = ?", accountID).Error
	})
	return gone, err
}
