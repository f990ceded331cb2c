package faults

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
)

// Ledger is oracle O1's: every patch a device made and, flushed to the disk as
// it arrives, every answer it was given.
type Ledger struct {
	file *os.File

	mu      sync.Mutex // guards the following
	patches []*Patch
	err     error
}

// NewLedger starts a ledger in a file.
func NewLedger(path string) (*Ledger, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	return &Ledger{file: file}, err
}

// Made notes a patch before it is sent for the first time.
func (l *Ledger) Made(p *Patch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.patches = append(l.patches, p)
}

// line is one answer in the file.
type line struct {
	Device, ID, Code string
	Revision         uint64
	Values           map[string]string // key → SHA-256 of the value
}

// Answered writes an answer down before anybody acts on it.
func (l *Ledger) Answered(p *Patch) {
	hashes := make(map[string]string, len(p.Set))
	for key, text := range p.Set {
		sum := sha256.Sum256([]byte(text))
		hashes[key] = hex.EncodeToString(sum[:])
	}
	text, err := json.Marshal(line{p.Device, p.ID, p.Code, p.Revision, hashes})
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		_, err = l.file.Write(append(text, '\n'))
	}
	l.err = errors.Join(l.err, err, l.file.Sync())
}

// Close closes the file and reports whether anything could not be written down.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.err, l.file.Close())
}

// Patches returns every patch made so far.
func (l *Ledger) Patches() []*Patch {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*Patch(nil), l.patches...)
}

// Tally counts patches by what is known of them.
type Tally struct{ Acked, Refused, Unknown, Repeated int }

// Tally counts the patches. The clients must be closed.
func (l *Ledger) Tally() Tally {
	var t Tally
	for _, p := range l.Patches() {
		switch {
		case !p.Answered():
			t.Unknown++
		case p.Acked:
			t.Acked++
		default:
			t.Refused++
		}
		if p.Sends > 1 {
			t.Repeated++
		}
	}
	return t
}

// Check holds every patch against the database (O1): each acked one is in the
// history once, whole, at the revision it was told; a refused one is not; one
// without an answer is there once, whole, or not at all; and nothing is there
// that nobody sent.
func (l *Ledger) Check(u *UserRows) []string {
	var wrong []string
	stored := u.byPatch()
	for _, p := range l.Patches() {
		id := patchKey{p.Device, p.ID}
		rows := stored[id]
		delete(stored, id)
		wrong = append(wrong, checkPatch(p, rows)...)
	}
	for id, rows := range stored {
		wrong = append(wrong, fmt.Sprintf("phantom: %s of %s is stored at %d, nobody sent it", id.patch, id.device, rows[0].Revision))
	}
	return wrong
}

// checkPatch holds one patch against its rows in the history.
func checkPatch(p *Patch, rows []ChangeRow) (wrong []string) {
	say := func(format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("patch %s of %s: ", p.ID, p.Device)+fmt.Sprintf(format, args...))
	}
	acked := p.Answered() && p.Acked
	switch {
	case acked && len(rows) == 0:
		say("LOST: acked at %d, not stored", p.Revision)
		return wrong
	case p.Answered() && !p.Acked && len(rows) > 0:
		say("refused (%s), yet stored at %d", p.Code, rows[0].Revision)
		return wrong
	case len(rows) == 0:
		return nil
	}
	found := make(map[string]string)
	for _, row := range rows {
		if row.Revision != rows[0].Revision {
			say("DUPLICATE: stored at %d and at %d", rows[0].Revision, row.Revision)
		}
		if acked && row.Revision != p.Revision {
			say("acked at %d, stored at %d", p.Revision, row.Revision)
		}
		found[row.Key] = row.Value
	}
	if len(found) != len(p.Set) {
		say("TORN: %d of %d keys stored", len(found), len(p.Set))
	}
	for key, text := range p.Set {
		if found[key] != text {
			say("%s is %q, sent %q", key, found[key], text)
		}
	}
	return wrong
}

// Forget drops every patch but those given: a restore lost the others on purpose.
func (l *Ledger) Forget(but []*Patch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.patches = but
}
