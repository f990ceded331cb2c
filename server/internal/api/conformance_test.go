package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// row is what a peer sends on an open session, and what comes of it. A row that
// does not close the connection must leave it usable.
type row struct {
	name string
	send []byte
	want string
}

const syncAll = `{"type":"sync","revision":0}`

// padded is a frame of ours that is n bytes long.
func padded(n int) string { return syncAll + strings.Repeat(" ", n-len(syncAll)) }

// named is a patch that carries a text.
func named(id, text string) string {
	return fmt.Sprintf(`{"type":"patch","id":%q,"set":{"user":{"username":"%s"}}}`, id, text)
}

// framing is Autobahn's category 1, with masks.
func framing() (rows []row) {
	for _, n := range []int{125, 126, 127, 128, 65535, 65536, 100_000} {
		rows = append(rows, row{fmt.Sprint("text of ", n), text(padded(n)), "change"})
	}
	for _, n := range []int{0, 1, 125, 126, 127, 128, 65535, 65536} {
		rows = append(rows, row{fmt.Sprint("binary of ", n), frame(0x82, strings.Repeat("x", n)), "close:1003"})
	}
	rows = append(rows,
		row{"text of 0", text(""), "close:4500"},
		row{"text at the limit", text(padded(conformanceLimit)), "change"},
		row{"text over the limit", text(padded(conformanceLimit + 1)), "close:1009"},
		row{"a short text with a length of 16 bits", longFrame(0x81, syncAll, 16), "change"},
		row{"a short text with a length of 64 bits", longFrame(0x81, syncAll, 64), "change"},
		row{"a length of 2⁶³", join([]byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}), "close:1009"},
		row{"a length of 2⁶²", join([]byte{0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, make([]byte, conformanceLimit+1)), "close:1009"},
	)
	for name, first := range map[string]byte{"text": 0x81, "binary": 0x82, "close": 0x88, "ping": 0x89, "pong": 0x8a, "continuation": 0x80} {
		rows = append(rows, row{"unmasked " + name, unmasked(first, ""), "close:1002"})
	}
	return append(rows, row{"unmasked text with a payload", unmasked(0x81, syncAll), "close:1002"})
}

// pings is Autobahn's category 2.
func pings() (rows []row) {
	for _, payload := range []string{"", "a", "Hello, world!", "\x00\xff\xfe\xfd", strings.Repeat("p", 125)} {
		rows = append(rows, row{fmt.Sprintf("ping %.9q of %d", payload, len(payload)), frame(0x89, payload), "pong:" + payload})
	}
	var ten [][]byte
	var answers []string
	for i := range 10 {
		ten = append(ten, frame(0x89, fmt.Sprint(i)))
		answers = append(answers, fmt.Sprint("pong:", i))
	}
	long := strings.Repeat("p", 126)
	return append(rows,
		row{"ten pings at once", join(ten...), strings.Join(answers, " ")},
		row{"ping of 126", frame(0x89, long), "close:1002"},
		row{"pong of 126", frame(0x8a, long), "close:1002"},
		row{"ping with a length of 16 bits", longFrame(0x89, "a", 16), "close:1002"},
		row{"ping with a length of 64 bits", longFrame(0x89, "a", 64), "close:1002"},
		row{"a pong nobody asked for", frame(0x8a, ""), ""},
		row{"a pong nobody asked for, with a payload", frame(0x8a, "unsolicited"), ""},
		row{"pong, then ping", join(frame(0x8a, "one"), frame(0x89, "two")), "pong:two"},
	)
}

// reserved is Autobahn's categories 3 and 4: bits and opcodes that mean nothing.
func reserved() (rows []row) {
	for bits := byte(0x10); bits <= 0x70; bits += 0x10 {
		rows = append(rows,
			row{fmt.Sprintf("text with RSV %x", bits>>4), frame(0x81|bits, syncAll), "close:1002"},
			row{fmt.Sprintf("ping with RSV %x", bits>>4), frame(0x89|bits, ""), "close:1002"},
			row{fmt.Sprintf("close with RSV %x", bits>>4), frame(0x88|bits, closing(1000, "")), "close:1002"})
	}
	for _, opcode := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		rows = append(rows,
			row{fmt.Sprint("opcode ", opcode), frame(0x80|opcode, ""), "close:1002"},
			row{fmt.Sprint("opcode ", opcode, " with a payload"), frame(0x80|opcode, syncAll), "close:1002"})
	}
	return append(rows,
		row{"RSV 4 on a continuation", join(frame(0x01, syncAll[:5]), frame(0xc0, syncAll[5:])), "close:1002"},
		row{"a good text, then opcode 5", join(text(syncAll), frame(0x85, "")), "close:1002"})
}

// fragments is Autobahn's category 5 and 10.
func fragments() []row {
	a, b := syncAll[:7], syncAll[7:]
	ping := frame(0x89, "amid")
	return []row{
		{"a ping in fragments", join(frame(0x09, "a"), frame(0x80, "b")), "close:1002"},
		{"a pong in fragments", join(frame(0x0a, "a"), frame(0x80, "b")), "close:1002"},
		{"a close in fragments", join(frame(0x08, closing(1000, "")), frame(0x80, "")), "close:1002"},
		{"two fragments", join(frame(0x01, a), frame(0x80, b)), "change"},
		{"a fragment a byte", pieces(syncAll, 1), "change"},
		{"65536 in fragments of 1300", pieces(padded(65536), 1300), "change"},
		{"empty fragments around", join(frame(0x01, ""), frame(0x00, syncAll), frame(0x00, ""), frame(0x80, "")), "change"},
		{"all of them empty", join(frame(0x01, ""), frame(0x00, ""), frame(0x80, "")), "close:4500"},
		{"a ping amid fragments", join(frame(0x01, a), ping, frame(0x80, b)), "pong:amid change"},
		{"pings amid each fragment", join(frame(0x01, a), ping, frame(0x00, ""), ping, frame(0x80, b)), "pong:amid pong:amid change"},
		{"a pong amid fragments", join(frame(0x01, a), frame(0x8a, ""), frame(0x80, b)), "change"},
		{"a close amid fragments", join(frame(0x01, a), frame(0x88, closing(1000, ""))), "close:1000"},
		{"a last continuation of nothing", frame(0x80, syncAll), "close:1002"},
		{"a continuation of nothing", frame(0x00, syncAll), "close:1002"},
		{"an empty continuation of nothing", frame(0x80, ""), "close:1002"},
		{"a continuation after the last", join(frame(0x01, a), frame(0x80, b), frame(0x80, "")), "close:1002"},
		{"a continuation after a whole text", join(text(syncAll), frame(0x00, "")), "close:1002"},
		{"a text within a text", join(frame(0x01, a), text(syncAll)), "close:1002"},
		{"a fragment within a text", join(frame(0x01, a), frame(0x01, b)), "close:1002"},
		{"a binary within a text", join(frame(0x01, a), frame(0x82, "")), "close:1002"},
		{"a binary in fragments", join(frame(0x02, a), frame(0x80, b)), "close:1003"},
		{"fragments over the limit", pieces(padded(conformanceLimit+1), 1<<15), "close:1009"},
		{"fragments at the limit", pieces(padded(conformanceLimit), 1<<15), "change"},
		{"a masked fragment, then an unmasked one", join(frame(0x01, a), unmasked(0x80, b)), "close:1002"},
	}
}

// unicode is Autobahn's category 6. Each text comes whole and a byte a fragment.
func unicode() (rows []row) {
	for i, good := range []string{
		"κόσμε", "é", "€", "𐍈", "\ufffd", "\u00a0", "\ud7ff", "\ue000", "\ufdd0", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff",
		"👩‍👩‍👧", "e\u0301", "ﬃ", "Ω", "日本語", "\u2028",
	} {
		rows = append(rows,
			row{fmt.Sprintf("good %+q", good), text(named(fmt.Sprint("g", i), good)), "change ack"},
			row{fmt.Sprintf("good %+q, a byte a fragment", good), pieces(named(fmt.Sprint("h", i), good), 1), "change ack"})
	}
	for i, bad := range []string{
		"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80",
		"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80",
		"\xfe", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x92", "\xe2\x28\xa1", "κόσμε\xed\xa0\x80edited", "\xce\xba\xe1",
	} {
		rows = append(rows,
			row{fmt.Sprintf("bad %+q", bad), text(named(fmt.Sprint("b", i), bad)), "close:1007"},
			row{fmt.Sprintf("bad %+q, a byte a fragment", bad), pieces(named(fmt.Sprint("c", i), bad), 1), "close:1007"})
	}
	return rows
}

// closes is Autobahn's category 7. Two rows are looser than it: gorilla does not
// tell a payload of one byte from none, and calls a bad reason 1002, not 1007.
func closes() (rows []row) {
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999} {
		rows = append(rows, row{fmt.Sprint("close ", code), frame(0x88, closing(code, "")), fmt.Sprint("close:", code)})
	}
	for _, code := range []int{0, 1, 999, 1004, 1005, 1006, 1014, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		rows = append(rows, row{fmt.Sprint("close ", code, ", which nobody may send"), frame(0x88, closing(code, "")), "close:1002"})
	}
	last := frame(0x88, closing(1000, "bye"))
	return append(rows,
		row{"an empty close", frame(0x88, ""), "close:"},
		row{"a close of one byte", frame(0x88, "x"), "close:"},
		row{"a reason", last, "close:1000"},
		row{"a reason of 123 bytes", frame(0x88, closing(1000, strings.Repeat("r", 123))), "close:1000"},
		row{"a reason of 124 bytes", frame(0x88, closing(1000, strings.Repeat("r", 124))), "close:1002"},
		row{"a reason in Greek", frame(0x88, closing(1000, "κόσμε")), "close:1000"},
		row{"a reason that is not UTF-8", frame(0x88, closing(1000, "\xce\xba\xe1\xbd")), "close:1002"},
		row{"text after close", join(last, text(syncAll)), "close:1000"},
		row{"ping after close", join(last, frame(0x89, "late")), "close:1000"},
		row{"close after close", join(last, last), "close:1000"},
		row{"nonsense after close", join(last, frame(0xff, "")), "close:1000"},
	)
}

const conformanceLimit = 1 << 18

// TestConformance sends each row's bytes on a session of its own (RFC 6455,
// after the categories of Autobahn's test suite).
func TestConformance(t *testing.T) {
	w := newWorld(t, func(s *shape) {
		s.wire.Limits.FrameBytes, s.hub.SessionsPerDevice = conformanceLimit, 1000
	})
	one, _ := w.pair()
	all := 0
	for category, rows := range map[string][]row{
		"framing": framing(), "pings": pings(), "reserved": reserved(), "fragments": fragments(), "unicode": unicode(), "closes": closes(),
	} {
		all += len(rows)
		t.Run(category, func(t *testing.T) {
			for _, row := range rows {
				s := one.joinRaw(t)
				s.write(row.send)
				if !strings.Contains(row.want, "close") {
					s.write(endMark)
				}
				got := s.outcome()
				if strings.HasPrefix(row.want, "close") {
					got = got[max(0, strings.LastIndex(got, "close")):] // an answer to what came before may get out, or not
				}
				if got != row.want {
					t.Errorf("%s: %q, want %q", row.name, got, row.want)
				}
			}
		})
	}
	if all < 120 {
		t.Errorf("%d rows", all)
	}
	t.Logf("%d rows", all)
	if log := w.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "panic") {
		t.Errorf("logged %s", log)
	}
}

// TestAByteAtATime: what matters is what was sent, not how it was cut up.
func TestAByteAtATime(t *testing.T) {
	w := newWorld(t)
	one, _ := w.pair()
	s := one.joinRaw(t)
	for _, b := range join(frame(0x89, "slow"), pieces(named("p", "κόσμε"), 3), endMark) {
		s.write([]byte{b})
	}
	if got := s.outcome(); got != "pong:slow change ack" {
		t.Errorf("got %q", got)
	}
}
