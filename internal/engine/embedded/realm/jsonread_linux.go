//go:build amd64 || arm64

package realm

import (
	"bytes"
	"math"
	"strconv"
	"unsafe"

	lib "modernc.org/libquickjs"
)

// readJSON makes the value of n bytes of JSON in the engine's memory. It returns
// false, and nothing has happened, when it does not know the value: the text is
// malformed, unusual, or there is no memory.
func (m *Machine) readJSON(p uintptr, n int) (value, bool) {
	r := jsonReader{m: m, from: p, text: memory(p, n), root: &keyNode{}, freeing: freeing{m: m}}
	defer r.close()
	// What is read makes no garbage, and the larger it grows the longer would be
	// looked for some in it. But code that does nothing else may make garbage of it
	// each time, and the engine looks only when it makes an object itself.
	rt := at[lib.TJSRuntime](m.rt)
	threshold, size := rt.Fmalloc_gc_threshold, &rt.Fmalloc_ctx.Fmalloc_state.Fmalloc_size
	if *size > threshold {
		lib.XJS_RunGC(m.tls, m.rt)
		threshold = *size + *size/2 // the engine's own rule
	}
	lib.XJS_SetGCThreshold(m.tls, m.rt, math.MaxUint64)
	defer lib.XJS_SetGCThreshold(m.tls, m.rt, threshold)
	v, ok := r.value(0)
	if !ok {
		return value{}, false
	}
	if r.space(); r.at != len(r.text) {
		m.free(v)
		return value{}, false
	}
	return v, true
}

// jsonReader reads one text of JSON.
type jsonReader struct {
	m    *Machine
	from uintptr // where the text begins
	text []byte
	at   int
	// values are those that the arrays and objects have which are being read. They
	// lie in the engine's memory, for its bound to hold for them.
	values values
	// atoms are the keys of objects that have no node.
	atoms []lib.TJSAtom
	root  *keyNode
	nodes []*keyNode
	// units are those of a text with escapes.
	units []uint16
	// bare is an array without elements, which others are copies of.
	bare value
	// texts are short strings that were read, by what they hold.
	texts   []shortText
	freeing freeing
}

// close frees what was not handed on.
func (r *jsonReader) close() {
	for _, n := range r.nodes {
		lib.XJS_FreeAtom(r.m.tls, r.m.ctx, n.atom)
		r.m.free(n.sample)
	}
	for _, a := range r.atoms {
		lib.XJS_FreeAtom(r.m.tls, r.m.ctx, a)
	}
	r.values.close(r.m)
	for _, t := range r.texts {
		r.freeing.drop(t.value, 0)
	}
	r.m.free(r.bare)
	r.m.free(r.m.exception()) // of memory that there was none of
}

func (r *jsonReader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// next is the byte after white space; 0 at the end.
func (r *jsonReader) next() byte {
	r.space()
	if r.at == len(r.text) {
		return 0
	}
	return r.text[r.at]
}

// takes passes a byte after white space, if it is the next.
func (r *jsonReader) takes(b byte) bool {
	if r.next() != b {
		return false
	}
	r.at++
	return true
}

func (r *jsonReader) value(depth int) (value, bool) {
	if depth == maxDepth {
		return value{}, false
	}
	switch b := r.next(); b {
	case '"':
		r.at++
		return r.string()
	case '{':
		r.at++
		return r.object(depth)
	case '[':
		r.at++
		return r.array(depth)
	case 't':
		return r.word("true", boolean(true))
	case 'f':
		return r.word("false", boolean(false))
	case 'n':
		return r.word("null", value{Ftag: lib.EJS_TAG_NULL})
	default:
		return r.number()
	}
}

func (r *jsonReader) word(word string, v value) (value, bool) {
	if !bytes.HasPrefix(r.text[r.at:], []byte(word)) {
		return v, false
	}
	r.at += len(word)
	return v, true
}

func (r *jsonReader) array(depth int) (value, bool) {
	first := r.values.n
	if r.takes(']') {
		return r.newArray(first)
	}
	for {
		v, ok := r.value(depth + 1)
		if !ok || !r.values.push(r.m, v) {
			return value{}, false
		}
		if r.takes(']') {
			return r.newArray(first)
		}
		if !r.takes(',') {
			return value{}, false
		}
	}
}

// newArray makes an array of the values from the first one on.
func (r *jsonReader) newArray(first int) (value, bool) {
	if r.bare.Ftag != lib.EJS_TAG_OBJECT {
		if r.bare = lib.XJS_NewArray(r.m.tls, r.m.ctx); isException(r.bare) {
			return value{}, false
		}
		*at[value](at[lib.TJSObject](pointer(r.bare)).Fprop) = integer(0)
	}
	p := r.m.copyObject(pointer(r.bare))
	if p == 0 {
		return value{}, false
	}
	v, elements := tagged(lib.EJS_TAG_OBJECT, uint64(p)), r.values.from(first)
	*at[value](at[lib.TJSObject](p).Fprop) = integer(len(elements)) // its length
	if len(elements) == 0 {
		return v, true
	}
	q := r.m.take(uintptr(len(elements)) * valueSize)
	if q == 0 {
		r.m.free(v)
		return value{}, false
	}
	copy(valuesAt(q, len(elements)), elements)
	e := elementsOf(p)
	e.size, e.values, e.count = uint32(len(elements)), q, uint32(len(elements))
	r.values.n = first
	return v, true
}

// Bounds of the digits of a number: how many surely fit an int32, and how many a
// float64 has exactly.
const (
	intDigits   = 9
	exactDigits = 15
)

// powers of ten that a float64 has exactly.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

func (r *jsonReader) number() (value, bool) {
	begin := r.at
	negative := r.at < len(r.text) && r.text[r.at] == '-'
	if negative {
		r.at++
	}
	first := r.at
	digits, whole := r.digits(0)
	if whole == 0 || (whole > 1 && r.text[first] == '0') {
		return value{}, false
	}
	fraction, exponent := 0, false
	if r.at < len(r.text) && r.text[r.at] == '.' {
		r.at++
		if digits, fraction = r.digits(digits); fraction == 0 {
			return value{}, false
		}
	}
	if r.at < len(r.text) && r.text[r.at]|0x20 == 'e' {
		exponent = true
		if r.at++; r.at < len(r.text) && (r.text[r.at] == '+' || r.text[r.at] == '-') {
			r.at++
		}
		if _, n := r.digits(0); n == 0 {
			return value{}, false
		}
	}
	switch {
	case exponent || whole+fraction > exactDigits:
		// Too large a number is infinite, which ParseFloat returns beside its error.
		f, _ := strconv.ParseFloat(unsafe.String(&r.text[begin], r.at-begin), 64)
		return float(f), true
	case fraction == 0 && whole <= intDigits && (digits != 0 || !negative):
		if negative {
			digits = -digits
		}
		return integer(digits), true
	}
	// One division of exact numbers is rounded as the number itself.
	f := float64(digits) / powers[fraction]
	if negative {
		f = -f
	}
	return float(f), true
}

// digits passes digits and returns the number that they make behind n, as far as
// it is not too large, and how many there are.
func (r *jsonReader) digits(n int) (number, count int) {
	begin := r.at
	for r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9' {
		n = 10*n + int(r.text[r.at]-'0')
		r.at++
	}
	return n, r.at - begin
}
