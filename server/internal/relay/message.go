package relay

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"social-server/internal/hub"
	"social-server/internal/protocol"
	"social-server/internal/settings"
	"social-server/internal/strictjson"
)

// version is that of the messages. Nodes of different versions do not understand
// one another; the store keeps them together while one replaces the other.
const version = 1

// maxMessage is the size of the largest message. What is larger is only hinted at.
const maxMessage = 1 << 20

// beat is the news that a node lives. A node hears its own too, and so knows
// that its subscription brings what is published.
const beat hub.Kind = "beat"

// message is a signed text: the MAC of channel and body, then the body, JSON.
// The user is in the channel alone.
type message struct {
	Version   int         `json:"v"`
	Node      string      `json:"n"`
	Kind      hub.Kind    `json:"k"`
	Epoch     string      `json:"e,omitzero"`
	From      uint64      `json:"f,omitzero"`
	Revision  uint64      `json:"r,omitzero"`
	Entries   []entry     `json:"s,omitempty"`
	Event     string      `json:"event,omitzero"`
	Device    device      `json:"device,omitzero"`
	Frame     *frame      `json:"frame,omitzero"`
	Session   string      `json:"session,omitzero"`
	Account   string      `json:"account,omitzero"`
	Ask       string      `json:"ask,omitzero"`
	Connected []connected `json:"on,omitempty"`
}

// entry is a value; its text is a string, so that it stays byte for byte.
type entry struct {
	Block    string    `json:"b"`
	Key      string    `json:"k"`
	Text     string    `json:"v"`
	Revision uint64    `json:"r"`
	Device   string    `json:"d"`
	At       time.Time `json:"t"`
}

type device struct {
	ID   string `json:"id"`
	Name string `json:"name,omitzero"`
}

type frame struct {
	Type string `json:"type"`
	Data string `json:"data"`
}

type connected struct {
	Device   string `json:"d"`
	Sessions int    `json:"n"`
	Focus    string `json:"f,omitzero"`
	Seen     uint64 `json:"s,omitzero"`
}

// encode returns the body of news.
func encode(n hub.News) ([]byte, error) {
	m := message{
		Version: version, Node: n.Node, Kind: n.Kind, Event: n.Event, Device: device(n.Device),
		Epoch: n.Change.Epoch, From: n.Change.From, Revision: n.Change.Revision,
		Session: n.Session, Account: n.Account, Ask: n.Ask,
	}
	for _, e := range n.Change.Entries {
		m.Entries = append(m.Entries, entry{e.Block, e.Name, e.Text, e.Revision, e.Device, e.At})
	}
	for _, c := range n.Connected {
		m.Connected = append(m.Connected, connected(c))
	}
	if n.Frame != nil {
		m.Frame = &frame{n.Frame.Type, string(n.Frame.Data)}
	}
	return json.Marshal(m)
}

var (
	errSignature = errors.New("not signed by a node")
	errVersion   = errors.New("of another version")
	errNews      = errors.New("not what news of its kind are")
)

// decode is the opposite of encode, for a user's channel or, with "", that of
// all. It takes nothing that no node would have sent there.
func decode(body []byte, user string) (hub.News, error) {
	var m message
	if err := strictjson.Unmarshal(body, &m); err != nil {
		return hub.News{}, err
	}
	if m.Version != version {
		return hub.News{}, errVersion
	}
	if m.Node == "" || !m.fits(user) {
		return hub.News{}, errNews
	}
	n := hub.News{
		Kind: m.Kind, Node: m.Node, User: user, Event: m.Event, Device: protocol.Device(m.Device),
		Session: m.Session, Account: m.Account, Ask: m.Ask,
	}
	if m.Kind == hub.ChangeNews {
		n.Change = settings.Change{Epoch: m.Epoch, From: m.From, Revision: m.Revision}
	}
	for _, e := range m.Entries {
		n.Change.Entries = append(n.Change.Entries, settings.Entry{
			Key:   settings.Key{Block: e.Block, Name: e.Key},
			Value: settings.Value{Text: e.Text, Revision: e.Revision, Device: e.Device, At: e.At},
		})
	}
	for _, c := range m.Connected {
		n.Connected = append(n.Connected, hub.Connected(c))
	}
	if m.Frame != nil {
		n.Frame = &protocol.Frame{Type: m.Frame.Type, Data: []byte(m.Frame.Data)}
	}
	return n, nil
}

// fits reports whether a message has what its kind needs, and is on the right
// channel: that of a user, or of all.
func (m *message) fits(user string) bool {
	ofUser, ofAll := user != "", user == ""
	switch m.Kind {
	case hub.ChangeNews:
		return ofUser && m.changeFits()
	case hub.MemberNews:
		return ofUser && m.Device.ID != "" && m.Event != ""
	case hub.FrameNews:
		return ofUser && m.frameFits("device")
	case hub.PreviewNews:
		return ofUser && m.Session != "" && m.frameFits("preview")
	case hub.PresenceNews:
		return ofUser && m.presenceFits()
	case hub.NoticeNews:
		return ofAll && m.Account != "" && m.frameFits("notice")
	case hub.LookNews:
		return ofUser || m.Device.ID != ""
	case hub.BellNews:
		return ofAll && m.Ask != ""
	case beat:
		return ofAll
	}
	return false
}

// changeFits reports whether the entries are those of revisions the change spans.
func (m *message) changeFits() bool {
	for _, e := range m.Entries {
		if e.Block == "" || e.Key == "" || e.Revision <= m.From || e.Revision > m.Revision || !jsontext.Value(e.Text).IsValid() {
			return false
		}
	}
	return m.Epoch != "" && m.Revision > m.From
}

func (m *message) frameFits(kind string) bool {
	return m.Frame != nil && m.Frame.Type == kind && jsontext.Value(m.Frame.Data).IsValid()
}

func (m *message) presenceFits() bool {
	for _, c := range m.Connected {
		if c.Device == "" || c.Sessions <= 0 {
			return false
		}
	}
	return true
}

// keys sign and verify.
type keys [][]byte

// newKeys derives the relay's keys from secrets that serve other ends too.
func newKeys(secrets [][]byte) (keys, error) {
	var list keys
	for _, secret := range secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, "relay", sha256.Size)
		if err != nil {
			return nil, err
		}
		list = append(list, key)
	}
	if len(list) == 0 {
		return nil, errors.New("a relay needs a key")
	}
	return list, nil
}

// seal signs a body for a channel.
func (k keys) seal(channel string, body []byte) []byte {
	return append(mac(k[0], channel, body), body...)
}

// unseal returns the body of a message that a node signed for the channel.
func (k keys) unseal(channel, text string) ([]byte, error) {
	if len(text) < sha256.Size || len(text) > sha256.Size+maxMessage {
		return nil, errSignature
	}
	sum, body := []byte(text[:sha256.Size]), []byte(text[sha256.Size:])
	for _, key := range k {
		if hmac.Equal(sum, mac(key, channel, body)) {
			return body, nil
		}
	}
	return nil, errSignature
}

func mac(key []byte, channel string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(channel))
	h.Write([]byte{0})
	h.Write(body)
	return h.Sum(nil)
}
