package store

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// What SQLite writes to the WAL one after the other is gathered, and handed over in
// one piece when it is flushed. SQLite writes a page in two pieces, and a group of a
// hundred patches is four hundred pages: with 5,000 patches a second, a quarter of
// the processor was these system calls.
//
// Nobody can see the difference. A reader takes from the WAL what a commit has made
// valid; with synchronous=FULL, which this needs, that comes after the flush. What
// is not flushed yet may be lost in a crash, in whatever part, also without this.
// See https://sqlite.org/walformat.html and https://sqlite.org/c3ref/io_methods.html.

// gatherMost is how much is held, in bytes. SQLite's own VFS writes less than
// 128 KiB at once (os_unix.c, seekAndWriteFd), for it is never asked for more than a page.
const gatherMost = 64 << 10

// gathered is what the VFS holds of a WAL.
type gathered struct {
	bytes  uintptr // of gatherMost; 0 until the first write
	length int64   // of them that are to be written
	offset int64   // in the file
}

// gather begins to gather what is written to an open file. Everything that could
// tell what was written comes after it.
func gather(at uintptr) {
	m := &takeOver(at).methods
	m.FxClose, m.FxRead, m.FxWrite = function(gatherClose), function(gatherRead), function(gatherWrite)
	m.FxTruncate, m.FxSync, m.FxFileSize = function(gatherTruncate), function(gatherSync), function(gatherFileSize)
}

func gatherWrite(tls *libc.TLS, at, from uintptr, n int32, offset int64) int32 {
	f := of(at)
	if offset != f.offset+f.length || f.length+int64(n) > gatherMost {
		if code := f.flush(tls, at); code != sqlite3.SQLITE_OK {
			return code
		}
	}
	if f.bytes == 0 {
		f.bytes = libc.Xmalloc(tls, gatherMost)
	}
	if n > gatherMost || f.bytes == 0 {
		return f.write(tls, at, from, n, offset)
	}
	if f.length == 0 {
		f.offset = offset
	}
	copy(unsafe.Slice(in[byte](f.bytes+uintptr(f.length)), n), unsafe.Slice(in[byte](from), n)) // #nosec G103 G115 -- within gatherMost
	f.length += int64(n)
	return sqlite3.SQLITE_OK
}

// flush writes what is held. What fails is forgotten: whoever asked undoes the rest.
func (f *file) flush(tls *libc.TLS, at uintptr) int32 {
	n := int32(f.length) // #nosec G115 -- at most gatherMost
	if f.length = 0; n == 0 {
		return sqlite3.SQLITE_OK
	}
	return f.write(tls, at, f.bytes, n, f.offset)
}

func gatherRead(tls *libc.TLS, at, into uintptr, n int32, offset int64) int32 {
	f := of(at)
	if code := f.flush(tls, at); code != sqlite3.SQLITE_OK {
		return code
	}
	return call[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f.ours().FxRead)(tls, at, into, n, offset)
}

func gatherTruncate(tls *libc.TLS, at uintptr, size int64) int32 {
	f := of(at)
	if code := f.flush(tls, at); code != sqlite3.SQLITE_OK {
		return code
	}
	return call[func(*libc.TLS, uintptr, int64) int32](f.ours().FxTruncate)(tls, at, size)
}

func gatherSync(tls *libc.TLS, at uintptr, flags int32) int32 {
	f := of(at)
	if code := f.flush(tls, at); code != sqlite3.SQLITE_OK {
		return code
	}
	return call[func(*libc.TLS, uintptr, int32) int32](f.ours().FxSync)(tls, at, flags)
}

func gatherFileSize(tls *libc.TLS, at, size uintptr) int32 {
	f := of(at)
	if code := f.flush(tls, at); code != sqlite3.SQLITE_OK {
		return code
	}
	return call[func(*libc.TLS, uintptr, uintptr) int32](f.ours().FxFileSize)(tls, at, size)
}

func gatherClose(tls *libc.TLS, at uintptr) int32 {
	f := of(at)
	flushed := f.flush(tls, at)
	libc.Xfree(tls, f.bytes)
	code := call[func(*libc.TLS, uintptr) int32](f.ours().FxClose)(tls, at)
	return max(flushed, code)
}
