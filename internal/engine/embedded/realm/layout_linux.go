//go:build amd64 || arm64

package realm

import (
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// How the engine lays out what it keeps in memory, as far as its Go types do not
// tell: bit fields, and what follows a struct. It is that of Version, on machines
// with addresses of 64 bits.
const (
	// textHead is how many bytes of a string stand before its units.
	textHead = 12
	// wideText is set in the first word of a string whose units have two bytes; the
	// rest of that word is how many units there are.
	wideText = 1 << 31
	// atomType is where the kind of an atom begins in its second word.
	atomType = 30
	// taggedInt is set in an atom that is a number and no text.
	taggedInt = 1 << 31

	// exotic and fastArray are bits of the byte of flags of an object.
	exotic    = 1 << 3
	fastArray = 1 << 4
	flagsAt   = unsafe.Sizeof(lib.TJSGCObjectHeader{})

	// propertyFlags is where the flags begin in the first word of a property of a shape.
	propertyFlags = 26

	propertySize = int(unsafe.Sizeof(lib.TJSProperty{}))
)

// elements is what an array keeps in its object.
type elements struct {
	size, _ uint32
	values  uintptr
	count   uint32
}

// textAtom is an atom that is a text: its address leads to a string.
func (m *Machine) textAtom(atom lib.TJSAtom) uintptr {
	return *at[uintptr](at[lib.TJSRuntime](m.rt).Fatom_array + uintptr(atom)*unsafe.Sizeof(uintptr(0)))
}

// references counts who holds a block of the engine's memory.
func references(p uintptr) *int32 { return at[int32](p - unsafe.Sizeof(int32(0))) }

func pointer(v value) uintptr { return uintptr(payload(v)) }

func flagsOf(object uintptr) uint8 { return *at[uint8](object + flagsAt) }

func elementsOf(array uintptr) *elements {
	return at[elements](array + unsafe.Offsetof(lib.TJSObject{}.Fu))
}

// valuesAt are n values that lie one behind the other.
func valuesAt(p uintptr, n int) []value { return unsafe.Slice(at[value](p), n) }

// propertiesOf are the properties of a shape, those that were deleted too.
func propertiesOf(shape uintptr) []lib.TJSShapeProperty {
	s := at[lib.TJSShape](shape)
	hashes := (uintptr(s.Fprop_hash_mask) + 1) * unsafe.Sizeof(uint32(0))
	return unsafe.Slice(at[lib.TJSShapeProperty](shape+unsafe.Sizeof(*s)+hashes), s.Fprop_count)
}

// unit is what a string is made of: bytes of Latin-1, or UTF-16.
type unit interface{ uint8 | uint16 }

func isWide[U unit]() bool { return unsafe.Sizeof(U(0)) == 2 }

// textLength tells how long a string is, and whether its units have two bytes.
func textLength(p uintptr) (units int, wide bool) {
	word := *at[uint32](p)
	return int(word &^ wideText), word&wideText != 0
}

// unitsOf are the units of a string.
func unitsOf[U unit](p uintptr, n int) []U { return unsafe.Slice(at[U](p+textHead), n) }

// textSize is how many bytes a string of n units takes.
func textSize[U unit](n int) libc.Tsize_t {
	if isWide[U]() {
		return libc.Tsize_t(textHead + 2*n)
	}
	return libc.Tsize_t(textHead + n + 1)
}

// setText makes a string of n units of memory of its size, whose units are there.
func setText[U unit](p uintptr, n int) value {
	*references(p) = 1
	word := uint32(n)
	if isWide[U]() {
		word |= wideText
	} else {
		*at[uint8](p + textHead + uintptr(n)) = 0
	}
	*at[uint32](p), *at[uint32](p + 4), *at[uint32](p + 8) = word, 0, 0
	return tagged(lib.EJS_TAG_STRING, uint64(p))
}

// newText makes a string of units, of which there is at least one.
func newText[U unit](m *Machine, units []U) value {
	p := m.take(uintptr(textSize[U](len(units))))
	if p == 0 {
		return exception()
	}
	copy(unitsOf[U](p, len(units)), units)
	return setText[U](p, len(units))
}
