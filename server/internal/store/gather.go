package store

import (
	"errors"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// gathering is the name of the VFS that the writer opens its database with. It is
// SQLite's own but for the WAL, where it gathers what is written one after the
// other, and hands it over in one piece when it is flushed. SQLite writes a page in
// two pieces, and a group of a hundred patches is four hundred pages: with 5,000
// patches a second, a quarter of the processor was these system calls.
//
// Nobody can see the difference. A reader takes from the WAL what a commit has made
// valid; with synchronous=FULL, which this needs, that comes after the flush. What
// is not flushed yet may be lost in a crash, in whatever part, also without this.
// See https://sqlite.org/walformat.html and https://sqlite.org/c3ref/io_methods.html.
const gathering = "gathering"

// gatherMost is how much is held, in bytes. SQLite's own VFS writes less than
// 128 KiB at once (os_unix.c, seekAndWriteFd), for it is never asked for more than a page.
const gatherMost = 64 << 10

// gathered is what the VFS knows of a WAL. It lies behind what SQLite's own VFS
// knows of it, in SQLite's memory, and belongs to who holds the connection.
type gathered struct {
	methods sqlite3.Tsqlite3_io_methods // what SQLite calls
	own     uintptr                     // *sqlite3.Tsqlite3_io_methods: what is called behind it
	bytes   uintptr                     // of gatherMost; 0 until the first write
	length  int64                       // of them that are to be written
	offset  int64                       // in the file
}

// ownVFS is SQLite's own VFS, and where gathered begins behind its files.
var ownVFS struct {
	vfs    uintptr // *sqlite3.Tsqlite3_vfs
	beyond uintptr
}

// registerGathering makes the VFS known to SQLite, once.
var registerGathering = sync.OnceValue(func() error {
	tls := libc.NewTLS()
	defer tls.Close()
	ownVFS.vfs = sqlite3.Xsqlite3_vfs_find(tls, 0)
	name, err := libc.CString(gathering) // SQLite keeps both for good
	place := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	if err != nil || ownVFS.vfs == 0 || place == 0 {
		return errors.Join(errors.New("no memory or no VFS"), err)
	}
	vfs := in[sqlite3.Tsqlite3_vfs](place)
	*vfs = *in[sqlite3.Tsqlite3_vfs](ownVFS.vfs)
	const word = int32(unsafe.Sizeof(uintptr(0)))
	vfs.FszOsFile = (vfs.FszOsFile + word - 1) / word * word
	ownVFS.beyond = uintptr(vfs.FszOsFile)
	vfs.FszOsFile += int32(unsafe.Sizeof(gathered{}))
	vfs.FpNext, vfs.FzName, vfs.FxOpen = 0, name, function(gatherOpen)
	if code := sqlite3.Xsqlite3_vfs_register(tls, place, 0); code != sqlite3.SQLITE_OK {
		return errors.New("SQLite does not take a VFS")
	}
	return nil
})

// gatherOpen is xOpen.
func gatherOpen(tls *libc.TLS, _, name, file uintptr, flags int32, out uintptr) int32 {
	open := in[sqlite3.Tsqlite3_vfs](ownVFS.vfs).FxOpen
	code := call[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](open)(tls, ownVFS.vfs, name, file, flags, out)
	if code != sqlite3.SQLITE_OK || flags&sqlite3.SQLITE_OPEN_WAL == 0 {
		return code
	}
	gather(file)
	return code
}

// gather begins to gather what is written to an open file.
func gather(file uintptr) {
	head, g := in[sqlite3.Tsqlite3_file](file), of(file)
	*g = gathered{own: head.FpMethods, methods: *in[sqlite3.Tsqlite3_io_methods](head.FpMethods)}
	g.methods.FxClose = function(gatherClose)
	g.methods.FxRead = function(gatherRead)
	g.methods.FxWrite = function(gatherWrite)
	g.methods.FxTruncate = function(gatherTruncate)
	g.methods.FxSync = function(gatherSync)
	g.methods.FxFileSize = function(gatherFileSize)
	head.FpMethods = file + ownVFS.beyond // methods is its first field
}

func gatherWrite(tls *libc.TLS, file, from uintptr, n int32, offset int64) int32 {
	g := of(file)
	if offset != g.offset+g.length || g.length+int64(n) > gatherMost {
		if code := g.flush(tls, file); code != sqlite3.SQLITE_OK {
			return code
		}
	}
	if g.bytes == 0 {
		g.bytes = libc.Xmalloc(tls, gatherMost)
	}
	if n > gatherMost || g.bytes == 0 {
		return g.write(tls, file, from, n, offset)
	}
	if g.length == 0 {
		g.offset = offset
	}
	copy(unsafe.Slice(in[byte](g.bytes+uintptr(g.length)), n), unsafe.Slice(in[byte](from), n)) // #nosec G103 G115 -- within gatherMost
	g.length += int64(n)
	return sqlite3.SQLITE_OK
}

// flush writes what is held. What fails is forgotten: whoever asked undoes the rest.
func (g *gathered) flush(tls *libc.TLS, file uintptr) int32 {
	n := int32(g.length) // #nosec G115 -- at most gatherMost
	if g.length = 0; n == 0 {
		return sqlite3.SQLITE_OK
	}
	return g.write(tls, file, g.bytes, n, g.offset)
}

func (g *gathered) write(tls *libc.TLS, file, from uintptr, n int32, offset int64) int32 {
	return call[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](g.ours().FxWrite)(tls, file, from, n, offset)
}

// Everything else that could tell what was written comes after it.

func gatherRead(tls *libc.TLS, file, into uintptr, n int32, offset int64) int32 {
	g := of(file)
	if code := g.flush(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	return call[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](g.ours().FxRead)(tls, file, into, n, offset)
}

func gatherTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	g := of(file)
	if code := g.flush(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	return call[func(*libc.TLS, uintptr, int64) int32](g.ours().FxTruncate)(tls, file, size)
}

func gatherSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	g := of(file)
	if code := g.flush(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	return call[func(*libc.TLS, uintptr, int32) int32](g.ours().FxSync)(tls, file, flags)
}

func gatherFileSize(tls *libc.TLS, file, size uintptr) int32 {
	g := of(file)
	if code := g.flush(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	return call[func(*libc.TLS, uintptr, uintptr) int32](g.ours().FxFileSize)(tls, file, size)
}

func gatherClose(tls *libc.TLS, file uintptr) int32 {
	g := of(file)
	flushed := g.flush(tls, file)
	libc.Xfree(tls, g.bytes)
	code := call[func(*libc.TLS, uintptr) int32](g.ours().FxClose)(tls, file)
	return max(flushed, code)
}

// of returns what is known of a WAL that is open.
func of(file uintptr) *gathered { return in[gathered](file + ownVFS.beyond) }

// ours is in what SQLite's own VFS does.
func (g *gathered) ours() *sqlite3.Tsqlite3_io_methods {
	return in[sqlite3.Tsqlite3_io_methods](g.own)
}

// SQLite is C translated to Go: its memory is not Go's, its pointers are numbers,
// and those to functions point to what Go's functions are (funcval).

// in returns what lies at an address in SQLite's memory.
func in[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) } // #nosec G103 -- allocated by SQLite

// call returns the function at an address.
func call[F any](address uintptr) F { return *(*F)(unsafe.Pointer(&address)) } // #nosec G103 -- as SQLite itself calls it

// function returns the address of a function, one of a package's.
func function[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) } // #nosec G103 -- as SQLite has its own
