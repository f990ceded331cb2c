package cluster

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

// version is the version of the messages. Nodes of different versions ignore each
// other's messages and converge by the store, for example during an update.
const version = 2

// maxMessage is the size of the largest message in bytes. A larger one is replaced
// by a reload message.
const maxMessage = 1 << 20

// message is the JSON body of a signed text, which is the MAC of channel and body
// followed by the body. The user is in the channel alone.
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

// encode returns the body of a message.
func encode(n hub.Message) ([]byte, error) {
	m := message{
		Version: version, Node: n.Node, Kind: n.Kind, Event: n.Event, Device: device(n.Device),
		Epoch: n.Change.Epoch, From: n.Change.From, Revision: n.Change.Revision,
		Session: n.Session, Account: n.Account,
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
	errForm      = errors.New("not a message of its kind")
)

// decode is the inverse of encode, for the channel of a user or, with "", that of
// all nodes. It refuses every message that a node would not send there.
func decode(body []byte, user string) (hub.Message, error) {
	var m message
	if err := strictjson.Unmarshal(body, &m); err != nil {
		return hub.Message{}, err
	}
	if m.Version != version {
		return hub.Message{}, errVersion
	}
	if m.Node == "" || !m.fits(user) {
		return hub.Message{}, errForm
	}
	n := hub.Message{
		Kind: m.Kind, Node: m.Node, User: user, Event: m.Event, Device: protocol.Device(m.Device),
		Session: m.Session, Account: m.Account,
	}
	if m.Kind == hub.ChangeMessage {
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

// fits reports whether a message has the fields of its kind and is on the right
// channel: that of a user, or of all nodes.
func (m *message) fits(user string) bool {
	ofUser, ofAll := user != "", user == ""
	switch m.Kind {
	case hub.ChangeMessage:
		return ofUser && m.changeFits()
	case hub.FrameMessage:
		switch {
		case ofAll:
			return m.Account != "" && m.frameFits("notice")
		case m.Session != "":
			return m.Account == "" && m.frameFits("preview")
		}
		return m.Account == "" && m.frameFits("device")
	case hub.PresenceMessage:
		return m.presenceFits() && (ofUser || len(m.Connected) == 0)
	case hub.ReloadMessage:
		return m.Device.ID != "" || ofUser && m.Event == ""
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

// newKeys derives the keys from secrets that have other purposes too.
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
		return nil, errors.New("a broker needs a key")
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
