package config

import (
	"cmp"
	"net"
	"time"
)

// authDueUsually is the default of AUTH_DUE_LEAD, for tokens that last twice as long.
const authDueUsually = 2 * time.Minute

// agree refuses values that are fine alone but not together.
func (c *Config) agree() error {
	for _, x := range c.contradictions() {
		if x.found {
			return bad(x.variable, "%v %s %s %v", x.value, x.problem, x.other, x.than)
		}
	}
	return cmp.Or(c.agreeOnKeys(), c.agreeOnTransport(), c.agreeOnNodes())
}

// contradiction is a pair of variables, and whether their values contradict each other.
type contradiction struct {
	found    bool
	variable string
	value    any
	problem  string
	other    string
	than     any
}

// contradictions lists the pairs. These are none, though they look like one:
//   - PONG_TIMEOUT above PING_INTERVAL: no ping is sent while another is unanswered;
//   - WRITE_TIMEOUT above SHUTDOWN_TIMEOUT: a stop shortens the writes under way;
//   - REFRESH_TOKEN_TTL above LOGIN_TTL: a log-in ends with whichever ends first;
//   - ANSWERS_KEEP and HISTORY_KEEP: answers are kept by themselves;
//   - LOGINS_PER_MINUTE above LOGIN_FAILURES_PER_MINUTE: most tries do not fail.
func (c *Config) contradictions() []contradiction {
	l, a, t := &c.Limits, &c.Accounts, &c.Timing
	return []contradiction{
		{l.FrameBurst < l.FramesPerSecond, "FRAME_BURST", l.FrameBurst, "is below", "FRAMES_PER_SECOND", l.FramesPerSecond},
		{l.ValueBytes > l.FrameBytes/2, "MAX_VALUE_BYTES", l.ValueBytes, "does not fit into half a frame of", "MAX_FRAME_BYTES", l.FrameBytes},
		{l.BytesPerUser < l.ValueBytes, "MAX_BYTES_PER_USER", l.BytesPerUser, "is below", "MAX_VALUE_BYTES", l.ValueBytes},
		{l.WaitingPerAddress > l.Waiting, "MAX_WAITING_PER_ADDRESS", l.WaitingPerAddress, "is above", "MAX_WAITING_SOCKETS", l.Waiting},
		{a.FailuresPerMinute < a.LoginFailures, "LOGIN_FAILURES_PER_MINUTE", a.FailuresPerMinute, "is below", "LOGIN_FAILURES", a.LoginFailures},
		{a.RefreshTokenTTL <= a.AccessTokenTTL, "REFRESH_TOKEN_TTL", a.RefreshTokenTTL, "is not longer than", "ACCESS_TOKEN_TTL", a.AccessTokenTTL},
		{a.LoginTTL <= a.AccessTokenTTL, "LOGIN_TTL", a.LoginTTL, "is not longer than", "ACCESS_TOKEN_TTL", a.AccessTokenTTL},
		{t.AuthDueLead > a.AccessTokenTTL/2, "AUTH_DUE_LEAD", t.AuthDueLead, "is more than half of", "ACCESS_TOKEN_TTL", a.AccessTokenTTL},
		{c.DrainWindow > c.ShutdownWithin/2, "DRAIN_WINDOW", c.DrainWindow, "is more than half of", "SHUTDOWN_TIMEOUT", c.ShutdownWithin},
		{sameAddress(c.MetricsAddr, c.ListenAddr), "METRICS_ADDR", c.MetricsAddr, "is that of", "LISTEN_ADDR", c.ListenAddr},
	}
}

// sameAddress reports whether two listeners would want the same port. Port 0 is
// another one each time.
func sameAddress(a, b string) bool {
	_, port, err := net.SplitHostPort(a)
	return a == b && err == nil && port != "0"
}

// agreeOnKeys refuses a key that is given twice.
func (c *Config) agreeOnKeys() error {
	switch {
	case !c.jwtSecret.Empty() && c.jwtSecretFile != "":
		return bad("JWT_SECRET_FILE", "is set together with JWT_SECRET: keep one of them")
	case len(c.jwtPrevious) > 0 && c.jwtPreviousFile != "":
		return bad("JWT_SECRET_PREVIOUS_FILE", "is set together with JWT_SECRET_PREVIOUS: keep one of them")
	}
	return nil
}
