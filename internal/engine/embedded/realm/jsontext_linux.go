//go:build amd64 || arm64

package realm

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	lib "modernc.org/libquickjs"
)

// plain are the bytes of ASCII that stand for themselves in a string.
var plain = func() (plain [256]bool) {
	for b := byte(' '); b < utf8.RuneSelf; b++ {
		plain[b] = b != '"' && b != '\\'
	}
	return plain
}()

// lows and highs are the lowest and the highest bits of the bytes of a word.
const (
	wordSize = 8
	lows     = 0x0101010101010101
	highs    = lows << 7
)

// unusual marks the first byte of a word that is not plain by its highest bit;
// what is above it means nothing. It is 0 when all are plain.
func unusual(word uint64) uint64 {
	quote, slash := word^lows*'"', word^lows*'\\'
	return (word | (word - lows*' ') | (quote - lows) | (slash - lows)) & highs
}

// pass passes plain bytes.
func (r *jsonReader) pass() {
	for len(r.text)-r.at >= wordSize {
		if found := unusual(binary.LittleEndian.Uint64(r.text[r.at:])); found != 0 {
			r.at += bits.TrailingZeros64(found) / 8
			return
		}
		r.at += wordSize
	}
	for r.at < len(r.text) && plain[r.text[r.at]] {
		r.at++
	}
}

// string makes the text whose quote was passed.
func (r *jsonReader) string() (value, bool) {
	begin := r.at
	r.pass()
	if r.at == len(r.text) {
		return value{}, false
	}
	if r.text[r.at] == '"' {
		text := r.text[begin:r.at]
		r.at++
		if len(text) == 0 {
			return r.m.newString(""), true
		}
		return r.plainText(text)
	}
	return r.unusualString(begin)
}

// Many texts stand more than once in a large one, such as the names of states.
// The short ones that were read last share their memory; strings cannot be
// changed, so that nobody sees it.
const (
	shortTexts = 512 // a power of two
	largeText  = 4 << 10
)

// shortText is a string of at most two words, and their bytes.
type shortText struct {
	low, high uint64
	value     value
}

// plainText makes the text of a part of what is read, all of whose bytes are plain.
func (r *jsonReader) plainText(part []byte) (value, bool) {
	n := len(part)
	if n > 2*wordSize || cap(part) < 2*wordSize || len(r.text) < largeText {
		v := newText(r.m, part)
		return v, !isException(v)
	}
	// The bytes behind the part are those of the text after it.
	low, high := binary.LittleEndian.Uint64(part[:wordSize]), uint64(0)
	if n > wordSize {
		high = binary.LittleEndian.Uint64(part[wordSize:2*wordSize]) << (8 * (2*wordSize - n)) >> (8 * (2*wordSize - n))
	} else {
		low = low << (8 * (wordSize - n)) >> (8 * (wordSize - n))
	}
	if r.texts == nil {
		r.texts = make([]shortText, shortTexts)
	}
	const scatter = 0x9e3779b97f4a7c15
	t := &r.texts[(low^bits.RotateLeft64(high, 29))*scatter>>(64-9)]
	if t.low != low || t.high != high || t.value.Ftag != lib.EJS_TAG_STRING {
		v := newText(r.m, part)
		if isException(v) {
			return v, false
		}
		r.freeing.drop(t.value, 0)
		*t = shortText{low, high, v}
	}
	*references(pointer(t.value))++
	return t.value, true
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
