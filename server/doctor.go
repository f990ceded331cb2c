package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"social-server/internal/account"
	"social-server/internal/cluster"
	"social-server/internal/config"
	"social-server/internal/doctor"
	"social-server/internal/errs"
	"social-server/internal/store"
)

// doctorsEmail is of the account that the doctor comes with. It is always the
// same, so that one a killed doctor left behind is found.
const doctorsEmail = "doctor@social-server.invalid"

// practice is what the doctor's checks share.
type practice struct {
	cfg  config.Config
	keys []config.Secret

	db       *store.Store // nil until it was opened
	accounts *account.Service
	guest    account.Identity // whose account is to go again; none if it has no id
}

// diagnose looks at everything a server of this configuration stands on, and at
// the address where devices reach it: its own if url is empty.
func diagnose(ctx context.Context, cfg config.Config, url string, out io.Writer) error {
	config.Privately()
	own, public, err := ways(cfg, url)
	if err != nil {
		return err
	}
	defer own.Close()
	defer public.Close()
	return examine(ctx, cfg, own, public, out)
}

// examine runs every check.
func examine(ctx context.Context, cfg config.Config, own, public *doctor.Address, out io.Writer) (err error) {
	p := &practice{cfg: cfg}
	defer func() { err = errors.Join(err, p.close(ctx)) }()
	visit := &doctor.Visit{Public: public, Own: own, Trusted: cfg.TrustedProxies, Arrive: p.arrive, Depart: p.depart}
	checks := []doctor.Check{
		{Name: "configuration", Run: p.configuration},
		{Name: "data folder", Run: p.dataFolder},
		{Name: "database", Run: p.database},
		{Name: "database clock", Run: p.databaseClock},
		{Name: "Redis", Run: p.redis},
	}
	return doctor.Examine(ctx, append(checks, visit.Checks()...), out)
}

// ways returns the way to the server itself and the one that devices take.
func ways(cfg config.Config, url string) (own, public *doctor.Address, err error) {
	here, err := ownTLS(cfg)
	if err != nil {
		return nil, nil, err
	}
	if own, err = doctor.NewAddress(ownURL(cfg), here); err != nil {
		return nil, nil, fmt.Errorf("LISTEN_ADDR: %w", err)
	}
	if url == "" || strings.TrimSuffix(url, "/") == own.URL {
		return own, own, nil
	}
	there, err := publicTLS(cfg)
	if err != nil {
		return nil, nil, err
	}
	if public, err = doctor.NewAddress(url, there); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", url, err)
	}
	return own, public, nil
}

// publicTLS trusts whom this machine trusts, and the server's own certificate
// for the names it is for.
func publicTLS(cfg config.Config) (*tls.Config, error) {
	if !cfg.TLS() {
		return nil, nil //nolint:nilnil // the default
	}
	pair, err := cfg.Certificate()
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	roots.AddCert(pair.Leaf)
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}

// configuration asks for what is read when a server starts.
func (p *practice) configuration(context.Context) doctor.Finding {
	keys, err := p.cfg.SigningKeys()
	if err != nil {
		return doctor.Bad("%v", err)
	}
	if _, err := readSchema(p.cfg.SettingsSchema); err != nil {
		return doctor.Bad("%v", err)
	}
	p.keys = keys
	nodes := "one node"
	if p.cfg.SeveralNodes() {
		nodes = "several nodes"
	}
	return doctor.Good("%s, registration %s", nodes, p.cfg.Accounts.Registration)
}

// dataFolder asks whether data can be written, by us alone.
func (p *practice) dataFolder(context.Context) doctor.Finding {
	if p.cfg.Postgres() {
		return doctor.Good("not needed: all of it is in PostgreSQL")
	}
	if _, err := os.Stat(p.cfg.DataDir); err != nil {
		return doctor.Bad("DATA_DIR: there is no %s yet: start the server once", p.cfg.DataDir)
	}
	if err := p.cfg.PrepareDataDir(); err != nil {
		return doctor.Bad("%v", err)
	}
	return doctor.Good("%s can be written to, and by nobody else", p.cfg.DataDir)
}

// slowRead is longer than a read takes that nothing is wrong with.
const slowRead = 50 * time.Millisecond

// database opens the database and reads once.
func (p *practice) database(ctx context.Context) doctor.Finding {
	db, err := openBeside(ctx, p.cfg)
	if err != nil {
		return doctor.Bad("%v", err)
	}
	p.db = db
	condition, err := db.Condition(ctx)
	if err != nil {
		return doctor.Bad("%s: %v", databaseVariable(p.cfg), err)
	}
	began := time.Now()
	if err := db.Ping(ctx); err != nil {
		return doctor.Bad("%s: it cannot be read: %v", databaseVariable(p.cfg), err)
	}
	took := time.Since(began).Round(10 * time.Microsecond)
	if took > slowRead {
		return doctor.Doubtful("%s (%s), but a read takes %v: is it far away, or busy?", condition.Engine, condition.Durable, took)
	}
	return doctor.Good("%s (%s), a read takes %v", condition.Engine, condition.Durable, took)
}

// databaseClock compares the database's clock with ours, if it has its own.
func (p *practice) databaseClock(ctx context.Context) doctor.Finding {
	if p.db == nil {
		return doctor.Finding{Level: doctor.Passed, Text: "the database cannot be opened"}
	}
	condition, err := p.db.Condition(ctx)
	switch {
	case err != nil:
		return doctor.Bad("%s: %v", databaseVariable(p.cfg), err)
	case condition.Clock.IsZero():
		return doctor.Good("SQLite goes by this machine's")
	}
	return doctor.Drift(time.Since(condition.Clock), "the database's")
}

// redis asks whether messages get through.
func (p *practice) redis(ctx context.Context) doctor.Finding {
	if !p.cfg.SeveralNodes() {
		return doctor.Good("not needed: REDIS_URL is empty, so this is the only node")
	}
	answered, relayed, err := cluster.Probe(ctx, p.cfg.RedisURL.Reveal())
	if err != nil {
		return doctor.Bad("REDIS_URL: %v; changes reach other nodes late", err)
	}
	return doctor.Good("it answers in %v and relays in %v", answered.Round(10*time.Microsecond), relayed.Round(10*time.Microsecond))
}

// arrive makes an account with a device and a user, whatever REGISTRATION says:
// whoever may run this may do so.
func (p *practice) arrive(ctx context.Context) (guest doctor.Guest, err error) {
	if p.db == nil || p.keys == nil {
		return guest, errors.New("that takes the database and the signing key")
	}
	p.accounts, err = account.New(account.Config{
		Store: p.db, Secrets: signingKeys(p.keys), Log: slog.New(slog.DiscardHandler), Registration: account.Open,
	})
	if err != nil {
		return guest, err
	}
	if left, err := p.db.AccountByEmail(ctx, doctorsEmail); err == nil {
		if _, err := p.db.DeleteAccount(ctx, left.ID); err != nil {
			return guest, err
		}
	} else if !errs.Is(err, errs.NotFound) {
		return guest, err
	}
	name := "doctor-" + strings.ToLower(rand.Text()[:12])
	guest = doctor.Guest{Device: name, Username: name, Password: rand.Text()}
	device, err := p.accounts.Register(ctx, account.NewDevice{Name: name, Email: doctorsEmail, Password: guest.Password, Platform: "doctor"})
	if err != nil {
		return guest, err
	}
	p.guest = account.Identity{DeviceID: device.ID, DeviceName: name, AccountID: device.AccountID}
	_, err = p.accounts.Connect(ctx, p.guest, name)
	return guest, err
}

// depart removes the guest's account, also after an interruption.
func (p *practice) depart(ctx context.Context) error {
	if p.guest.AccountID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := p.accounts.DeleteAccount(ctx, p.guest)
	if err == nil {
		p.guest = account.Identity{}
	}
	return err
}

// close gives back what the checks opened.
func (p *practice) close(ctx context.Context) error {
	err := p.depart(ctx)
	if p.accounts != nil {
		err = errors.Join(err, p.accounts.Close())
	}
	if p.db != nil {
		err = errors.Join(err, p.db.Close())
	}
	return err
}
