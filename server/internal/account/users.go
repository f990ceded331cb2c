package account

import (
	"context"
	"slices"
	"time"

	"social-server/internal/errs"
	"social-server/internal/text"
)

// Connect makes a user, with the device that asks as its first member.
func (s *Service) Connect(ctx context.Context, who Identity, username string) (User, error) {
	username, err := text.Username(username)
	if err != nil {
		return User{}, err
	}
	id, err := randomID(s.Random, "u_")
	if err != nil {
		return User{}, err
	}
	user := User{ID: id, AccountID: who.AccountID, Username: username, CreatedAt: s.now(), Joined: true}
	err = s.Store.Atomically(ctx, func(ctx context.Context) error {
		if err := s.Store.CreateUser(ctx, user, who.DeviceID, s.MaxUsers); err != nil {
			return naming(err)
		}
		return s.record(ctx, who.did(EventJoin, username))
	})
	if err != nil {
		return User{}, err
	}
	s.memberJoined(ctx, who, user)
	return user, nil
}

// Users returns the users the device has joined or may join: those of its account.
func (s *Service) Users(ctx context.Context, who Identity) ([]User, error) {
	all, err := s.Store.Users(ctx, who.AccountID, who.DeviceID)
	for i, sessions := range s.online(ctx, all...) {
		all[i].Online = connected(sessions)
	}
	return all, err
}

// Join makes the device a member of a user of its account; a member stays one.
func (s *Service) Join(ctx context.Context, who Identity, username string) (User, error) {
	user, err := s.user(ctx, who, username)
	if err != nil {
		return User{}, err
	}
	joined := false
	err = s.Store.Atomically(ctx, func(ctx context.Context) (err error) {
		if joined, err = s.Store.Join(ctx, user.ID, who.DeviceID, s.now(), s.MaxMembers); err != nil || !joined {
			return missing(err, errNoUser)
		}
		return s.recordFor(ctx, who.did(EventJoin, user.Username), user.AccountID)
	})
	if err != nil {
		return User{}, err
	}
	if joined {
		s.memberJoined(ctx, who, user)
	}
	user.Joined, user.Online = true, connected(s.online(ctx, user)[0])
	return user, nil
}

// Leave ends the device's membership, if there is one. The user and its
// settings stay.
func (s *Service) Leave(ctx context.Context, who Identity, username string) error {
	user, err := s.user(ctx, who, username)
	if err != nil {
		return err
	}
	left := false
	err = s.Store.Atomically(ctx, func(ctx context.Context) (err error) {
		if left, err = s.Store.Leave(ctx, user.ID, who.DeviceID); err != nil || !left {
			return err
		}
		return s.recordFor(ctx, who.did(EventLeave, user.Username), user.AccountID)
	})
	if err != nil {
		return err
	}
	if left {
		s.Live.MemberLeft(user.ID, who.DeviceID)
	}
	return nil
}

// Remove ends the membership of another device. Owners, the devices of the
// user's account, may remove any; everyone else only themselves.
func (s *Service) Remove(ctx context.Context, who Identity, username, deviceID string) error {
	if deviceID == who.DeviceID {
		return s.Leave(ctx, who, username)
	}
	var user User
	err := s.Store.Atomically(ctx, func(ctx context.Context) (err error) {
		if user, err = s.user(ctx, who, username); err != nil {
			return err
		}
		if user.AccountID != who.AccountID {
			return errs.New(errs.Forbidden, "Only devices of the account that made this user may do that.")
		}
		members, err := s.Store.Members(ctx, user.ID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(members, func(m Member) bool { return m.ID == deviceID })
		if i < 0 {
			return errNoDevice
		}
		if _, err := s.Store.Leave(ctx, user.ID, deviceID); err != nil {
			return err
		}
		return s.record(ctx, who.did(EventRemove, about(members[i].Name, user.Username)))
	})
	if err == nil {
		s.Live.MemberLeft(user.ID, deviceID)
	}
	return err
}

// memberJoined tells the members of a user, and the devices of its account,
// that a device has joined.
func (s *Service) memberJoined(ctx context.Context, who Identity, user User) {
	s.Live.MemberJoined(user.ID, who.DeviceID, who.DeviceName)
	e := who.did(EventJoin, user.Username)
	e.AccountID = user.AccountID
	s.notify(ctx, e)
}

// Authorize returns the user of a name if the device has joined it. Anything
// else is errs.NotFound: no such user, another account's, not joined.
func (s *Service) Authorize(ctx context.Context, who Identity, username string) (User, error) {
	user, err := s.user(ctx, who, username)
	if err == nil && !user.Joined {
		return User{}, errNoUser
	}
	return user, err
}

// Members returns the devices that joined a user, to one of them.
func (s *Service) Members(ctx context.Context, who Identity, username string) ([]Member, error) {
	user, err := s.Authorize(ctx, who, username)
	if err != nil {
		return nil, err
	}
	members, err := s.Store.Members(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	sessions := s.online(ctx, user)[0]
	for i := range members {
		members[i].Sessions = sessions[members[i].ID]
	}
	return members, nil
}

// user returns a user the device has joined or may join.
func (s *Service) user(ctx context.Context, who Identity, username string) (User, error) {
	user, err := s.Store.User(ctx, who.AccountID, who.DeviceID, username)
	return user, missing(err, errNoUser)
}

// onlineWithin is how long an answer waits to say who is online on other nodes.
const onlineWithin = 250 * time.Millisecond

// online returns, for each user, how many sessions each connected device has.
func (s *Service) online(ctx context.Context, users ...User) []map[string]int {
	ctx, cancel := context.WithTimeout(ctx, onlineWithin)
	defer cancel()
	ids := make([]string, len(users))
	for i, user := range users {
		ids[i] = user.ID
	}
	return s.Live.Online(ctx, ids...)
}

// connected counts the devices that have a session.
func connected(sessions map[string]int) (devices int) {
	for _, n := range sessions {
		if n > 0 {
			devices++
		}
	}
	return devices
}
