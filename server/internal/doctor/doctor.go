// Package doctor finds out why a server does not work as it should: it asks one
// question after another, of the server's surroundings and, as a device would,
// of the address where devices reach it. It says what is wrong and what to do.
package doctor

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// Check is one question.
type Check struct {
	Name string
	Run  func(ctx context.Context) Finding
}

// Level says how bad a finding is.
type Level string

// The levels.
const (
	OK     Level = "ok"
	Warn   Level = "warn"
	Fail   Level = "FAIL"
	Passed Level = "-" // not asked, because of what was found before
)

// Finding is the answer to a check.
type Finding struct {
	Level  Level
	Text   string // one line: what is, or what is wrong and what to do
	Advice string // lines to copy; may be empty
}

// Good returns the finding that all is well.
func Good(format string, args ...any) Finding { return Finding{OK, fmt.Sprintf(format, args...), ""} }

// Doubtful returns a finding that need not be wrong.
func Doubtful(format string, args ...any) Finding {
	return Finding{Warn, fmt.Sprintf(format, args...), ""}
}

// Bad returns the finding that something is wrong.
func Bad(format string, args ...any) Finding { return Finding{Fail, fmt.Sprintf(format, args...), ""} }

// passed returns the finding of a check that made no sense any more.
func passed(format string, args ...any) Finding {
	return Finding{Passed, fmt.Sprintf(format, args...), ""}
}

// with adds lines to copy.
func (f Finding) with(advice string) Finding {
	f.Advice = advice
	return f
}

// checkWithin bounds one check: nothing that works takes longer.
const checkWithin = 30 * time.Second

// Examine runs checks in order and prints a line for each, and after it what is
// to be copied. It returns an error if anything is wrong.
func Examine(ctx context.Context, checks []Check, out io.Writer) error {
	wrong := 0
	for _, c := range checks {
		f := examine(ctx, c)
		if _, err := fmt.Fprintf(out, "%-4s  %-14s  %s\n%s", f.Level, c.Name, oneLine(f.Text), indented(f.Advice)); err != nil {
			return err
		}
		if f.Level == Fail {
			wrong++
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d checks failed", wrong, len(checks))
	}
	return nil
}

func examine(ctx context.Context, c Check) Finding {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	return c.Run(ctx)
}

// oneLine keeps what others say from becoming more than a line.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func indented(text string) string {
	if text == "" {
		return ""
	}
	return "        " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n        ") + "\n"
}

// The bounds of how far two clocks may be apart.
const (
	driftSeen  = 5 * time.Second
	driftWrong = time.Minute // as much as tokens allow
)

// Drift judges how far our clock is ahead of another.
func Drift(ahead time.Duration, other string) Finding {
	text := fmt.Sprintf("%v apart from %s", ahead.Abs().Round(time.Millisecond), other)
	switch {
	case ahead.Abs() > driftWrong:
		return Bad("%s: tokens are taken for expired; have both set by NTP", text)
	case ahead.Abs() > driftSeen:
		return Doubtful("%s: have both set by NTP", text)
	}
	return Good("%s", text)
}
