package realm

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/nlnwa/whatwg-url/url"
)

// texts are the functions that turn texts into bytes, bytes into texts, and
// texts into addresses.
func (m *Machine) texts() map[string]hostFunc {
	return map[string]hostFunc{
		"encode":   m.hostEncode,
		"decode":   m.hostDecode,
		"unescape": m.hostUnescape,
		"url":      m.hostURL,
		"urlSet":   m.hostURLSet,
	}
}

// Encodings that the units ask for, by number.
const (
	encodingUTF8 = iota
	encodingUTF16LE
	encodingUTF16BE
	encodingWindows1252
	encodingLatin1
	encodingASCII
	encodingBase64
	encodingBase64URL
	encodingHex
)

// hostEncode takes a text and an encoding and returns the bytes.
func (m *Machine) hostEncode(args []value) value {
	text, ok := m.text(args[0])
	if !ok {
		return exception()
	}
	return m.newBytes(encode(text, asInt(args[1])))
}

func encode(text string, encoding int) []byte {
	switch encoding {
	case encodingUTF16LE:
		units := utf16.Encode([]rune(text))
		out := make([]byte, 0, 2*len(units))
		for _, u := range units {
			out = binary.LittleEndian.AppendUint16(out, u)
		}
		return out
	case encodingLatin1, encodingASCII:
		out := make([]byte, 0, len(text))
		for _, u := range utf16.Encode([]rune(text)) {
			out = append(out, byte(u))
		}
		return out
	case encodingBase64, encodingBase64URL:
		return decodeBase64(text)
	case encodingHex:
		return decodeHex(text)
	default:
		return []byte(text)
	}
}

// decodeBase64 takes both alphabets, leaves out what is in neither, and ends at
// the first padding, as Node does.
func decodeBase64(text string) []byte {
	clean := make([]byte, 0, len(text))
	for i := range len(text) {
		c := text[i]
		switch {
		case c == '=':
			text = ""
		case c == '-':
			c = '+'
		case c == '_':
			c = '/'
		}
		if text == "" {
			break
		}
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' {
			clean = append(clean, c)
		}
	}
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	// What is left has no other characters; loose bits at the end are dropped.
	n, _ := base64.RawStdEncoding.Decode(out, clean)
	return out[:n]
}

// decodeHex ends at the first pair that is none, as Node does.
func decodeHex(text string) []byte {
	out := make([]byte, len(text)/2)
	n, _ := hex.Decode(out, []byte(text[:len(text)&^1]))
	return out[:n]
}

// hostDecode takes bytes, an encoding, and whether malformed bytes are fatal,
// and returns the text; undefined when they are and there are.
func (m *Machine) hostDecode(args []value) value {
	b := m.bytesArg(args[0])
	encoding, fatal := asInt(args[1]), payload(args[2]) != 0
	if fatal && !wellFormed(b, encoding) {
		return undefined()
	}
	return m.newString(decode(b, encoding))
}

func wellFormed(b []byte, encoding int) bool {
	switch encoding {
	case encodingUTF8:
		return utf8.Valid(b)
	case encodingUTF16LE, encodingUTF16BE:
		return len(b)%2 == 0 && !strings.ContainsRune(decode(b, encoding), utf8.RuneError)
	}
	return true
}

func decode(b []byte, encoding int) string {
	switch encoding {
	case encodingUTF16LE:
		return decodeUTF16(b, binary.LittleEndian)
	case encodingUTF16BE:
		return decodeUTF16(b, binary.BigEndian)
	case encodingWindows1252, encodingLatin1, encodingASCII:
		return decodeBytes(b, encoding)
	case encodingBase64:
		return base64.StdEncoding.EncodeToString(b)
	case encodingBase64URL:
		return base64.RawURLEncoding.EncodeToString(b)
	case encodingHex:
		return hex.EncodeToString(b)
	default:
		return decodeUTF8(b)
	}
}

func decodeUTF16(b []byte, order binary.ByteOrder) string {
	units := make([]uint16, 0, len(b)/2+1)
	for ; len(b) > 1; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	text := string(utf16.Decode(units))
	if len(b) == 1 {
		text += "\uFFFD"
	}
	return text
}

// windows1252 are the characters 0x80 to 0x9f of that encoding.
const windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"

func decodeBytes(b []byte, encoding int) string {
	high := []rune(windows1252)
	out := make([]rune, len(b))
	for i, c := range b {
		switch {
		case encoding == encodingASCII:
			out[i] = rune(c & 0x7f)
		case encoding == encodingWindows1252 && c >= 0x80 && c <= 0x9f:
			out[i] = high[c-0x80]
		default:
			out[i] = rune(c)
		}
	}
	return string(out)
}

// decodeUTF8 puts one U+FFFD in the place of each longest beginning of a
// character that does not go on, as the Web does.
func decodeUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 {
			n = max(1, beginning(b))
			out.WriteRune(utf8.RuneError)
		} else {
			out.Write(b[:n])
		}
		b = b[n:]
	}
	return out.String()
}

// beginning is how many bytes at the start of b could begin a character.
func beginning(b []byte) int {
	low, high, need := byte(0x80), byte(0xbf), 0
	switch c := b[0]; {
	case c >= 0xc2 && c <= 0xdf:
		need = 1
	case c >= 0xe0 && c <= 0xef:
		need = 2
		if c == 0xe0 {
			low = 0xa0
		} else if c == 0xed {
			high = 0x9f
		}
	case c >= 0xf0 && c <= 0xf4:
		need = 3
		if c == 0xf0 {
			low = 0x90
		} else if c == 0xf4 {
			high = 0x8f
		}
	}
	n := 1
	for n <= need && n < len(b) && b[n] >= low && b[n] <= high {
		low, high = 0x80, 0xbf
		n++
	}
	return n
}

// hostUnescape takes a text with %XX and returns it without, malformed ones
// left as they are.
func (m *Machine) hostUnescape(args []value) value {
	text := m.textArg(args[0])
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if b, err := hex.DecodeString(text[i+1 : i+3]); err == nil {
				out = append(out, b[0])
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	return m.newString(decodeUTF8(out))
}

// hostURL takes an address and a base, which may be undefined, and returns the
// parts of the address, one a line; undefined when it is none.
func (m *Machine) hostURL(args []value) value {
	text := m.textArg(args[0])
	var u *url.Url
	var err error
	if isUndefined(args[1]) {
		u, err = url.Parse(text)
	} else {
		u, err = url.ParseRef(m.textArg(args[1]), text)
	}
	if err != nil {
		return undefined()
	}
	return m.newString(parts(u))
}

// hostURLSet takes an address, the name of a part and the part, and returns
// the parts of the changed address.
func (m *Machine) hostURLSet(args []value) value {
	u, err := url.Parse(m.textArg(args[0]))
	if err != nil {
		return undefined()
	}
	part := m.textArg(args[2])
	switch m.textArg(args[1]) {
	case "protocol":
		u.SetProtocol(part)
	case "username":
		u.SetUsername(part)
	case "password":
		u.SetPassword(part)
	case "host":
		u.SetHost(part)
	case "hostname":
		u.SetHostname(part)
	case "port":
		u.SetPort(part)
	case "pathname":
		u.SetPathname(part)
	case "search":
		u.SetSearch(part)
	case "hash":
		u.SetHash(part)
	}
	return m.newString(parts(u))
}

// parts are what JavaScript sees of an address. None holds a line's end.
func parts(u *url.Url) string {
	return strings.Join([]string{
		u.Href(false), u.Protocol(), u.Username(), u.Password(), u.Host(), u.Hostname(), u.Port(), u.Pathname(), u.Search(), u.Hash(),
	}, "\n")
}
