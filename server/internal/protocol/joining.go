package protocol

import "time"

// Ask is the wish of a device of another account to join a user.
type Ask struct {
	ID      string
	Email   string // without its domain: "anna@…"
	Expires time.Time
}

// Asks tells members of a device that asks to join (SPEC L4).
func Asks(d Device, a Ask) *Frame {
	type ask struct {
		ID      string `json:"id"`
		Email   string `json:"email"`
		Expires string `json:"expires"`
	}
	return marshal("device", struct {
		Type   string `json:"type"`
		Event  string `json:"event"`
		Device Device `json:"device"`
		Ask    ask    `json:"ask"`
	}{"device", "asks", d, ask{a.ID, a.Email, FormatTime(a.Expires)}})
}

// Notice is an event of an account that its other devices hear of at once.
type Notice struct {
	Event   string // a word of the audit log
	Device  Device // whose doing it was
	Address string
	Detail  string
	At      time.Time
}

// Encode returns the notice frame (SPEC L5).
func (n Notice) Encode() *Frame {
	return marshal("notice", struct {
		Type    string `json:"type"`
		Event   string `json:"event"`
		Device  Device `json:"device"`
		Address string `json:"address"`
		Detail  string `json:"detail"`
		At      string `json:"at"`
	}{"notice", n.Event, n.Device, n.Address, n.Detail, FormatTime(n.At)})
}
