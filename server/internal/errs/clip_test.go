package errs

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"
)

// Fault E8: text of the caller in an error is bounded, and cut between characters.
func TestClip(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "one too few": strings.Repeat("x", Longest-1), "just as many": strings.Repeat("é", Longest),
	} {
		if got := Clip(text); got != text {
			t.Errorf("%s: became %q", name, got)
		}
	}
	for name, text := range map[string]string{
		"one too many": strings.Repeat("x", Longest+1), "many": strings.Repeat("😀", 10_000), "no UTF-8": strings.Repeat("\xff", 10_000),
	} {
		got := Clip(text)
		kept, cut := strings.CutSuffix(got, "…")
		if !cut || !strings.HasPrefix(text, kept) || utf8.RuneCountInString(kept) != Longest {
			t.Errorf("%s: became %q", name, got)
		}
	}
}

// Fault E8: whichever way an error is made, it quotes no more than that.
func TestErrorsClipWhatTheyQuote(t *testing.T) {
	long := strings.Repeat("😀", 10_000)
	for name, err := range map[string]error{
		"New": New(NotFound, "No device is called %q.", long), "Field": Field(long, "%s is no block", long), "About": About(Malformed, long, "is no object"),
	} {
		if n := utf8.RuneCountInString(err.Error()); n > 2*Longest+100 {
			t.Errorf("%s: %d characters", name, n)
		}
	}
	if got := New(Conflict, "%s is taken, %d times", "Anna", 2).Error(); got != "conflict: Anna is taken, 2 times" {
		t.Errorf("short texts became %q", got)
	}
}

// Fault E8: a log line quotes no more than that; a chain of causes keeps its end.
func TestLogLinesAreClipped(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: ClipAttr}))
	long := strings.Repeat("é", 10_000)
	for name, write := range map[string]func(){
		"a text":        func() { log.Info("request", "user", long) },
		"a group":       func() { log.Info("request", slog.Group("who", "user", long)) },
		"an attribute":  func() { log.With("user", long).Info("request") },
		"a message":     func() { log.Info(long) },
		"an error":      func() { log.Info("failed", "err", errors.New(long)) },
		"one of ours":   func() { log.Info("failed", "err", New(NotFound, "%s", long)) },
		"one as a text": func() { log.Info("failed", "err", New(NotFound, "%s", long).Error()) },
	} {
		out.Reset()
		if write(); strings.Count(out.String(), "é") > longestChain || name != "an error" && strings.Count(out.String(), "é") > Longest {
			t.Errorf("%s: %.300s…", name, out.String())
		}
	}
	out.Reset()
	log.Error("panic", "stack", long, "err", errors.New("query: "+strings.Repeat("x", 500)+": disk is full"))
	if !strings.Contains(out.String(), long) || !strings.Contains(out.String(), "disk is full") {
		t.Errorf("lost: %.300s", out.String())
	}
}
