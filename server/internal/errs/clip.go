package errs

import (
	"fmt"
	"log/slog"
)

// Longest is the number of characters of a caller's text that an error, a frame
// or a log line may quote.
const Longest = 200

// Clip returns the first characters of a text, Longest at most, and "…" if there
// are more. It cuts between characters.
func Clip(text string) string { return clip(text, Longest) }

func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	n := 0
	for at := range text {
		if n == most {
			return text[:at] + "…"
		}
		n++
	}
	return text
}

// Sprintf is fmt.Sprintf with every argument that is a string clipped.
func Sprintf(format string, args ...any) string {
	clipped := make([]any, len(args))
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			arg = Clip(text)
		}
		clipped[i] = arg
	}
	return fmt.Sprintf(format, clipped...)
}

// longestChain bounds the text of an error with its causes.
const longestChain = 5 * Longest

// Chain returns the text of an error with its causes, for a log or a terminal. A
// cause from a library may quote a caller further than Longest, so the whole is
// bounded too.
func Chain(err error) string { return clip(err.Error(), longestChain) }

// ClipAttr bounds what a log line quotes (slog.HandlerOptions.ReplaceAttr). A
// panic and its stack keep their length.
func ClipAttr(_ []string, a slog.Attr) slog.Attr {
	switch {
	case a.Key == "stack" || a.Key == "fault":
	case a.Value.Kind() == slog.KindString:
		a.Value = slog.StringValue(Clip(a.Value.String()))
	case a.Value.Kind() == slog.KindAny:
		if err, ok := a.Value.Any().(error); ok {
			a.Value = slog.StringValue(Chain(err))
		}
	}
	return a
}
