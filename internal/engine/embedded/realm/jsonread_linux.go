//go:build amd64 || arm64

package realm

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// readJSON makes the value of n bytes of JSON in the engine's memory. It returns
// false, and nothing has happened, when it does not know the value: the text is
// malformed, unusual, or there is no memory.
func (m *Machine) readJSON(p uintptr, n int) (value, bool) {
	r := jsonReader{m: m, from: p, text: memory(p, n), root: &keyNode{}}
	defer r.close()
	// What is read makes no garbage, and the larger it grows the longer would be
	// looked for some in it.
	threshold := at[lib.TJSRuntime](m.rt).Fmalloc_gc_threshold
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
	// empty is an object without properties, kept for its shape to stay.
	empty value
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
	r.m.free(r.empty)
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
	v := lib.XJS_NewArray(r.m.tls, r.m.ctx)
	elements := r.values.from(first)
	if isException(v) || len(elements) == 0 {
		return v, !isException(v)
	}
	p := lib.Xjs_malloc(r.m.tls, r.m.ctx, libc.Tsize_t(len(elements)*int(valueSize)))
	if p == 0 {
		r.m.free(v)
		return value{}, false
	}
	copy(valuesAt(p, len(elements)), elements)
	e := elementsOf(pointer(v))
	e.size, e.values, e.count = uint32(len(elements)), p, uint32(len(elements))
	*at[value](at[lib.TJSObject](pointer(v)).Fprop) = integer(len(elements)) // its length
	r.values.n = first
	return v, true
}

// plain are the bytes of ASCII that stand for themselves in a string.
var plain = func() (plain [256]bool) {
	for b := byte(' '); b < utf8.RuneSelf; b++ {
		plain[b] = b != '"' && b != '\\'
	}
	return plain
}()

// string makes the text whose quote was passed.
func (r *jsonReader) string() (value, bool) {
	begin := r.at
	for r.at < len(r.text) && plain[r.text[r.at]] {
		r.at++
	}
	if r.at == len(r.text) {
		return value{}, false
	}
	if r.text[r.at] == '"' {
		text := r.text[begin:r.at]
		r.at++
		if len(text) == 0 {
			return r.m.newString(""), true
		}
		v := newText(r.m, text)
		return v, !isException(v)
	}
	return r.unusualString(begin)
}

// unusualString makes a text with escapes or with more than ASCII, that begins at
// some place.
func (r *jsonReader) unusualString(begin int) (value, bool) {
	r.units = r.units[:0]
	for _, b := range r.text[begin:r.at] {
		r.units = append(r.units, uint16(b))
	}
	wide := false
	for {
		if r.at == len(r.text) {
			return value{}, false
		}
		b := r.text[r.at]
		switch {
		case plain[b]:
			r.at++
			r.units = append(r.units, uint16(b))
		case b == '"':
			r.at++
			return r.newUnits(wide)
		case b == '\\':
			u, ok := r.escape()
			if !ok {
				return value{}, false
			}
			wide = wide || u > 0xff
			r.units = append(r.units, u)
		default:
			c, size := utf8.DecodeRune(r.text[r.at:])
			if b < utf8.RuneSelf || c == utf8.RuneError {
				return value{}, false
			}
			r.at += size
			wide = wide || c > 0xff
			r.units = utf16.AppendRune(r.units, c)
		}
	}
}

func (r *jsonReader) newUnits(wide bool) (value, bool) {
	if len(r.units) == 0 {
		return r.m.newString(""), true
	}
	v := value{}
	if wide {
		v = newText(r.m, r.units)
	} else {
		text := make([]byte, len(r.units))
		for i, u := range r.units {
			text[i] = byte(u)
		}
		v = newText(r.m, text)
	}
	return v, !isException(v)
}

// escapes are the letters that stand for another character after a backslash.
var escapes = [256]uint16{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape passes an escape and returns what it stands for.
func (r *jsonReader) escape() (uint16, bool) {
	rest := r.text[r.at+1:]
	switch {
	case len(rest) > 0 && escapes[rest[0]] != 0:
		r.at += 2
		return escapes[rest[0]], true
	case len(rest) > 4 && rest[0] == 'u':
		u := uint16(0)
		for _, b := range rest[1:5] {
			switch {
			case b >= '0' && b <= '9':
				u = u<<4 | uint16(b-'0')
			case b|0x20 >= 'a' && b|0x20 <= 'f':
				u = u<<4 | uint16(b|0x20-'a'+10)
			default:
				return 0, false
			}
		}
		r.at += 6
		return u, true
	}
	return 0, false
}

// maxDigits is how many digits a number has at most that surely fits an int32.
const maxDigits = 9

func (r *jsonReader) number() (value, bool) {
	begin := r.at
	negative := r.at < len(r.text) && r.text[r.at] == '-'
	if negative {
		r.at++
	}
	whole := r.digits()
	n := r.at
	if whole == 0 || (whole > 1 && r.text[n-whole] == '0') {
		return value{}, false
	}
	if r.at < len(r.text) && r.text[r.at] == '.' {
		r.at++
		if r.digits() == 0 {
			return value{}, false
		}
	}
	if r.at < len(r.text) && r.text[r.at]|0x20 == 'e' {
		if r.at++; r.at < len(r.text) && (r.text[r.at] == '+' || r.text[r.at] == '-') {
			r.at++
		}
		if r.digits() == 0 {
			return value{}, false
		}
	}
	if r.at == n && whole <= maxDigits {
		i := 0
		for _, b := range r.text[n-whole : n] {
			i = 10*i + int(b-'0')
		}
		if !negative {
			return integer(i), true
		}
		if i != 0 {
			return integer(-i), true
		}
	}
	// Too large a number is infinite, which ParseFloat returns beside its error.
	f, _ := strconv.ParseFloat(unsafe.String(&r.text[begin], r.at-begin), 64)
	return float(f), true
}

// digits passes digits and returns how many.
func (r *jsonReader) digits() int {
	begin := r.at
	for r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9' {
		r.at++
	}
	return r.at - begin
}
