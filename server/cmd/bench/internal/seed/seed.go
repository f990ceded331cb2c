// Package seed fills a data folder as people would have: accounts, devices,
// users and log-ins are made by the product's own code, so that the server
// checks real tokens against real rows. Only the password hash is a cheap one.
package seed

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"social-server/internal/account"
	"social-server/internal/store"
)

// Database is the name of the database file in a data folder.
const Database = "social.db"

// password is that of every account.
const password = "kettle-maple-orbit-72"

// Group is users of one kind: so many, with so many devices each.
type Group struct {
	Name           string
	Users, Devices int
}

// User is a user and its devices.
type User struct {
	Name    string
	Devices []Device
}

// Device is a device that is logged in.
type Device struct {
	Name  string
	Token string
}

// Secret returns a new signing key.
func Secret() string { return rand.Text() + rand.Text() }

// Fill makes the users of some groups in a new database in dir, whose tokens
// are signed with secret and are good for a day.
func Fill(ctx context.Context, dir, secret string, groups ...Group) (users map[string][]User, err error) {
	s, err := store.Open(ctx, filepath.Join(dir, Database))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	most := 0
	for _, g := range groups {
		most = max(most, g.Devices)
	}
	accounts, err := account.New(account.Config{
		Store: s, Secrets: [][]byte{[]byte(secret)}, Log: slog.New(slog.DiscardHandler),
		HashCost: account.HashCost{Memory: 8, Passes: 1, Threads: 1}, AccessLife: 24 * time.Hour,
		MaxDevices: most, MaxMembers: most,
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, accounts.Close()) }()
	users = make(map[string][]User)
	for _, g := range groups {
		for n := range g.Users {
			// One transaction for each user: a flush for each row would take minutes.
			err := s.Atomically(ctx, func(ctx context.Context) error {
				u, err := fill(ctx, accounts, fmt.Sprintf("%s-%d", g.Name, n), g.Devices)
				users[g.Name] = append(users[g.Name], u)
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("seed %s: %w", g.Name, err)
			}
		}
	}
	return users, nil
}

// fill makes one account, its devices, and the user they join.
func fill(ctx context.Context, accounts *account.Service, name string, devices int) (User, error) {
	u := User{Name: name}
	for n := range devices {
		device := fmt.Sprintf("%s.%d", name, n)
		_, err := accounts.Register(ctx, account.NewDevice{
			Name: device, Email: name + "@example.org", Password: password, Platform: "benchmark",
		})
		if err != nil {
			return u, err
		}
		grant, err := accounts.Login(ctx, device, password, "benchmark")
		if err != nil {
			return u, err
		}
		who, err := accounts.Authenticate(ctx, grant.AccessToken)
		if err != nil {
			return u, err
		}
		if n == 0 {
			_, err = accounts.Connect(ctx, who, name)
		} else {
			_, err = accounts.Join(ctx, who, name)
		}
		if err != nil {
			return u, err
		}
		u.Devices = append(u.Devices, Device{Name: device, Token: grant.AccessToken})
	}
	return u, nil
}
