package hub

// Seat is what a session's right to be connected rests on: ids of its user,
// its device, and the log-in its token came from.
type Seat struct{ User, Device, Login string }

// Standing says whether a seat still is one, as the store has it.
type Standing int

// The standings. Where several hold, the last one counts.
const (
	Good      Standing = iota
	NotMember          // the device has left the user, or there is no such user
	SignedOut          // the log-in has ended
	Revoked            // the device was locked out, or is no more
)
