package store

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
	"pgregory.net/rapid"

	"social-server/internal/settings"
)

// pieces is a file of the operating system's: what SQLite's own VFS would write to.
type pieces struct {
	content []byte
	writes  int
	fail    int32 // what the next write answers; nothing is written then
}

// opened are the pieces by the address of their file. SQLite's own VFS, too, finds
// its file by nothing else. It is the tests' that run one at a time.
var opened = map[uintptr]*pieces{}

// gatheredFile returns a file as gatherOpen leaves it, with pieces behind it.
func gatheredFile(tls *libc.TLS) (at uintptr, behind *pieces) {
	own := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
	*in[sqlite3.Tsqlite3_io_methods](own) = sqlite3.Tsqlite3_io_methods{
		FxClose: function(func(tls *libc.TLS, file uintptr) int32 { delete(opened, file); return sqlite3.SQLITE_OK }),
		FxRead: function(func(_ *libc.TLS, file, into uintptr, n int32, offset int64) int32 {
			copy(unsafe.Slice(in[byte](into), n), opened[file].content[offset:])
			return sqlite3.SQLITE_OK
		}),
		FxWrite: function(func(_ *libc.TLS, file, from uintptr, n int32, offset int64) int32 {
			p := opened[file]
			if code := p.fail; code != sqlite3.SQLITE_OK {
				p.fail = sqlite3.SQLITE_OK
				return code
			}
			p.writes++
			n &= 1<<17 - 1 // as SQLite's own does
			p.content = overwritten(p.content, unsafe.Slice(in[byte](from), n), offset)
			return sqlite3.SQLITE_OK
		}),
		FxTruncate: function(func(_ *libc.TLS, file uintptr, size int64) int32 {
			opened[file].content = opened[file].content[:size]
			return sqlite3.SQLITE_OK
		}),
		FxSync: function(func(*libc.TLS, uintptr, int32) int32 { return sqlite3.SQLITE_OK }),
		FxFileSize: function(func(_ *libc.TLS, file, size uintptr) int32 {
			*in[int64](size) = int64(len(opened[file].content))
			return sqlite3.SQLITE_OK
		}),
	}
	at = libc.Xcalloc(tls, 1, libc.Tsize_t(ownVFS.beyond+unsafe.Sizeof(file{})))
	in[sqlite3.Tsqlite3_file](at).FpMethods = own
	gather(at)
	opened[at] = &pieces{}
	return at, opened[at]
}

// overwritten returns content with some bytes written at an offset, as a file does it.
func overwritten(content, some []byte, offset int64) []byte {
	if end := offset + int64(len(some)); end > int64(len(content)) {
		content = append(content, make([]byte, end-int64(len(content)))...)
	}
	copy(content[offset:], some)
	return content
}

// methods are what SQLite calls of a file.
func methods(file uintptr) *sqlite3.Tsqlite3_io_methods {
	return in[sqlite3.Tsqlite3_io_methods](in[sqlite3.Tsqlite3_file](file).FpMethods)
}

// A WAL that is gathered is, whenever anything can tell, what was written to it;
// and the pages of a group are written at once.
func TestGatheredIsWhatWasWritten(t *testing.T) {
	if err := registerVFS(); err != nil {
		t.Fatal(err)
	}
	tls := libc.NewTLS()
	defer tls.Close()
	rapid.Check(t, func(t *rapid.T) {
		file, behind := gatheredFile(tls)
		var model []byte
		next := int64(0) // where the last write ended
		memory := libc.Xmalloc(tls, 2*gatherMost)
		defer libc.Xfree(tls, memory)
		m := methods(file)
		put := func(some []byte, offset int64) {
			copy(unsafe.Slice(in[byte](memory), len(some)), some)
			code := call[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](m.FxWrite)(tls, file, memory, int32(len(some)), offset)
			if code != sqlite3.SQLITE_OK {
				t.Fatalf("write: %d", code)
			}
			model, next = overwritten(model, some, offset), offset+int64(len(some))
		}
		synced := func() {
			if code := call[func(*libc.TLS, uintptr, int32) int32](m.FxSync)(tls, file, sqlite3.SQLITE_SYNC_NORMAL); code != sqlite3.SQLITE_OK {
				t.Fatalf("sync: %d", code)
			}
			if !bytes.Equal(behind.content, model) {
				t.Fatal("what was flushed is not what was written")
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) { put(some(t), next) },
			"elsewhere": func(t *rapid.T) { // never beyond the end: SQLite leaves no holes
				put(some(t), rapid.Int64Range(0, int64(len(model))).Draw(t, "offset"))
			},
			"frames": func(t *rapid.T) { // a group: many small writes, one after the other
				synced()
				before, n := behind.writes, rapid.IntRange(1, 15).Draw(t, "frames")
				for range n {
					put(make([]byte, 24), next)
					put(bytes.Repeat([]byte{byte(n)}, 4096), next)
				}
				synced()
				if made := behind.writes - before; made != 1 {
					t.Fatalf("%d frames became %d writes", n, made)
				}
			},
			"sync": func(*rapid.T) { synced() },
			"read": func(t *rapid.T) {
				if len(model) == 0 {
					return
				}
				at := rapid.IntRange(0, len(model)-1).Draw(t, "from")
				n := min(len(model)-at, 5000)
				code := call[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](m.FxRead)(tls, file, memory, int32(n), int64(at))
				if got := unsafe.Slice(in[byte](memory), n); code != sqlite3.SQLITE_OK || !bytes.Equal(got, model[at:at+n]) {
					t.Fatalf("read %d bytes at %d: %d, not what was written", n, at, code)
				}
			},
			"size": func(t *rapid.T) {
				code := call[func(*libc.TLS, uintptr, uintptr) int32](m.FxFileSize)(tls, file, memory)
				if size := *in[int64](memory); code != sqlite3.SQLITE_OK || size != int64(len(model)) {
					t.Fatalf("size %d (%d) instead of %d", size, code, len(model))
				}
			},
			"truncate": func(t *rapid.T) {
				size := rapid.Int64Range(0, int64(len(model))).Draw(t, "size")
				if code := call[func(*libc.TLS, uintptr, int64) int32](m.FxTruncate)(tls, file, size); code != sqlite3.SQLITE_OK {
					t.Fatalf("truncate: %d", code)
				}
				model, next = model[:size], size
			},
		})
		if code := call[func(*libc.TLS, uintptr) int32](m.FxClose)(tls, file); code != sqlite3.SQLITE_OK || !bytes.Equal(behind.content, model) {
			t.Fatalf("closed: %d, and what was written is lost", code)
		}
	})
}

func some(t *rapid.T) []byte {
	n := rapid.SampledFrom([]int{1, 24, 32, 4096, gatherMost - 1, gatherMost, gatherMost + 1}).Draw(t, "bytes")
	return bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, n)
}

// What cannot be written fails the flush that was to write it, and is not written
// later: the transaction that it belongs to is undone.
func TestGatheredFails(t *testing.T) {
	if err := registerVFS(); err != nil {
		t.Fatal(err)
	}
	tls := libc.NewTLS()
	defer tls.Close()
	file, behind := gatheredFile(tls)
	m := methods(file)
	page := libc.Xcalloc(tls, 1, 4096)
	defer libc.Xfree(tls, page)
	put := func(offset int64) int32 {
		return call[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](m.FxWrite)(tls, file, page, 4096, offset)
	}
	sync := func() int32 {
		return call[func(*libc.TLS, uintptr, int32) int32](m.FxSync)(tls, file, sqlite3.SQLITE_SYNC_NORMAL)
	}
	behind.fail = sqlite3.SQLITE_FULL
	if code := put(0); code != sqlite3.SQLITE_OK {
		t.Errorf("what is only held failed: %d", code)
	}
	if code := sync(); code != sqlite3.SQLITE_FULL {
		t.Errorf("sync on a full disk: %d", code)
	}
	if code := sync(); code != sqlite3.SQLITE_OK || len(behind.content) != 0 {
		t.Errorf("the next sync: %d, and %d bytes written", code, len(behind.content))
	}
	_, behind.fail = put(0), sqlite3.SQLITE_IOERR_WRITE
	if code := put(8192); code != sqlite3.SQLITE_IOERR_WRITE { // elsewhere: what is held goes first
		t.Errorf("the write after: %d", code)
	}
	_, behind.fail = put(0), sqlite3.SQLITE_FULL
	if code := call[func(*libc.TLS, uintptr) int32](m.FxClose)(tls, file); code != sqlite3.SQLITE_FULL || len(opened) != 0 {
		t.Errorf("close: %d, %d files left open", code, len(opened))
	}
}

// A group of more pages than are held at once is in the WAL like any other: another
// connection reads it at once, and the database is sound.
func TestGroupOfManyPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "social.db")
	s := openAt(t, path)
	defer s.Close()
	populate(t, s)
	const patches = 100 // with some 12 kB each, to three tables
	text := func(i int) string { return fmt.Sprintf(`"%s %d"`, strings.Repeat("x", 12_000), i) }
	var group []*settings.Write
	for i := range patches {
		group = append(group, write("u_1", "d_1", fmt.Sprint("p", i), fmt.Sprintf(`{"user":{"k%02d":%s}}`, i%20, text(i))))
	}
	commit(t, s, group...)
	_, entries, err := s.Changed(t.Context(), "u_1", 0)
	if err != nil || len(entries) != 20 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, e := range entries {
		if want := text(int(e.Revision) - 1); e.Text != want {
			t.Errorf("revision %d holds %d bytes, ending with %s", e.Revision, len(e.Text), e.Text[len(e.Text)-8:])
		}
	}
	if err := integrity(t.Context(), s.read, "integrity_check"); err != nil {
		t.Error(err)
	}
}
