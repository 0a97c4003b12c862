package issuer

import (
	"context"
	"crypto"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"github.com/usefloww/flowwd/internal/fault"
)

const (
	keyLifetime = time.Hour
	// keyStale is how much longer keys are good while the issuer does not answer.
	// It is an end to what a stolen key is good for, when somebody keeps the
	// server from hearing that it was withdrawn.
	keyStale = 24 * time.Hour
	// Keys that nobody knows have the keys read again this often.
	unknownEvery = 30 * time.Second
	unknownBurst = 3
	maxKeys      = 32
	minRSABits   = 2048
)

var errUnknownKey = errors.New("no key of the issuer has the token's kid")

// key is a published key for signatures.
type key struct {
	id, algorithm string
	public        crypto.PublicKey
}

// keys are what an issuer signs with.
type keys struct {
	document *Document[[]key]
	unknown  *rate.Limiter
	now      func() time.Time
}

func newKeys(client *http.Client, locate func(context.Context) (string, error), now func() time.Time) *keys {
	fetch := func(ctx context.Context) ([]key, error) {
		address, err := locate(ctx)
		if err != nil {
			return nil, err
		}
		var set struct {
			Keys []json.RawMessage
		}
		if err := GetJSON(ctx, client, address, "", &set); err != nil {
			return nil, err
		}
		return readKeys(set.Keys)
	}
	return &keys{
		document: &Document[[]key]{Fetch: fetch, Lifetime: keyLifetime, Stale: keyStale, Now: now},
		unknown:  rate.NewLimiter(rate.Every(unknownEvery), unknownBurst),
		now:      now,
	}
}

// readKeys takes the keys that can check signatures, and leaves out all others:
// an issuer may publish keys of kinds that are not known here.
func readKeys(set []json.RawMessage) ([]key, error) {
	var all []key
	for _, text := range set {
		read, err := jwkset.NewJWKFromRawJSON(text, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err != nil {
			continue
		}
		m := read.Marshal()
		public, ok := read.Key().(crypto.PublicKey)
		if !ok || m.USE != "" && m.USE != jwkset.UseSig || len(m.KEYOPS) > 0 && !slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify) {
			continue
		}
		if r, isRSA := public.(*rsa.PublicKey); isRSA && r.N.BitLen() < minRSABits {
			continue
		}
		all = append(all, key{id: m.KID, algorithm: m.ALG.String(), public: public})
	}
	if len(all) == 0 {
		return nil, errors.New("the issuer publishes no key that can check signatures")
	}
	return all[:min(len(all), maxKeys)], nil
}

// find returns the keys that a token may be signed with. When there is none, the
// keys are read again, but not often: anybody can send tokens with made-up ids.
func (k *keys) find(ctx context.Context, id, algorithm string) (jwt.VerificationKeySet, error) {
	all, err := k.document.Get(ctx)
	if err != nil {
		return jwt.VerificationKeySet{}, err
	}
	found := matching(all, id, algorithm)
	if len(found.Keys) > 0 {
		return found, nil
	}
	if !k.unknown.AllowN(k.now(), 1) {
		if failed := k.document.Failed(); failed != nil {
			return found, Unavailable(failed)
		}
		return found, errUnknownKey
	}
	if all, err = k.document.Renew(ctx); err != nil {
		return found, err
	}
	if found = matching(all, id, algorithm); len(found.Keys) == 0 {
		return found, errUnknownKey
	}
	return found, nil
}

// matching returns the keys with this id, all when a token has none.
func matching(all []key, id, algorithm string) jwt.VerificationKeySet {
	var set jwt.VerificationKeySet
	for _, k := range all {
		if (id == "" || k.id == id) && (k.algorithm == "" || k.algorithm == algorithm) {
			set.Keys = append(set.Keys, k.public)
		}
	}
	return set
}

// asFault tells what could not be told from what is wrong.
func asFault(ctx context.Context, err error) error {
	var f *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	case ctx.Err() != nil:
		return fmt.Errorf("check a token: %w", ctx.Err())
	default:
		return fault.Because(err, fault.Unauthenticated, "Invalid JWT token")
	}
}
