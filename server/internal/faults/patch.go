package faults

import (
	"strconv"
	"strings"
	"time"
)

// Patch is one change a client makes, from the first try to its final answer.
type Patch struct {
	ID     string
	Device string            // id of the sender: patch ids are per device
	Set    map[string]string // "block.key" → JSON text
	Base   map[string]uint64
	Sent   time.Time // the first time; zero: never
	Sends  int

	quiet bool // not in the ledger

	End  time.Time // of the final answer
	Done chan struct{}
	Result
}

// Result is the final answer to a patch; the zero Result is "unknown".
type Result struct {
	Acked     bool
	Revision  uint64
	Duplicate bool   // of the answer that came through
	Code      string // of a refusal
	Current   map[string]Value
}

// Answered reports whether the patch has its final answer.
func (p *Patch) Answered() bool {
	select {
	case <-p.Done:
		return true
	default:
		return false
	}
}

// body encodes the patch without its type: a PATCH body, or the middle of a
// frame. Values go out byte for byte; encoding/json would compact them.
func (p *Patch) body() []byte {
	data := append([]byte(`{"id":`), strconv.Quote(p.ID)...)
	data = append(append(data, `,"set":`...), nest(p.Set, func(text string) string { return text })...)
	if p.Base != nil {
		data = append(data, `,"base":`...)
		data = append(data, nest(p.Base, func(n uint64) string { return strconv.FormatUint(n, 10) })...)
	}
	return append(data, '}')
}

func (p *Patch) frame() []byte {
	return append([]byte(`{"type":"patch",`), p.body()[1:]...)
}

// nest encodes "block.key" names as blocks of keys.
func nest[V any](flat map[string]V, each func(V) string) string {
	blocks := make(map[string][]string)
	for _, name := range sortedKeys(flat) {
		block, key, _ := strings.Cut(name, ".")
		blocks[block] = append(blocks[block], strconv.Quote(key)+":"+each(flat[name]))
	}
	var all []string
	for _, block := range sortedKeys(blocks) {
		all = append(all, strconv.Quote(block)+":{"+strings.Join(blocks[block], ",")+"}")
	}
	return "{" + strings.Join(all, ",") + "}"
}

// flatten turns blocks of keys into "block.key" names.
func flatten[V, W any](nested map[string]map[string]V, each func(V) W) map[string]W {
	flat := make(map[string]W)
	for block, keys := range nested {
		for key, v := range keys {
			flat[block+"."+key] = each(v)
		}
	}
	return flat
}

// retryable are the refusals after which the same patch may be sent again
// (SPEC P3), and not-ready, which says that it came too early.
var retryable = map[string]bool{
	"rate-limited": true, "storage-full": true, "unavailable": true, "internal": true, "not-ready": true,
}
