package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/token"
)

const (
	// TokenIssuer stands in the access tokens of this installation, and is what
	// clients know as the issuer where people log in here.
	TokenIssuer = "floww-password-auth"
	// TokenAudience is their purpose.
	TokenAudience = "floww-command-line"

	// refreshTokenBytes is how many random bytes a refresh token has.
	refreshTokenBytes = 48
	maxShownSecret    = 256
	maxDeviceName     = 255
	maxDeviceAddress  = 255
	// userCodeTries is how often a user code is made anew that is taken.
	userCodeTries = 10
)

// Devices logs command lines in: a person approves in a browser what the command
// line asks for, and it polls until then.
type Devices struct {
	Store DeviceStore
	// Tokens signs access tokens for TokenAudience.
	Tokens *token.Signer
	// Guesses are user codes that were typed and are none.
	Guesses *Failures
	// Closed refuses new logins: command lines log in at the provider.
	Closed bool
	IDs    *id.Source
	Now    func() time.Time
}

// NewDeviceCode is the answer to a command line that wants to be logged in.
type NewDeviceCode struct {
	DeviceCode
	// Secret is what the command line polls with.
	Secret string
}

// Begin makes a code for a command line that calls itself name.
func (d *Devices) Begin(ctx context.Context, name, address string) (NewDeviceCode, error) {
	if d.Closed {
		return NewDeviceCode{}, &GrantError{"unauthorized_client", "Command lines log in at the provider here; GET /api/config says where"}
	}
	now := d.Now()
	secret, hash := NewToken()
	c := NewDeviceCode{Secret: secret, DeviceCode: DeviceCode{
		Hash: hash, Name: oneLine(name, maxDeviceName), Address: oneLine(Network(address), maxDeviceAddress),
		Interval: PollInterval, CreatedAt: now, ExpiresAt: now.Add(DeviceCodeTTL),
	}}
	for range userCodeTries {
		c.UserCode = newUserCode()
		err := d.Store.CreateDeviceCode(ctx, c.DeviceCode, MaxWaitingPerAddress, MaxWaiting)
		if !fault.Is(err, fault.Conflict) {
			return c, err
		}
	}
	return c, fmt.Errorf("no user code of %d was free", userCodeTries)
}

// Waiting returns what the user code that a person has typed stands for.
func (d *Devices) Waiting(ctx context.Context, p Principal, typed, address string) (DeviceCode, error) {
	return d.guess(p, typed, address, func(userCode string) (DeviceCode, error) {
		return d.Store.WaitingDevice(ctx, userCode, d.Now())
	})
}

// Answer lets the command line with a user code log in as p, or denies it.
func (d *Devices) Answer(ctx context.Context, p Principal, typed, address string, approve bool) (DeviceCode, error) {
	user := id.ID{}
	if approve {
		user = p.ID
	}
	return d.guess(p, typed, address, func(userCode string) (DeviceCode, error) {
		return d.Store.AnswerDevice(ctx, userCode, user, d.Now())
	})
}

// guess looks a typed code up and counts it when it is none.
func (d *Devices) guess(p Principal, typed, address string, look func(userCode string) (DeviceCode, error)) (DeviceCode, error) {
	if err := mayAnswer(p); err != nil {
		return DeviceCode{}, err
	}
	keys := []string{"user " + p.ID.String(), "address " + Network(address)}
	if wait := d.Guesses.Try(keys...); wait > 0 {
		f := fault.New(fault.Limited, "Too many codes were typed that are none; try again in some minutes")
		f.RetryAfter = wait
		return DeviceCode{}, f
	}
	c, err := look(UserCode(typed))
	if !fault.Is(err, fault.NotFound) {
		d.Guesses.Forgive(keys...)
	}
	return c, err
}

// mayAnswer refuses whoever is no person in front of a browser: a token that was
// stolen from a command line must not outlive its login by making another one.
func mayAnswer(p Principal) error {
	if p.Kind != Human || p.Scope != nil || !p.FamilyID.IsZero() {
		return fault.New(fault.Denied, "Only a person can let a command line log in: open the page in a browser")
	}
	return nil
}

// Tokens is what a command line gets.
type Tokens struct {
	Access, Refresh string
	ExpiresIn       time.Duration
	User            User
}

// GrantError refuses a token, in the words of RFC 6749, 5.2, and RFC 8628, 3.5.
type GrantError struct{ Code, Description string }

// Error returns both.
func (e *GrantError) Error() string { return e.Code + ": " + e.Description }

// Poll returns the tokens of a command line whose code was approved; a
// GrantError until then.
func (d *Devices) Poll(ctx context.Context, deviceCode string) (Tokens, error) {
	if len(deviceCode) > maxShownSecret {
		return Tokens{}, pollError(Unknown)
	}
	return d.grant(pollError, func(l NewLogin) (Grant, error) {
		return d.Store.PollDevice(ctx, HashToken(deviceCode), l)
	})
}

// Refresh returns new tokens for a refresh token, which is replaced.
func (d *Devices) Refresh(ctx context.Context, refreshToken string) (Tokens, error) {
	if len(refreshToken) > maxShownSecret {
		return Tokens{}, refreshError(Unknown)
	}
	return d.grant(refreshError, func(l NewLogin) (Grant, error) {
		return d.Store.RefreshDevice(ctx, HashToken(refreshToken), l, RefreshGrace)
	})
}

func (d *Devices) grant(refuse func(Outcome) error, ask func(NewLogin) (Grant, error)) (Tokens, error) {
	now := d.Now()
	secret, hash := newRefreshToken()
	g, err := ask(NewLogin{Device: d.IDs.New(), Token: hash, Now: now, ExpiresAt: now.Add(LoginTTL), Max: MaxDevices})
	if err != nil {
		return Tokens{}, err
	}
	if g.Outcome != Granted {
		return Tokens{}, refuse(g.Outcome)
	}
	access, err := d.Tokens.Sign(token.Claims{
		ID: d.IDs.New().String(), Subject: g.User.ID.String(), Family: g.Device.String(), IssuedAt: now, ExpiresAt: now.Add(AccessTokenTTL),
	})
	return Tokens{Access: access, Refresh: secret, ExpiresIn: AccessTokenTTL, User: g.User}, err
}

func pollError(o Outcome) error {
	switch o {
	case Waiting:
		return &GrantError{"authorization_pending", "Nobody has approved this login yet"}
	case Hasty:
		return &GrantError{"slow_down", fmt.Sprintf("Wait %.0f seconds longer between two requests", IntervalStep.Seconds())}
	case Refused:
		return &GrantError{"access_denied", "The login was denied"}
	default:
		return &GrantError{"expired_token", "The code has expired or was used; begin again"}
	}
}

func refreshError(o Outcome) error {
	switch o {
	case Reused:
		return &GrantError{"invalid_grant", "The refresh token was used before, so that its login has ended; log in again"}
	case Crowded:
		return &GrantError{"slow_down", "The refresh token was shown too often; use the one that was given out last"}
	default:
		return &GrantError{"invalid_grant", "The refresh token is not valid, or no longer; log in again"}
	}
}

// Revoke ends the login of a refresh token, if there is one.
func (d *Devices) Revoke(ctx context.Context, refreshToken string) error {
	if len(refreshToken) > maxShownSecret {
		return nil
	}
	return d.Store.EndDeviceOf(ctx, HashToken(refreshToken))
}

// List returns the command lines that p is logged in with.
func (d *Devices) List(ctx context.Context, p Principal) ([]Device, error) {
	if p.Kind != Human {
		return nil, nil
	}
	return d.Store.Devices(ctx, p.ID, d.Now())
}

// End ends a login of p.
func (d *Devices) End(ctx context.Context, p Principal, device id.ID) error {
	return d.Store.EndDevice(ctx, p.ID, device)
}

// authenticate returns the principal behind an access token of this
// installation.
func (d *Devices) authenticate(ctx context.Context, text string) (Principal, error) {
	claims, err := d.Tokens.Verify(text)
	if err != nil {
		return Principal{}, fault.Because(err, fault.Unauthenticated, "Invalid JWT token")
	}
	device, err := id.Parse(claims.Family)
	if err != nil {
		return Principal{}, fault.Because(err, fault.Unauthenticated, "Invalid JWT token")
	}
	p, err := d.Store.PrincipalByDevice(ctx, device, d.Now())
	switch {
	case fault.Is(err, fault.NotFound):
		return Principal{}, fault.New(fault.Unauthenticated, "The login of this command line has ended; log in again")
	case err != nil:
		return Principal{}, fmt.Errorf("look up the login of a token: %w", err)
	case p.ID.String() != claims.Subject:
		return Principal{}, fault.Because(errors.New("the login is another user's"), fault.Unauthenticated, "Invalid JWT token")
	}
	return p, nil
}

// newRefreshToken returns a refresh token, and the hash that is kept of it.
func newRefreshToken() (text string, hash [sha256.Size]byte) {
	var raw [refreshTokenBytes]byte
	_, _ = rand.Read(raw[:]) // never fails, as in NewToken
	text = base64.RawURLEncoding.EncodeToString(raw[:])
	return text, HashToken(text)
}

// The form of a user code: 2.2 of identity-realtime-admin.md. The alphabet has
// nothing that looks like something else.
const (
	userCodeAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	userCodeHalf     = 4
)

func newUserCode() string {
	letters := big.NewInt(int64(len(userCodeAlphabet)))
	code := make([]byte, 2*userCodeHalf)
	for i := range code {
		n, _ := rand.Int(rand.Reader, letters) // never fails, as rand.Read
		code[i] = userCodeAlphabet[n.Int64()]
	}
	return string(code[:userCodeHalf]) + "-" + string(code[userCodeHalf:])
}

// UserCode returns the user code that somebody meant with what was typed: in any
// case, with or without its dash.
func UserCode(typed string) string {
	code := make([]byte, 0, 2*userCodeHalf)
	for _, r := range strings.ToUpper(typed) {
		switch {
		case strings.ContainsRune(userCodeAlphabet, r):
			if code = append(code, byte(r)); len(code) > 2*userCodeHalf {
				return ""
			}
		case r != '-' && !unicode.IsSpace(r):
			return ""
		}
	}
	if len(code) != 2*userCodeHalf {
		return ""
	}
	return string(code[:userCodeHalf]) + "-" + string(code[userCodeHalf:])
}

// oneLine makes a text that somebody unknown chose fit to be shown: valid,
// without control characters, and at most limit bytes long.
func oneLine(text string, limit int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "")
	}
	return strings.TrimSpace(text)
}
