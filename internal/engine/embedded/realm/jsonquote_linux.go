//go:build amd64 || arm64

package realm

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	lib "modernc.org/libquickjs"
)

// quoted writes a string with its quotes.
func (w *jsonWriter[U]) quoted(v value) bool {
	if !w.grow(2) {
		return false
	}
	w.out = append(w.out, '"')
	return w.characters(v) && w.end('"')
}

// characters writes what is between the quotes of a string.
func (w *jsonWriter[U]) characters(v value) bool {
	p := pointer(v)
	if v.Ftag == lib.EJS_TAG_STRING {
		n, wide := textLength(p)
		if wide {
			return appendWide(w, unitsOf[uint16](p, n))
		}
		return w.appendNarrow(unitsOf[uint8](p, n))
	}
	rope := at[lib.TJSStringRope](p)
	// A pair of surrogates could be in two parts.
	return rope.Fis_wide_char == 0 && w.characters(rope.Fleft) && w.characters(rope.Fright)
}

// letters are the escapes that have one.
var letters = [utf8.RuneSelf]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}

func (w *jsonWriter[U]) appendNarrow(text []uint8) bool {
	if !w.grow(len(text)) {
		return false
	}
	begin := 0
	for len(text)-begin >= wordSize && unusual(binary.LittleEndian.Uint64(text[begin:])) == 0 {
		begin += wordSize
	}
	w.copy(text[:begin])
	for i := begin; i < len(text); i++ {
		b := text[i]
		if plain[b] || b >= utf8.RuneSelf {
			continue
		}
		w.copy(text[begin:i])
		begin = i + 1
		if !w.escape(uint16(b), len(text)-begin) {
			return false
		}
	}
	w.copy(text[begin:])
	return true
}

// copy appends bytes that there is room for.
func (w *jsonWriter[U]) copy(text []uint8) {
	if narrow, ok := any(&w.out).(*[]uint8); ok {
		*narrow = append(*narrow, text...)
		return
	}
	for _, b := range text {
		w.out = append(w.out, U(b))
	}
}

// appendWide writes units of UTF-16. Surrogates without their other half are
// escaped (ECMA-262, QuoteJSONString).
func appendWide[U unit](w *jsonWriter[U], text []uint16) bool {
	if !w.grow(len(text)) {
		return false
	}
	for i := 0; i < len(text); i++ {
		u := text[i]
		switch {
		case u < utf8.RuneSelf && !plain[u]:
			if !w.escape(u, len(text)-i-1) {
				return false
			}
		case !utf16.IsSurrogate(rune(u)):
			if u > 0xff && !isWide[U]() {
				w.wide = true
				return false
			}
			w.out = append(w.out, U(u))
		case i+1 == len(text) || utf16.DecodeRune(rune(u), rune(text[i+1])) == utf8.RuneError:
			if !w.escape(u, len(text)-i-1) {
				return false
			}
		case !isWide[U]():
			w.wide = true
			return false
		default:
			w.out = append(w.out, U(u), U(text[i+1]))
			i++
		}
	}
	return true
}

// escape writes a unit that must not stand for itself and makes room for rest
// more.
func (w *jsonWriter[U]) escape(u uint16, rest int) bool {
	if !w.grow(6 + rest) {
		return false
	}
	if u < utf8.RuneSelf && letters[u] != 0 {
		w.out = append(w.out, '\\', U(letters[u]))
		return true
	}
	const digits = "0123456789abcdef"
	w.out = append(w.out, '\\', 'u', U(digits[u>>12]), U(digits[u>>8&15]), U(digits[u>>4&15]), U(digits[u&15]))
	return true
}
