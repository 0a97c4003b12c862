//go:build amd64 || arm64

package realm

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// maxDepth is how deep a value may be nested to be read or written by us; what is
// deeper, and what holds itself, is left to the engine.
const maxDepth = 512

// quickJSON puts ways of ours before the engine's JSON.parse and JSON.stringify,
// which read and write plain values straight in the engine's memory. They know
// nothing of what is rare, and run no code of anybody: whatever is wrong or
// unusual they leave, as if they had not begun, to the engine's own, whose
// results, errors and order of calls are those of the language.
func (m *Machine) quickJSON() error {
	global := lib.XJS_GetGlobalObject(m.tls, m.ctx)
	defer m.free(global)
	object := lib.XJS_GetPropertyStr(m.tls, m.ctx, global, m.names.json)
	if isException(object) {
		return m.failed("find JSON")
	}
	defer m.free(object)
	return errors.Join(
		m.precede(object, "parse", 2, func(args []value) (value, bool) {
			if lib.XJS_IsFunction(m.tls, m.ctx, args[1]) != 0 {
				return value{}, false
			}
			return m.readText(args[0])
		}),
		m.precede(object, "stringify", 3, func(args []value) (value, bool) {
			if !isNothing(args[1]) || !isNothing(args[2]) {
				return value{}, false
			}
			return m.writeJSON(args[0])
		}))
}

// precede puts a function before one of the engine's, which is called when quick
// does not know the result.
func (m *Machine) precede(object value, name string, arity int32, quick func(args []value) (value, bool)) error {
	cName, err := cString(m.tls, name)
	if err != nil {
		return err
	}
	defer libc.Xfree(m.tls, cName)
	original := lib.XJS_GetPropertyStr(m.tls, m.ctx, object, cName)
	if isException(original) {
		return m.failed("find JSON." + name)
	}
	closure := func(_ *libc.TLS, _ uintptr, this value, argc int32, argv uintptr) value {
		if v, ok := quick(arguments(max(argc, arity), argv)); ok {
			return v
		}
		return lib.XJS_Call(m.tls, m.ctx, original, this, argc, argv)
	}
	m.closures = append(m.closures, closure)
	f := lib.XJS_NewCFunction2(m.tls, m.ctx, function(closure), cName, arity, lib.EJS_CFUNC_generic, 0)
	const flags = lib.MJS_PROP_CONFIGURABLE | lib.MJS_PROP_WRITABLE
	if isException(f) || lib.XJS_DefinePropertyValueStr(m.tls, m.ctx, object, cName, f, flags) < 0 {
		return m.failed("replace JSON." + name)
	}
	return nil
}

func isNothing(v value) bool { return v.Ftag == lib.EJS_TAG_UNDEFINED || v.Ftag == lib.EJS_TAG_NULL }

func isText(v value) bool { return v.Ftag == lib.EJS_TAG_STRING || v.Ftag == lib.EJS_TAG_STRING_ROPE }

// readText makes the value of a string of JSON.
func (m *Machine) readText(text value) (value, bool) {
	if !isText(text) {
		return value{}, false
	}
	flat := lib.XJS_ToString(m.tls, m.ctx, text) // the parts of a rope in one piece
	if isException(flat) {
		m.free(m.exception())
		return value{}, false
	}
	defer m.free(flat)
	p := pointer(flat)
	n, wide := textLength(p)
	if !wide && isASCII(unitsOf[uint8](p, n)) {
		return m.readJSON(p+textHead, n)
	}
	const size = 8
	length := m.tls.Alloc(size)
	defer m.tls.Free(size)
	if p = lib.XJS_ToCStringLen2(m.tls, m.ctx, length, flat, 0); p == 0 {
		m.free(m.exception())
		return value{}, false
	}
	defer lib.XJS_FreeCString(m.tls, m.ctx, p)
	return m.readJSON(p, int(*at[libc.Tsize_t](length)))
}

// isASCII reports whether the bytes of a text are its UTF-8 too.
func isASCII(text []byte) bool {
	for ; len(text) >= wordSize; text = text[wordSize:] {
		if binary.LittleEndian.Uint64(text)&highs != 0 {
			return false
		}
	}
	for _, b := range text {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
