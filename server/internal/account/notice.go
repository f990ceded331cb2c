package account

import (
	"context"
	"net/netip"

	"social-server/internal/protocol"
)

// notify shows an event at once to the devices of its account that are
// connected (SPEC L5), so that a person can say "not me" and revoke. It is
// called when the event is durable.
func (s *Service) notify(ctx context.Context, e Event) {
	s.Live.Noticed(e.AccountID, protocol.Notice{
		Event:  e.Event,
		Device: protocol.Device{ID: e.DeviceID, Name: e.DeviceName},
		At:     s.now(), Address: addressOf(ctx), Detail: e.Detail,
	})
}

// newPlace reports whether an account has never registered or logged in from
// this network on this platform, as far as its audit log goes back. It must be
// asked before the event is recorded.
func (s *Service) newPlace(ctx context.Context, accountID, platform string) (bool, error) {
	here := networkOf(addressOf(ctx))
	for _, event := range []string{EventLogin, EventRegister} {
		before, err := s.Store.Events(ctx, accountID, event, 0, s.now().Add(-auditKept), auditOfKind)
		if err != nil {
			return false, err
		}
		for _, e := range before {
			if e.Detail == platform && networkOf(e.Address) == here {
				return false, nil
			}
		}
	}
	return true, nil
}

// networkOf returns the network of an address: of IPv4 the /24, since providers
// hand out neighbours. An IPv6 network comes as one.
func networkOf(address string) string {
	parsed, err := netip.ParseAddr(address)
	if err != nil || !parsed.Is4() {
		return address
	}
	network, err := parsed.Prefix(24)
	if err != nil {
		return address
	}
	return network.String()
}
