package store

import (
	"errors"
	"runtime"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// vfsName is the VFS that a server opens its database with: SQLite's own, but that
// the WAL is gathered, and who moves it into the database lets others go first.
// See https://sqlite.org/vfs.html.
const vfsName = "social"

// file is what the VFS knows of an open file. It lies behind what SQLite's own VFS
// knows of it, in SQLite's memory, and belongs to who holds the connection.
type file struct {
	methods sqlite3.Tsqlite3_io_methods // what SQLite calls
	own     uintptr                     // *sqlite3.Tsqlite3_io_methods: what is called behind it
	gathered
}

// ownVFS is SQLite's own VFS, and where ours begins behind its files.
var ownVFS struct {
	vfs    uintptr // *sqlite3.Tsqlite3_vfs
	beyond uintptr
}

// registerVFS makes the VFS known to SQLite, once.
var registerVFS = sync.OnceValue(func() error {
	tls := libc.NewTLS()
	defer tls.Close()
	ownVFS.vfs = sqlite3.Xsqlite3_vfs_find(tls, 0)
	name, err := libc.CString(vfsName) // SQLite keeps both for good
	place := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	if err != nil || ownVFS.vfs == 0 || place == 0 {
		return errors.Join(errors.New("no memory or no VFS"), err)
	}
	vfs := in[sqlite3.Tsqlite3_vfs](place)
	*vfs = *in[sqlite3.Tsqlite3_vfs](ownVFS.vfs)
	const word = int32(unsafe.Sizeof(uintptr(0)))
	vfs.FszOsFile = (vfs.FszOsFile + word - 1) / word * word
	ownVFS.beyond = uintptr(vfs.FszOsFile)
	vfs.FszOsFile += int32(unsafe.Sizeof(file{}))
	vfs.FpNext, vfs.FzName, vfs.FxOpen = 0, name, function(openFile)
	if code := sqlite3.Xsqlite3_vfs_register(tls, place, 0); code != sqlite3.SQLITE_OK {
		return errors.New("SQLite does not take a VFS")
	}
	return nil
})

// openFile is xOpen.
func openFile(tls *libc.TLS, _, name, at uintptr, flags int32, out uintptr) int32 {
	open := in[sqlite3.Tsqlite3_vfs](ownVFS.vfs).FxOpen
	code := call[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](open)(tls, ownVFS.vfs, name, at, flags, out)
	switch {
	case code != sqlite3.SQLITE_OK:
	case flags&sqlite3.SQLITE_OPEN_WAL != 0:
		gather(at)
	case flags&sqlite3.SQLITE_OPEN_MAIN_DB != 0:
		takeOver(at).methods.FxWrite = function(yieldingWrite)
	}
	return code
}

// takeOver has SQLite call a file's methods here, which begin as its own.
func takeOver(at uintptr) *file {
	head, f := in[sqlite3.Tsqlite3_file](at), of(at)
	*f = file{own: head.FpMethods, methods: *in[sqlite3.Tsqlite3_io_methods](head.FpMethods)}
	head.FpMethods = at + ownVFS.beyond // methods is its first field
	return f
}

// of returns what is known of a file that was taken over.
func of(at uintptr) *file { return in[file](at + ownVFS.beyond) }

// ours is in what SQLite's own VFS does.
func (f *file) ours() *sqlite3.Tsqlite3_io_methods {
	return in[sqlite3.Tsqlite3_io_methods](f.own)
}

func (f *file) write(tls *libc.TLS, at, from uintptr, n int32, offset int64) int32 {
	return call[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f.ours().FxWrite)(tls, at, from, n, offset)
}

// yieldingWrite writes a page to the database. That is done by a checkpoint alone,
// thousands at once, while others have somebody who waits: on one core they waited
// 10 ms and more for each turn of theirs.
func yieldingWrite(tls *libc.TLS, at, from uintptr, n int32, offset int64) int32 {
	runtime.Gosched()
	return of(at).write(tls, at, from, n, offset)
}

// SQLite is C translated to Go: its memory is not Go's, its pointers are numbers,
// and those to functions point to what Go's functions are (funcval).

// in returns what lies at an address in SQLite's memory.
func in[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) } // #nosec G103 -- allocated by SQLite

// call returns the function at an address.
func call[F any](address uintptr) F { return *(*F)(unsafe.Pointer(&address)) } // #nosec G103 -- as SQLite itself calls it

// function returns the address of a function, one of a package's.
func function[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) } // #nosec G103 -- as SQLite has its own
