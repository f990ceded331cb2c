package store

import (
	"time"

	"github.com/go-json-experiment/json"

	"social-server/internal/settings"
)

// answerRow is how an answer is kept in patches.answer. Names are short: there
// is one row per patch of the last 30 days. Values are strings of JSON text, so
// that they come back byte for byte.
type answerRow struct {
	Revision  uint64     `json:"r,omitzero"`
	Overwrote []entryRow `json:"o,omitempty"`
	Conflict  []entryRow `json:"c,omitempty"`
}

type entryRow struct {
	Block    string    `json:"b"`
	Key      string    `json:"k"`
	Text     string    `json:"v"`
	Revision uint64    `json:"r"`
	Device   string    `json:"d"`
	At       time.Time `json:"t"`
}

// encodeAnswer returns an answer as it is stored.
func encodeAnswer(a settings.Answer) (string, error) {
	text, err := json.Marshal(answerRow{a.Revision, entryRows(a.Overwrote), entryRows(a.Conflict)})
	return string(text), err
}

func decodeAnswer(text string) (settings.Answer, error) {
	var row answerRow
	err := json.Unmarshal([]byte(text), &row)
	return settings.Answer{Revision: row.Revision, Overwrote: entries(row.Overwrote), Conflict: entries(row.Conflict)}, err
}

func entryRows(list []settings.Entry) []entryRow {
	var rows []entryRow
	for _, e := range list {
		rows = append(rows, entryRow{e.Block, e.Name, e.Text, e.Revision, e.Device, e.At})
	}
	return rows
}

func entries(rows []entryRow) []settings.Entry {
	var list []settings.Entry
	for _, r := range rows {
		list = append(list, settings.Entry{
			Key:   settings.Key{Block: r.Block, Name: r.Key},
			Value: settings.Value{Text: r.Text, Revision: r.Revision, Device: r.Device, At: r.At},
		})
	}
	return list
}
