package account

import (
	"context"
	"crypto/subtle"

	"social-server/internal/errs"
	"social-server/internal/protocol"
	"social-server/internal/text"
)

// Asks returns the asks that wait at a user, to a member.
func (s *Service) Asks(ctx context.Context, who Identity, username string) (waiting []Ask, err error) {
	err = s.Store.Atomically(ctx, func(ctx context.Context) error {
		user, err := s.Authorize(ctx, who, username)
		if err != nil {
			return err
		}
		if err := s.Store.ExpireAsks(ctx, s.now(), s.now().Add(-askDay)); err != nil {
			return err
		}
		waiting, err = s.Store.Asks(ctx, user.ID)
		return err
	})
	return waiting, err
}

// Approve lets the device of an ask join, if code is the number on its screen:
// whoever approves must have it before their eyes. Three wrong numbers end the
// ask. What does not wait any more is errs.NotFound, so of two approvals at
// once one wins.
func (s *Service) Approve(ctx context.Context, who Identity, username, askID, code string) error {
	var ask Ask
	var user User
	var wrong error
	joined := false
	err := s.Store.Atomically(ctx, func(ctx context.Context) (err error) {
		wrong, joined = nil, false
		if user, ask, err = s.waitingAsk(ctx, who, username, askID); err != nil {
			return err
		}
		if subtle.ConstantTimeCompare([]byte(text.Code(code)), []byte(ask.Code)) != 1 {
			wrong = errs.Field("code", "This is not the number on the other device.")
			return s.countWrong(ctx, who, user, &ask)
		}
		if joined, err = s.Store.Join(ctx, user.ID, ask.DeviceID, s.now(), s.MaxMembers); err != nil {
			return err
		}
		return s.storeApproval(ctx, who, user, ask)
	})
	if err != nil {
		return err
	}
	if wrong != nil {
		if ask.State == AskDenied {
			s.askEnded(ask)
		}
		return wrong
	}
	if joined {
		s.memberJoined(ctx, Identity{DeviceID: ask.DeviceID, DeviceName: ask.DeviceName, AccountID: ask.AccountID}, user)
	}
	return nil
}

// waitingAsk returns an ask that waits at a user the device has joined.
func (s *Service) waitingAsk(ctx context.Context, who Identity, username, askID string) (User, Ask, error) {
	user, err := s.Authorize(ctx, who, username)
	if err != nil {
		return User{}, Ask{}, err
	}
	ask, err := s.Store.Ask(ctx, askID)
	if err != nil {
		return User{}, Ask{}, missing(err, errNoAsk)
	}
	if ask.UserID != user.ID || ask.State != AskWaiting || !s.now().Before(ask.Expires) {
		return User{}, Ask{}, errNoAsk
	}
	return user, ask, nil
}

var errNoAsk = errs.New(errs.NotFound, "There is no such request any more.")

// countWrong notes a wrong number; the last one that is allowed ends the ask.
func (s *Service) countWrong(ctx context.Context, who Identity, user User, ask *Ask) error {
	ask.Wrong++
	if ask.Wrong >= askTries {
		ask.State = AskDenied
		if err := s.recordFor(ctx, who.did(EventDeny, about(ask.DeviceName, user.Username)+", wrong number"), user.AccountID); err != nil {
			return err
		}
	}
	return s.Store.AnswerAsk(ctx, ask.ID, ask.State, ask.Wrong)
}

// storeApproval answers an ask and writes the lines of who approved, and of the
// account that was let in.
func (s *Service) storeApproval(ctx context.Context, who Identity, user User, ask Ask) error {
	if err := s.Store.AnswerAsk(ctx, ask.ID, AskApproved, ask.Wrong); err != nil {
		return err
	}
	if err := s.recordFor(ctx, who.did(EventApprove, about(ask.DeviceName, user.Username)), user.AccountID); err != nil {
		return err
	}
	return s.record(ctx, Event{
		AccountID: ask.AccountID, Event: EventJoin, DeviceID: ask.DeviceID, DeviceName: ask.DeviceName, Detail: user.Username,
	})
}

// Deny answers an ask with no. With block the account that asked is heard of no
// more: it is not told, this ask just expires, and those to come as well.
func (s *Service) Deny(ctx context.Context, who Identity, username, askID string, block bool) error {
	var ended []Ask
	err := s.Store.Atomically(ctx, func(ctx context.Context) error {
		user, ask, err := s.waitingAsk(ctx, who, username, askID)
		if err != nil {
			return err
		}
		detail := about(ask.DeviceName, user.Username)
		if block {
			if ended, err = s.block(ctx, user, ask.AccountID); err != nil {
				return err
			}
			return s.recordFor(ctx, who.did(EventBlock, detail), user.AccountID)
		}
		ask.State = AskDenied
		ended = []Ask{ask}
		if err := s.Store.AnswerAsk(ctx, ask.ID, ask.State, ask.Wrong); err != nil {
			return err
		}
		return s.recordFor(ctx, who.did(EventDeny, detail), user.AccountID)
	})
	if err != nil {
		return err
	}
	for _, ask := range ended {
		s.askEnded(ask)
	}
	return nil
}

// block makes an account unheard of, and returns its asks that members see now.
func (s *Service) block(ctx context.Context, user User, accountID string) (ended []Ask, err error) {
	waiting, err := s.Store.Asks(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	for _, ask := range waiting {
		if ask.AccountID == accountID {
			ended = append(ended, ask)
		}
	}
	return ended, s.Store.Block(ctx, user.ID, accountID, s.now())
}

// askEnded shows the members that an ask is over.
func (s *Service) askEnded(ask Ask) {
	s.Live.AskEnded(ask.UserID, protocol.Device{ID: ask.DeviceID, Name: ask.DeviceName})
}

// about is the detail of an event about a device and a user.
func about(device, username string) string { return device + ", " + username }
