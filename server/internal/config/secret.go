package config

import "log/slog"

const redacted = "[redacted]"

// Secret is a text that must not be shown: printed, logged or encoded, it says
// "[redacted]". Only Reveal gives the text itself.
type Secret struct {
	// A pointer, because fmt reaches into unexported fields without asking
	// String: what it finds there must not be the text.
	text *string
}

// NewSecret returns a secret that holds text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal returns the text; "" if there is none.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.text == nil }

// String implements fmt.Stringer.
func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return redacted
}

// GoString implements fmt.GoStringer, for %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler, and so covers JSON too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
