package settings

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"social-server/internal/errs"
	"social-server/internal/strictjson"
)

// Assignment is one key of a patch and its new value.
type Assignment struct {
	Key  Key
	Text string // JSON as received; Null resets the key
}

// Version is a point in a user's history. Revisions of different epochs cannot be compared.
type Version struct {
	Epoch    string
	Revision uint64
}

// Patch is a change a person made: some keys and their new values, all stored
// as one revision or not at all (SPEC P1).
type Patch struct {
	ID     string
	Set    []Assignment   // ordered by key, each key once
	Base   map[Key]uint64 // refuse the patch when a named key is above this revision (SPEC P4)
	If     []Version      // refuse the patch unless the user is at one of these (If-Match); empty: no condition
	Revert *Revert        // instead of Set and Base: earlier values, found when they are stored
}

// Limits bound what one patch and one user may hold.
type Limits struct {
	ValueBytes int // of one value's text
	UserKeys   int // keys of one user, tombstones included
	UserBytes  int // of all values of one user
}

// DefaultLimits are those of SPEC V5.
var DefaultLimits = Limits{ValueBytes: 8 << 10, UserKeys: 512, UserBytes: 256 << 10}

// ParseSet reads an object of blocks of keys, as in {"billing":{"salary":3000}},
// into assignments. A block that is null is expanded by whole, which lists the
// keys of a block (SPEC P7); nil refuses it. Values keep their text byte for byte.
func ParseSet(text []byte, whole func(block string) []Key) ([]Assignment, error) {
	r := setReader{whole: whole}
	switch err := strictjson.Unmarshal(text, &r); {
	case err != nil:
		return nil, unreadable(err)
	case r.bad != nil:
		return nil, errs.About(errs.Malformed, *r.bad, "must be an object of keys")
	case r.unknown != nil:
		return nil, errs.Field(*r.unknown, "is not a block of this server")
	}
	slices.SortFunc(r.set, func(a, b Assignment) int { return a.Key.Compare(b.Key) })
	return r.set, nil
}

// unreadable says why a text is no object of blocks.
func unreadable(err error) error {
	var syntax *strictjson.SyntaxError
	if errors.As(err, &syntax) {
		return errs.About(errs.Malformed, syntax.Pointer.LastToken(), "This is not JSON: %s", syntax)
	}
	return errs.About(errs.Malformed, "set", "must be an object of blocks")
}

// setReader reads blocks of keys from the text as it goes by: by way of maps it
// took 8 allocations and 1.5 µs more.
type setReader struct {
	whole   func(block string) []Key
	set     []Assignment
	bad     *string // a block that is no object
	unknown *string // a block that whole does not have
}

// UnmarshalJSONFrom reads the object of blocks.
func (r *setReader) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return eachMember(dec, func(block string) error {
		before := len(r.set)
		if err := r.readBlock(dec, block); err != nil {
			return err
		}
		if r.whole != nil && len(r.set) == before && len(r.whole(block)) == 0 {
			r.unknown = new(block)
		}
		return nil
	})
}

func (r *setReader) readBlock(dec *jsontext.Decoder, block string) error {
	switch kind := dec.PeekKind(); {
	case kind == '{':
		return eachMember(dec, func(name string) error {
			value, err := dec.ReadValue()
			r.set = append(r.set, Assignment{Key{block, name}, string(value)})
			return err
		})
	case kind == 'n' && r.whole != nil:
		for _, key := range r.whole(block) {
			r.set = append(r.set, Assignment{key, Null})
		}
	default:
		r.bad = new(block)
	}
	return dec.SkipValue()
}

// eachMember has read read the value of each member of an object.
func eachMember(dec *jsontext.Decoder, read func(name string) error) error {
	begin, err := dec.ReadToken()
	switch {
	case err != nil:
		return err
	case begin.Kind() != '{':
		return errors.New("is no object")
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := read(name.String()); err != nil {
			return err
		}
	}
	_, err = dec.ReadToken()
	return err
}

// ParseBase reads an object of blocks of keys of revisions.
func ParseBase(text []byte) (map[Key]uint64, error) {
	var blocks map[string]map[string]uint64
	if err := strictjson.Unmarshal(text, &blocks); err != nil {
		return nil, errs.About(errs.Malformed, "base", "must be an object of blocks of revisions")
	}
	base := make(map[Key]uint64)
	for block, keys := range blocks {
		for name, revision := range keys {
			base[Key{block, name}] = revision
		}
	}
	return base, nil
}

// CheckID says whether a patch id is one: 1–64 of A–Z a–z 0–9 . _ : - (SPEC V6).
func CheckID(id string) error {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"
	if id == "" || len(id) > 64 || strings.Trim(id, letters) != "" {
		return errs.Field("id", "must be 1 to 64 letters, digits or . _ : -")
	}
	return nil
}

// Check refuses a patch that does not fit the schema or the limits, naming the
// first bad field. It says nothing about the user's state: decide does.
func (p *Patch) Check(schema *Schema, limits Limits) error {
	if err := CheckID(p.ID); err != nil {
		return err
	}
	if p.Revert != nil {
		return nil // its values are looked at when they are known
	}
	for _, a := range p.Set {
		if len(a.Text) > limits.ValueBytes {
			return errs.About(errs.TooLarge, a.Key.String(), "is too long to be kept")
		}
		if err := schema.Check(a.Key, a.Text); err != nil {
			return err
		}
	}
	return nil
}

// Hash returns what tells a repeated patch from another one under its id
// (SPEC I3): SHA-256 over everything but the id.
func (p *Patch) Hash() [sha256.Size]byte {
	h := sha256.New()
	part := func(s string) {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(s)))
		h.Write(size[:])
		h.Write([]byte(s))
	}
	for _, a := range p.Set {
		part(a.Key.Block)
		part(a.Key.Name)
		part(a.Text)
	}
	keys := make([]Key, 0, len(p.Base))
	for k := range p.Base {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, Key.Compare)
	for _, k := range keys {
		part("base")
		part(k.String())
		part(string(binary.BigEndian.AppendUint64(nil, p.Base[k])))
	}
	for _, at := range p.If {
		part("if")
		part(at.Epoch)
		part(string(binary.BigEndian.AppendUint64(nil, at.Revision)))
	}
	if r := p.Revert; r != nil {
		part(fmt.Sprintf("revert %d whole %t partial %t", r.Revision, r.Whole, r.Partial))
	}
	return [sha256.Size]byte(h.Sum(nil))
}
