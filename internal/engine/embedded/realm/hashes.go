package realm

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"fmt"
	"hash"
	"strings"

	lib "modernc.org/libquickjs"
)

// hashes are the functions of cryptography that need no cipher. All randomness
// is the kernel's.
func (m *Machine) hashes() map[string]hostFunc {
	return map[string]hostFunc{
		"random": m.hostRandom,
		"uuid":   func([]value) value { return m.newString(uuid()) },
		"digest": m.hostDigest,
		"hmac":   m.hostHMAC,
		"pbkdf2": m.hostPBKDF2,
		"hkdf":   m.hostHKDF,
		"equal": func(args []value) value {
			return boolean(subtle.ConstantTimeCompare(m.bytesArg(args[0]), m.bytesArg(args[1])) == 1)
		},
	}
}

// newHash returns the hash of a name such as "SHA-256" or "sha256"; nil when
// there is none.
func newHash(name string) func() hash.Hash {
	switch strings.ReplaceAll(strings.ToLower(name), "-", "") {
	case "md5":
		return md5.New
	case "sha1":
		return sha1.New
	case "sha224":
		return sha256.New224
	case "sha256":
		return sha256.New
	case "sha384":
		return sha512.New384
	case "sha512":
		return sha512.New
	}
	return nil
}

// maxDerived bounds what is made at once, in bytes.
const maxDerived = 64 << 20

// hostRandom takes a number and returns that many random bytes.
func (m *Machine) hostRandom(args []value) value {
	n := asInt(args[0])
	if n < 0 || n > maxDerived {
		return m.throwTypeError(fmt.Sprintf("%d random bytes are too many", n))
	}
	b := make([]byte, n)
	rand.Read(b) // it never fails
	return m.newBytes(b)
}

// uuid makes one of version 4.
func uuid() string {
	var b [16]byte
	rand.Read(b[:]) // it never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// hashArg is the hash that an argument names; nil, and an exception is pending,
// when there is none.
func (m *Machine) hashArg(v value) func() hash.Hash {
	name := m.textArg(v)
	h := newHash(name)
	if h == nil {
		m.throwTypeError(fmt.Sprintf("the hash %.40q is not known; there are md5, sha1, sha224, sha256, sha384 and sha512", name))
	}
	return h
}

// hostDigest takes a hash and bytes.
func (m *Machine) hostDigest(args []value) value {
	h := m.hashArg(args[0])
	if h == nil {
		return exception()
	}
	sum := h()
	sum.Write(m.bytesArg(args[1]))
	return m.newBytes(sum.Sum(nil))
}

// hostHMAC takes a hash, a key and bytes.
func (m *Machine) hostHMAC(args []value) value {
	h := m.hashArg(args[0])
	if h == nil {
		return exception()
	}
	mac := hmac.New(h, m.bytesArg(args[1]))
	mac.Write(m.bytesArg(args[2]))
	return m.newBytes(mac.Sum(nil))
}

// hostPBKDF2 takes a hash, a password, a salt, how often, and a length.
func (m *Machine) hostPBKDF2(args []value) value {
	h := m.hashArg(args[0])
	if h == nil {
		return exception()
	}
	rounds, length := asInt(args[3]), asInt(args[4])
	if rounds < 1 || length < 0 || length > maxDerived {
		return m.throwTypeError("a key cannot be derived with these numbers")
	}
	return m.derived(pbkdf2.Key(h, string(m.bytesArg(args[1])), m.bytesArg(args[2]), rounds, length))
}

// hostHKDF takes a hash, a secret, a salt, an info and a length.
func (m *Machine) hostHKDF(args []value) value {
	h := m.hashArg(args[0])
	if h == nil {
		return exception()
	}
	return m.derived(hkdf.Key(h, m.bytesArg(args[1]), m.bytesArg(args[2]), string(m.bytesArg(args[3])), asInt(args[4])))
}

// derived is a result, or its error thrown.
func (m *Machine) derived(b []byte, err error) value {
	if err != nil {
		return m.throwTypeError(err.Error())
	}
	return m.newBytes(b)
}

func truth(v value) bool { return v.Ftag == lib.EJS_TAG_BOOL && payload(v) != 0 }
