package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"social-server/internal/account"
	"social-server/internal/api"
	"social-server/internal/cluster"
	"social-server/internal/config"
	"social-server/internal/deep"
	"social-server/internal/errs"
	"social-server/internal/hub"
	"social-server/internal/metrics"
	"social-server/internal/protocol"
	"social-server/internal/settings"
	"social-server/internal/store"
	"social-server/internal/web"
)

// program is a running server: every part, in the order they were started.
type program struct {
	cfg      config.Config
	log      *slog.Logger
	tls      *tls.Config // nil: plain HTTP
	store    *store.Store
	broker   *cluster.Redis // to the other nodes; nil: there are none
	hubs     *hub.Registry
	settings *settings.Service
	janitor  *settings.Janitor
	accounts *account.Service
	deep     *deep.Workers // of the API
	api      *api.Server
	metrics  *metrics.Metrics
	http     *http.Server
	inside   *http.Server // /metrics and profiles, on loopback; nil without METRICS_ADDR

	listeners []net.Listener // of http
	url, data string         // for people: where it is, and where its data is
	failed    chan error     // of what ends the program by itself: two HTTP servers on two listeners each, a check of the database
}

// start makes and starts every part. What it started is stopped again if a
// later part fails.
func start(ctx context.Context, cfg config.Config, out io.Writer) (*program, error) {
	p := &program{cfg: cfg, log: logger(cfg, out), metrics: metrics.New(), failed: make(chan error, 5)}
	p.metrics.Built(version)
	if err := p.open(ctx); err != nil {
		return nil, errors.Join(err, p.close())
	}
	handler, err := p.api.Handler()
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.http = &http.Server{
		Handler:           handler,
		ConnContext:       p.api.ConnContext,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug), // peers that break off: no news
	}
	p.serve(p.http, p.bounded(p.listeners))
	p.api.SetReady(true)
	return p, nil
}

// bounded puts the bounds of the API, and TLS if there is a certificate, around listeners.
func (p *program) bounded(listeners []net.Listener) []net.Listener {
	around := make([]net.Listener, len(listeners))
	for i, plain := range listeners {
		around[i] = p.api.Listener(plain, p.tls)
	}
	return around
}

// serve runs a server on some listeners until it is shut down, which closes them.
func (p *program) serve(server *http.Server, listeners []net.Listener) {
	for _, listener := range listeners {
		go func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				p.failed <- err
			}
		}()
	}
}

// showInside serves metrics and profiles on a listener of their own (SEC-46).
func (p *program) showInside() error {
	if p.cfg.MetricsAddr == "" {
		return nil
	}
	listeners, err := listen("METRICS_ADDR", p.cfg.MetricsAddr)
	if err != nil {
		return err
	}
	p.inside = &http.Server{Handler: api.GuardHost(p.hosts(), p.metrics.Handler()), ReadHeaderTimeout: 5 * time.Second}
	p.serve(p.inside, listeners)
	p.log.Info("metrics and profiles", "address", listeners[0].Addr().String())
	return nil
}

// open makes the parts. The port comes first: whether it is taken shows at once.
func (p *program) open(ctx context.Context) (err error) {
	if p.listeners, err = listen("LISTEN_ADDR", p.cfg.ListenAddr); err != nil {
		return err
	}
	p.url = address(p.listeners[0].Addr().String())
	if err := p.encrypt(); err != nil {
		return err
	}
	if err := p.prepareData(); err != nil {
		return err
	}
	keys, err := p.cfg.SigningKeys()
	if err != nil {
		return err
	}
	schema, err := readSchema(p.cfg.SettingsSchema)
	if err != nil {
		return err
	}
	if err := fits(schema, p.cfg.Limits); err != nil {
		return err
	}
	if err := p.openStore(ctx); err != nil {
		return err
	}
	if err := p.openBroker(keys); err != nil {
		return err
	}
	limits := p.cfg.Limits
	p.hubs = hub.NewRegistry(p.store, p.log, time.Now, p.hubOptions())
	p.watch()
	p.settings = settings.NewService(timed{p.store, p.metrics}, schema, settings.Limits{
		ValueBytes: limits.ValueBytes, UserKeys: limits.KeysPerUser, UserBytes: limits.BytesPerUser,
	}, p.hubs, time.Now)
	if p.accounts, err = account.New(p.accountConfig(keys)); err != nil {
		return err
	}
	if p.broker != nil {
		p.broker.Start(p.hubs)
	}
	client, err := web.Open(web.Embedded())
	if err != nil {
		return err
	}
	p.deep = deep.Start(runtime.GOMAXPROCS(0))
	p.api = &api.Server{
		Deep:     p.deep,
		Accounts: p.accounts, Settings: p.settings, Hubs: p.hubs, Log: p.log, Web: client, Checks: p.checks(),
		Refused: p.metrics.Refused,
		Proxies: p.cfg.TrustedProxies,
		Hosts:   p.hosts(),
		Limits: api.Limits{
			Failures: p.cfg.Accounts.LoginFailures, Tries: p.cfg.Accounts.LoginsPerMinute,
			AllFailures: p.cfg.Accounts.FailuresPerMinute,
			Waiting:     p.cfg.Limits.Waiting, WaitingPerAddress: p.cfg.Limits.WaitingPerAddress,
			ConnectionsPerAddress: p.cfg.Limits.ConnectionsPerAddress,
			Limited:               p.metrics.Limited,
		},
		Wire: p.wire(),
	}
	return p.showInside()
}

// hosts returns the host names under which this machine may be addressed.
func (p *program) hosts() api.Hosts {
	names, all := p.cfg.HostNames()
	if machine, err := os.Hostname(); err == nil {
		machine = strings.ToLower(machine)
		short, _, _ := strings.Cut(machine, ".")
		names = append(names, machine, short, short+".local") // the last by multicast DNS (RFC 6762)
	}
	return api.Hosts{Names: names, All: all}
}

func (p *program) accountConfig(keys []config.Secret) account.Config {
	a, limits := p.cfg.Accounts, p.cfg.Limits
	return account.Config{
		Store: p.store, Live: p.hubs, Secrets: signingKeys(keys), Log: p.log,
		Registration: account.Registration(a.Registration), MinPassword: a.PasswordMinLength,
		AccessLife: a.AccessTokenTTL, RefreshIdle: a.RefreshTokenTTL, RefreshLife: a.LoginTTL,
		MaxDevices: limits.DevicesPerAccount, MaxUsers: limits.UsersPerAccount, MaxMembers: limits.DevicesPerUser,
		MaxWaits: limits.SessionsPerDevice,
	}
}

func (p *program) hubOptions() hub.Options {
	timing := p.cfg.Timing
	options := hub.Options{
		SessionsPerDevice: p.cfg.Limits.SessionsPerDevice,
		PingEvery:         timing.PingEvery, PongWithin: timing.PongWithin, AuthDueLead: timing.AuthDueLead,
		Resynced: p.metrics.Resynced, GapFound: p.metrics.Gap, Delivered: p.metrics.Delivered,
	}
	switch {
	case p.broker != nil: // a nil *cluster.Redis is not a nil Broker
		options.Broker = p.broker
	case p.cfg.Postgres():
		options.Broker = hub.NopBroker{} // there may be other nodes all the same
	}
	return options
}

func (p *program) wire() api.Wire {
	limits, timing := p.cfg.Limits, p.cfg.Timing
	return api.Wire{
		Origins: p.cfg.AllowedOrigins, HelloWithin: timing.HelloWithin, WriteWithin: timing.WriteWithin,
		LostAfter:   timing.PingEvery + timing.PongWithin, // what a WebSocket has to answer a ping
		FrameExcess: limits.FrameExcess,
		Limits: protocol.Limits{
			FrameBytes: limits.FrameBytes, ValueBytes: limits.ValueBytes, FramesPerSecond: limits.FramesPerSecond,
			FrameBurst: limits.FrameBurst, PingSeconds: int(timing.PingEvery.Seconds()),
		},
	}
}

// stop ends the server in order: no new requests are sent here; sessions go to
// the other nodes, if there are any; patches that came before are stored and
// answered; the sessions left get bye and their close; then the rest.
// http.Server.Shutdown neither ends nor awaits WebSockets.
func (p *program) stop() error {
	p.log.Info("stopping")
	ctx, cancel := context.WithTimeout(context.Background(), p.cfg.ShutdownWithin)
	defer cancel()
	p.api.SetReady(false)
	p.accounts.StopWaiting()
	moving, _ := p.hubs.Sessions()
	p.metrics.Drained(moving)
	err := p.hubs.Drain(ctx, p.cfg.DrainWindow)
	p.settings.Close()
	return errors.Join(err, p.hubs.Close(ctx), p.http.Shutdown(ctx), p.api.Wait(ctx), p.close())
}

// close frees what open took, in the opposite order; parts that were not made are passed over.
func (p *program) close() error {
	var failures []error
	if p.settings != nil {
		p.settings.Close()
	}
	if p.hubs != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		failures = append(failures, p.hubs.Close(ctx))
	}
	if p.broker != nil {
		failures = append(failures, p.broker.Close()) // publishes that nobody is connected here any more
	}
	if p.inside != nil {
		failures = append(failures, p.inside.Close())
	}
	if p.accounts != nil {
		if err := p.accounts.Close(); err != nil { // no reason to fail: nobody was promised that they are kept
			p.log.Warn("last-seen times not stored", "err", err)
		}
	}
	if p.janitor != nil {
		p.janitor.Close()
	}
	p.deep.Close()
	if p.store != nil {
		failures = append(failures, p.store.Close())
	}
	if p.http == nil {
		failures = append(failures, closeAll(p.listeners))
	}
	return errors.Join(failures...)
}

// watch adds what the metrics ask for when somebody looks.
func (p *program) watch() {
	p.metrics.Watch(p.hubs.Sessions)
	for name, stats := range p.store.Pools() {
		p.metrics.WatchPool(name, stats)
	}
	if p.cfg.Postgres() {
		p.metrics.WatchClock(p.databaseClock)
	}
}

// databaseClock asks the database what time it is.
func (p *program) databaseClock() (time.Time, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	condition, err := p.store.Condition(ctx)
	return condition.Clock, err
}

// timed is the store, with its group commits measured.
type timed struct {
	*store.Store
	metrics *metrics.Metrics
}

// Commit stores a group and notes how long that took.
func (t timed) Commit(ctx context.Context, group []*settings.Write, limits settings.Limits) ([]settings.Outcome, error) {
	began := time.Now()
	outcomes, err := t.Store.Commit(ctx, group, limits)
	t.metrics.Committed(len(group), time.Since(began), err)
	return outcomes, err
}

// address is where a browser on this machine finds a listener.
func address(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "http://" + listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func readSchema(path string) (*settings.Schema, error) {
	if path == "" {
		return settings.DemoSchema(), nil
	}
	text, err := os.ReadFile(path) // #nosec G304 -- the file its operator names
	if err != nil {
		return nil, fmt.Errorf("SETTINGS_SCHEMA: %w", err)
	}
	plain, err := config.PlainText(string(text))
	if err != nil {
		return nil, fmt.Errorf("SETTINGS_SCHEMA: %s %w", path, err)
	}
	schema, err := settings.ParseSchema([]byte(plain))
	if err != nil {
		return nil, fmt.Errorf("SETTINGS_SCHEMA: %w", err)
	}
	return schema, nil
}

// fits refuses a schema whose keys could not all be set, or not to their default.
func fits(schema *settings.Schema, limits config.Limits) error {
	if n := len(schema.Keys()); n > limits.KeysPerUser {
		return fmt.Errorf("SETTINGS_SCHEMA: %d keys are more than MAX_KEYS_PER_USER %d", n, limits.KeysPerUser)
	}
	for _, key := range schema.Keys() {
		if n := len(schema.Default(key)); n > limits.ValueBytes {
			return fmt.Errorf("SETTINGS_SCHEMA: the default of %s has %d bytes, more than MAX_VALUE_BYTES %d", key, n, limits.ValueBytes)
		}
	}
	return nil
}

func logger(cfg config.Config, out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel, ReplaceAttr: errs.ClipAttr}
	if cfg.LogFormat == config.LogJSON {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}
