package realm

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// value is a JavaScript value. Values live as long as the realm: they are not
// freed one by one.
type value = lib.TJSValue

const valueSize = unsafe.Sizeof(value{})

func undefined() value { return value{Ftag: lib.EJS_TAG_UNDEFINED} }

func integer(n int) value { return tagged(lib.EJS_TAG_INT, uint64(uint32(int32(n)))) }

func boolean(b bool) value {
	if b {
		return tagged(lib.EJS_TAG_BOOL, 1)
	}
	return tagged(lib.EJS_TAG_BOOL, 0)
}

func float(f float64) value {
	v := value{Ftag: lib.EJS_TAG_FLOAT64}
	*(*float64)(unsafe.Pointer(&v)) = f
	return v
}

func tagged(tag int64, bits uint64) value {
	v := value{Ftag: tag}
	*(*uint64)(unsafe.Pointer(&v)) = bits
	return v
}

func payload(v value) uint64 { return *(*uint64)(unsafe.Pointer(&v)) }

func asInt(v value) int {
	if v.Ftag == lib.EJS_TAG_FLOAT64 {
		return int(asFloat(v))
	}
	return int(int32(payload(v)))
}

func asFloat(v value) float64 {
	if v.Ftag == lib.EJS_TAG_FLOAT64 {
		return *(*float64)(unsafe.Pointer(&v))
	}
	return float64(int32(payload(v)))
}

func exception() value { return tagged(lib.EJS_TAG_EXCEPTION, 0) }

func isException(v value) bool { return v.Ftag == lib.EJS_TAG_EXCEPTION }
func isUndefined(v value) bool { return v.Ftag == lib.EJS_TAG_UNDEFINED }

// at is the object of the engine's memory at an address.
func at[T any](p uintptr) *T { return (*T)(unsafe.Add(nil, p)) }

// memory is n bytes of the engine's memory. Bytes that must stay are copied.
func memory(p uintptr, n int) []byte {
	if p == 0 || n == 0 {
		return nil
	}
	return unsafe.Slice(at[byte](p), n)
}

// arguments are those of a call from JavaScript.
func arguments(argc int32, argv uintptr) []value {
	if argc == 0 {
		return nil
	}
	return unsafe.Slice(at[value](argv), argc)
}

// function is what the engine calls f with: a pointer to the closure, which
// the machine keeps alive.
func function[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

// cString copies a text into memory that the engine can read, with a zero
// behind it. It is freed with libc.Xfree.
func cString[T ~string | ~[]byte](tls *libc.TLS, text T) (uintptr, error) {
	p := libc.Xmalloc(tls, libc.Tsize_t(len(text)+1))
	if p == 0 {
		return 0, fmt.Errorf("no memory for %d bytes", len(text)+1)
	}
	to := memory(p, len(text)+1)
	copy(to, text)
	to[len(text)] = 0
	return p, nil
}

// call calls fn and returns what it returns, which may be an exception.
func (m *Machine) call(fn value, args ...value) value {
	if len(args) == 0 {
		return lib.XJS_Call(m.tls, m.ctx, fn, undefined(), 0, 0)
	}
	size := len(args) * int(valueSize)
	argv := m.tls.Alloc(size)
	defer m.tls.Free(size)
	copy(unsafe.Slice(at[value](argv), len(args)), args)
	return lib.XJS_Call(m.tls, m.ctx, fn, undefined(), int32(len(args)), argv)
}

// newString makes a JavaScript string.
func (m *Machine) newString(text string) value {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	p, err := cString(m.tls, text)
	if err != nil {
		return lib.XJS_ThrowOutOfMemory(m.tls, m.ctx)
	}
	defer libc.Xfree(m.tls, p)
	return lib.XJS_NewStringLen(m.tls, m.ctx, p, libc.Tsize_t(len(text)))
}

// newBuffer makes an ArrayBuffer with a copy of b.
func (m *Machine) newBuffer(b []byte) value {
	p, err := cString(m.tls, b)
	if err != nil {
		return lib.XJS_ThrowOutOfMemory(m.tls, m.ctx)
	}
	defer libc.Xfree(m.tls, p)
	return lib.XJS_NewArrayBufferCopy(m.tls, m.ctx, p, libc.Tsize_t(len(b)))
}

// bytesArg is what a Uint8Array holds, valid until JavaScript runs again; empty
// for anything else.
func (m *Machine) bytesArg(v value) []byte {
	const size = 16
	sizes := m.tls.Alloc(size)
	defer m.tls.Free(size)
	buffer := lib.XJS_GetTypedArrayBuffer(m.tls, m.ctx, v, sizes, sizes+8, 0)
	if isException(buffer) {
		m.free(m.exception())
		return nil
	}
	// The array keeps its buffer.
	m.free(buffer)
	from, length := int(*at[libc.Tsize_t](sizes)), int(*at[libc.Tsize_t](sizes + 8))
	p := lib.XJS_GetArrayBuffer(m.tls, m.ctx, sizes, buffer)
	if whole := int(*at[libc.Tsize_t](sizes)); p == 0 || from+length > whole {
		return nil
	}
	return memory(p+uintptr(from), length)
}

// textArg is the string form of an argument; empty when there is none.
func (m *Machine) textArg(v value) string {
	text, ok := m.text(v)
	if !ok {
		m.free(m.exception())
	}
	return text
}

// free gives up a value that could be large. Most are left to the end of the
// realm.
func (m *Machine) free(v value) { lib.XFreeValue(m.tls, m.ctx, v) }

// parseJSON makes the value of a JSON text; an exception when it is malformed.
func (m *Machine) parseJSON(text []byte) value {
	p, err := cString(m.tls, text)
	if err != nil {
		return lib.XJS_ThrowOutOfMemory(m.tls, m.ctx)
	}
	defer libc.Xfree(m.tls, p)
	if v, ok := m.readJSON(p, len(text)); ok {
		return v
	}
	return lib.XJS_ParseJSON(m.tls, m.ctx, p, libc.Tsize_t(len(text)), m.names.json)
}

// text is the string form of v, well-formed UTF-8. It returns false, and an
// exception is pending, when there is none.
func (m *Machine) text(v value) (string, bool) {
	const size = int(unsafe.Sizeof(libc.Tsize_t(0)))
	n := m.tls.Alloc(size)
	defer m.tls.Free(size)
	p := lib.XJS_ToCStringLen2(m.tls, m.ctx, n, v, 0)
	if p == 0 {
		return "", false
	}
	defer lib.XJS_FreeCString(m.tls, m.ctx, p)
	b := memory(p, int(*at[libc.Tsize_t](n)))
	if !utf8.Valid(b) {
		b = bytes.ToValidUTF8(b, []byte("\uFFFD"))
	}
	return string(b), true
}

// exception takes the pending exception.
func (m *Machine) exception() value { return lib.XJS_GetException(m.tls, m.ctx) }
