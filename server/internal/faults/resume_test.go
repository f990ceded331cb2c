package faults

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// opening is what a connection was sent before ready.
type opening struct {
	types   []string
	welcome message
	change  *message
	ready   message
	code    int // of a close instead
}

// open says hello with the given resume member and reads the opening.
func (r *rig) open(device int, resume string) (*websocket.Conn, opening) {
	r.Helper()
	ws, o, err := r.openAt(r.Context(), r.Addr(), device, resume)
	r.ok(err)
	return ws, o
}

func (g *group) openAt(ctx context.Context, addr string, device int, resume string) (*websocket.Conn, opening, error) {
	var o opening
	ws, answer, err := websocket.DefaultDialer.DialContext(ctx, "ws://"+addr+"/api/v1/users/"+g.user+"/ws", nil)
	if answer != nil && answer.Body != nil {
		_ = answer.Body.Close()
	}
	if err != nil {
		return nil, o, err
	}
	g.Cleanup(func() { _ = ws.Close() })
	hello := fmt.Sprintf(`{"type":"hello","token":%q`, g.Devices[device].Token)
	if resume != "" {
		hello += `,"resume":` + resume
	}
	deadline, bounded := ctx.Deadline()
	if !bounded {
		deadline = time.Now().Add(patient)
	}
	err = errors.Join(ws.WriteMessage(websocket.TextMessage, []byte(hello+"}")), ws.SetReadDeadline(deadline))
	for err == nil && o.ready.Type == "" && o.code == 0 {
		err = o.next(ws)
	}
	return ws, o, err
}

// next reads one more frame of the opening.
func (o *opening) next(ws *websocket.Conn) error {
	var m message
	err := ws.ReadJSON(&m)
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		o.code = closed.Code
		return nil
	}
	if err != nil {
		return err
	}
	o.types = append(o.types, m.Type)
	switch m.Type {
	case "welcome":
		o.welcome = m
	case "change":
		o.change = &m
	case "ready":
		o.ready = m
	}
	return nil
}

// change describes the change of an opening: "4..10 a@5 b@10", or "none".
func (o opening) changed() string {
	if o.change == nil {
		return "none"
	}
	var keys []string
	flat := o.change.Values.flat()
	for _, name := range sortedKeys(flat) {
		keys = append(keys, fmt.Sprintf("%s@%d", strings.TrimPrefix(name, "set."), flat[name].Revision))
	}
	return fmt.Sprintf("%d..%d %s", o.change.From, o.change.Revision, strings.Join(keys, " "))
}

// The resume table (3.4), as this product has it: catch-up is by state, so
// there is no window below which a device would be sent away.
func TestResumeTable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, empty := r.open(0, "")
	if got := strings.Join(empty.types, " "); got != "welcome presence ready" || empty.ready.Revision != 0 {
		t.Errorf("row 1, nothing yet: %s", got) // and then live: the rows below
	}
	c := r.client(1)
	r.live(c)
	for _, set := range []map[string]string{ // revisions 1 to 10
		one("set.k000", "1"), one("set.k001", "2"), one("set.k002", "3"), one("set.k000", "4"),
		{"set.k003": "5", "set.k004": "5"}, one("set.k001", "null"), one("set.k005", "7"), one("set.k000", "8"),
		one("set.k002", "null"), one("set.k006", "10"),
	} {
		r.acked(c.Patch(set, nil))
	}
	epoch := c.State().Epoch
	at := func(n int) string { return fmt.Sprintf(`{"epoch":%q,"revision":%d}`, epoch, n) }
	whole := "0..10 k000@8 k001@6 k002@9 k003@5 k004@5 k005@7 k006@10"
	for _, tt := range []struct{ row, resume, want string }{
		{"2 cursor = head", at(10), "none"},
		{"3 cursor = head - 2", at(8), "8..10 k002@9 k006@10"},
		{"4 a large gap is one exact change", at(1), "1..10 k000@8 k001@6 k002@9 k003@5 k004@5 k005@7 k006@10"},
		{"5 no window: an exact change from state", at(4), "4..10 k000@8 k001@6 k002@9 k003@5 k004@5 k005@7 k006@10"},
		{"6 cursor above head, same epoch", at(11), whole},
		{"6 cursor far above head", at(1 << 50), whole},
		{"7 right cursor, wrong epoch", `{"epoch":"another","revision":10}`, whole},
		{"8 empty epoch, cursor above 0", `{"epoch":"","revision":3}`, whole},
		{"11 nothing is compacted: from 0", at(0), whole},
		{"12 keys reset inside the gap are tombstones", at(5), "5..10 k000@8 k001@6 k002@9 k005@7 k006@10"},
		{"first contact", "", whole},
	} {
		_, o := r.open(0, tt.resume)
		if got := o.changed(); got != tt.want || o.ready.Revision != 10 || o.welcome.Epoch != epoch {
			t.Errorf("row %s: got %s, ready %d, want %s", tt.row, got, o.ready.Revision, tt.want)
		}
	}
	_, o := r.open(0, at(5))
	if v := o.change.Values.flat()["set.k001"]; v.Text != "null" {
		t.Errorf("row 12: the tombstone is %s", v.Text)
	}
	r.judge()
}

// Rows 9 and 9b: writes that fall into a catch-up arrive once each. Devices
// connect, from nothing and from cursors, while others write without pause; the
// validators and the replay of judge see any gap, repetition or mix.
func TestResumeDuringWrites(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	writers := []*Client{r.client(0), r.client(1)}
	r.live(writers...)
	l := write(writers)
	var comers []*Client
	for n := range Runs(60, 600) {
		c := r.client(2+n%4, func(o *Options) { o.FreshOnly = n%3 == 0 })
		comers = append(comers, c)
		if n%2 == 0 {
			r.live(c)
			c.Drop()
		}
	}
	r.live(comers...)
	l.end()
	for _, c := range writers {
		for _, p := range c.waiting() {
			r.acked(p)
		}
	}
	r.converged(2*time.Second, append(comers, writers...)...)
	r.judge()
}

// Row 10 and S-SQL-4: the epoch changes while devices are away. Those that are
// ahead of the server begin anew, and nothing of the lost state survives.
func TestResumeAfterRestore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	restoreOlder(r)
	away := r.clients[0]
	rows := r.rows()
	if state := away.State(); state.Digest() != rows.Digest() {
		t.Errorf("the device that was ahead has %s, the database %s", show(state.Values), show(rows.Settings))
	}
	if before := r.clients[1].State().Epoch; len(rows.Settings) != 19 || rows.Epoch == before {
		t.Errorf("%d keys in epoch %s, before it was %s", len(rows.Settings), rows.Epoch, before)
	}
	r.judge()
}
