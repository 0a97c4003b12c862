package secret

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/fernet/fernet-go"
)

// Purpose is what a derived key is for. Two purposes never share a key.
type Purpose string

// The purposes.
const (
	// LoginTokens signs the access tokens of command lines.
	LoginTokens Purpose = "login tokens"
	// LoginFlow seals what a browser carries while it is logging in.
	LoginFlow Purpose = "login flow"
	// Realtime signs the tokens of realtime connections.
	Realtime Purpose = "realtime tokens"
	// RealtimeProxy is shown by a Centrifugo server that asks this one.
	RealtimeProxy Purpose = "realtime proxy"
	// RealtimeAdmin opens the admin pages of a Centrifugo server.
	RealtimeAdmin Purpose = "realtime admin"
	// RealtimeAdminSession signs the logins at those pages.
	RealtimeAdminSession Purpose = "realtime admin session"
	// RegistryTokens sign what opens the image registry, RegistryUploads the
	// state of uploads to it; RegistryUpstream seals that of uploads to the
	// registry behind it.
	RegistryTokens   Purpose = "registry tokens"
	RegistryUploads  Purpose = "registry uploads"
	RegistryUpstream Purpose = "registry upstream"
	// RunTokens sign what the code of a run shows to this server.
	RunTokens Purpose = "run tokens"
	// Certificates seals what certificate authorities gave.
	Certificates Purpose = "certificates"
	// Check tells whether a server has the right keys.
	Check Purpose = "check"
)

// keySize is the size of an encryption key and of a derived key, in bytes.
const keySize = 32

// Keyring holds the keys of an installation, the one in use first.
type Keyring struct{ keys []*fernet.Key }

// ParseKeyring reads keys that are separated by commas: each 32 bytes in base64
// of either alphabet, with or without padding.
func ParseKeyring(text string) (*Keyring, error) {
	var ring Keyring
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimRight(strings.TrimSpace(part), "=")
		part = strings.NewReplacer("+", "-", "/", "_").Replace(part)
		raw, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || len(raw) != keySize {
			return nil, fmt.Errorf("an encryption key is %d bytes in base64, as 'openssl rand -base64 32' prints them; several are separated by commas, the one in use first", keySize)
		}
		ring.keys = append(ring.keys, (*fernet.Key)(raw))
	}
	return &ring, nil
}

// Derive returns the keys for a purpose, the one in use first, by
// HKDF-SHA-256 (RFC 5869).
func (r *Keyring) Derive(p Purpose) [][]byte {
	derived := make([][]byte, len(r.keys))
	for i, key := range r.keys {
		made, err := hkdf.Key(sha256.New, key[:], nil, "flowwd "+string(p), keySize)
		if err != nil {
			panic(err) // only for lengths that no key has
		}
		derived[i] = made
	}
	return derived
}

// For returns a ring whose texts are for one purpose alone.
func (r *Keyring) For(p Purpose) *Keyring {
	var ring Keyring
	for _, key := range r.Derive(p) {
		ring.keys = append(ring.keys, (*fernet.Key)(key))
	}
	return &ring
}

// Digests tell which keys these are without giving them away.
func (r *Keyring) Digests() [][sha256.Size]byte {
	digests := make([][sha256.Size]byte, len(r.keys))
	for i, key := range r.Derive(Check) {
		digests[i] = sha256.Sum256(key)
	}
	return digests
}

// ErrSealed says that no key of the ring opens a text, or that it was changed.
var ErrSealed = errors.New("no key of this installation opens it")

// Seal encrypts a text.
func (r *Keyring) Seal(text []byte) ([]byte, error) {
	sealed, err := fernet.EncryptAndSign(text, r.keys[0])
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return sealed, nil
}

// Open decrypts what Seal returned, with any key of the ring.
func (r *Keyring) Open(sealed []byte) ([]byte, error) {
	text := fernet.VerifyAndDecrypt(sealed, 0, r.keys)
	if text == nil {
		return nil, ErrSealed
	}
	return text, nil
}
