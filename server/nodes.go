package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"social-server/internal/api"
	"social-server/internal/cluster"
	"social-server/internal/config"
	"social-server/internal/settings"
	"social-server/internal/store"
)

// databaseFile is the SQLite database in DATA_DIR.
const databaseFile = "social.db"

// prepareData makes the folder of the data, unless all of it is elsewhere.
func (p *program) prepareData() (err error) {
	if p.cfg.Postgres() {
		p.data = database(p.cfg)
		return nil
	}
	if err := p.cfg.PrepareDataDir(); err != nil {
		return err
	}
	p.data, err = filepath.Abs(p.cfg.DataDir)
	return err
}

// database is where a PostgreSQL database is, for people.
func database(cfg config.Config) string {
	u, err := url.Parse(cfg.DatabaseURL.Reveal())
	if err != nil {
		return "PostgreSQL" // it was parsed before; whatever it is, it may hold a password
	}
	return "the PostgreSQL database " + u.Host + u.Path
}

// openStore opens the database and starts what keeps it small.
func (p *program) openStore(ctx context.Context) (err error) {
	if p.cfg.Postgres() {
		p.store, err = store.OpenPostgres(ctx, p.cfg.DatabaseURL.Reveal(), p.cfg.DatabaseConnections)
	} else {
		p.store, err = store.Open(ctx, filepath.Join(p.data, databaseFile))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", databaseVariable(p.cfg), err)
	}
	p.store.OnFilesGone(p.filesGone)
	if p.store.Unchecked() {
		p.store.CheckRest(p.checked)
	}
	p.janitor = settings.NewJanitor(p.store, p.keep(), settings.Gently, p.log, time.Now)
	return nil
}

// keep says how long what happened is remembered.
func (p *program) keep() settings.Keep {
	return settings.Keep{
		Answers: p.cfg.Timing.AnswersKeep, History: p.cfg.Timing.HistoryKeep, Records: p.cfg.Limits.HistoryPerUser,
	}
}

// checked hears the end of a check that went on beside the server: damage ends
// it as it would have ended the start (SPEC B3).
func (p *program) checked(err error) {
	var damage *store.Damaged
	switch {
	case errors.As(err, &damage):
		p.failed <- fmt.Errorf("%s: open database: %w", databaseVariable(p.cfg), err)
	case err != nil:
		p.log.Warn("the database was not checked as a whole; a backup checks all of it", "err", err)
	default:
		p.log.Info("the database was checked as a whole: it is sound")
	}
}

// filesGone logs that the database's files were removed or replaced under the
// server, or are back. Writes are refused in between.
func (p *program) filesGone(err error) {
	if err == nil {
		p.log.Info("the database's files are back: writes are taken again")
		return
	}
	p.log.Error("writes are refused until the database's files are back", "err", err)
}

// databaseVariable is the variable to blame for a database that cannot be opened.
func databaseVariable(cfg config.Config) string {
	if cfg.Postgres() {
		return "DATABASE_URL"
	}
	return "DATA_DIR"
}

// openBeside opens the database of a configuration for a command, whose server
// may be running.
func openBeside(ctx context.Context, cfg config.Config) (db *store.Store, err error) {
	if cfg.Postgres() {
		db, err = store.OpenPostgres(ctx, cfg.DatabaseURL.Reveal(), store.MinConnections)
	} else {
		db, err = store.OpenBeside(ctx, filepath.Join(cfg.DataDir, databaseFile))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", databaseVariable(cfg), err)
	}
	return db, nil
}

// openBroker makes the broker to the other nodes, if there are any. It need not
// reach Redis: patches are stored without it, and reach other nodes later.
func (p *program) openBroker(keys []config.Secret) (err error) {
	if !p.cfg.SeveralNodes() {
		return nil
	}
	p.broker, err = cluster.OpenRedis(cluster.Options{
		URL: p.cfg.RedisURL.Reveal(), Keys: signingKeys(keys), Log: p.log,
		Count: func(e cluster.Counter) { p.metrics.Relayed(string(e)) },
	})
	if err != nil {
		return fmt.Errorf("REDIS_URL: %w", err)
	}
	return nil
}

// checks are what readiness looks at.
func (p *program) checks() []api.Check {
	checks := []api.Check{{Name: "database", Needed: true, Run: p.store.Ping}}
	if p.broker != nil {
		checks = append(checks, api.Check{Name: "relay", Run: p.broker.Ping})
	}
	return checks
}
