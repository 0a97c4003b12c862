package identity

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// DeviceCode is a command line that waits until somebody lets it log in: RFC
// 8628 and 2.2 of identity-realtime-admin.md.
type DeviceCode struct {
	// Hash is the SHA-256 of the code that the command line polls with.
	Hash [sha256.Size]byte
	// UserCode is what a person compares or types: XXXX-XXXX.
	UserCode string
	// Name is what the command line calls itself; nothing is known of it but that.
	Name string
	// Address is the Network that the request came from.
	Address              string
	Interval             time.Duration
	CreatedAt, ExpiresAt time.Time
}

// Device is a command line that is logged in: a family of refresh tokens that
// follow one another.
type Device struct {
	ID, UserID id.ID
	// Name and Address are those of its DeviceCode.
	Name, Address string
	CreatedAt     time.Time
	// SeenAt is when it was last used, to the minute.
	SeenAt, ExpiresAt time.Time
}

// DeviceStore keeps the logins of command lines. Each method is one atomic unit.
type DeviceStore interface {
	// CreateDeviceCode stores a code; fault.Conflict when the user code is taken,
	// fault.Limited when perAddress codes of the Address or total codes in all
	// wait already.
	CreateDeviceCode(ctx context.Context, c DeviceCode, perAddress, total int) error
	// WaitingDevice returns the code that waits for an answer; fault.NotFound when
	// there is none.
	WaitingDevice(ctx context.Context, userCode string, now time.Time) (DeviceCode, error)
	// AnswerDevice lets the waiting command line log in as a user, or denies it
	// when user is zero, and returns its code; fault.NotFound as WaitingDevice.
	AnswerDevice(ctx context.Context, userCode string, user id.ID, now time.Time) (DeviceCode, error)
	// PollDevice looks what became of a code. One that was approved is consumed
	// and becomes a login: ten polls at once make one.
	PollDevice(ctx context.Context, hash [sha256.Size]byte, l NewLogin) (Grant, error)
	// RefreshDevice replaces a refresh token by that of l, whose Device is not
	// looked at. A token that was replaced more than grace ago ends its login.
	RefreshDevice(ctx context.Context, token [sha256.Size]byte, l NewLogin, grace time.Duration) (Grant, error)
	// PrincipalByDevice returns the user of a login; fault.NotFound when it has
	// ended and fault.Denied when the user is disabled. It notes the use, but not
	// more often than once a minute.
	PrincipalByDevice(ctx context.Context, device id.ID, now time.Time) (Principal, error)
	// Devices returns the logins of a user, the one used last first.
	Devices(ctx context.Context, user id.ID, now time.Time) ([]Device, error)
	// EndDevice ends a login of a user; fault.NotFound when there is none.
	EndDevice(ctx context.Context, user, device id.ID) error
	// EndDevices ends all logins of a user and returns how many there were.
	EndDevices(ctx context.Context, user id.ID) (int, error)
	// EndDeviceOf ends the login of a refresh token, if there is one.
	EndDeviceOf(ctx context.Context, token [sha256.Size]byte) error
}

// NewLogin is what a login is made or renewed with.
type NewLogin struct {
	// Device is the id of the login that a poll makes.
	Device id.ID
	// Token is the SHA-256 of its refresh token.
	Token          [sha256.Size]byte
	Now, ExpiresAt time.Time
	// Max is how many logins a user can have; those that were not used for longest
	// end.
	Max int
}

// Grant is the answer to a command line that asks for a token.
type Grant struct {
	Outcome Outcome
	// User and Device are set when the Outcome is Granted.
	User   User
	Device id.ID
}

// Outcome is what became of a request for a token.
type Outcome uint8

// The outcomes. The zero one refuses.
const (
	// Unknown also says that a code or token has expired, or was used.
	Unknown Outcome = iota
	// Waiting is for somebody's answer.
	Waiting
	// Hasty is a poll that came too early; the interval has grown.
	Hasty
	Refused
	Granted
	// Reused is a refresh token that was replaced long ago; its login has ended.
	Reused
	// Crowded is a refresh token that was shown again and again within the grace
	// time.
	Crowded
)

// How long what a command line is given is good for.
const (
	DeviceCodeTTL = 15 * time.Minute
	// PollInterval is the least time between two polls at first; each hasty one
	// adds IntervalStep.
	PollInterval = 5 * time.Second
	IntervalStep = 5 * time.Second
	// PollTolerance is how much earlier a poll may come, for networks are uneven.
	PollTolerance  = time.Second
	AccessTokenTTL = time.Hour
	// LoginTTL slides with each refresh.
	LoginTTL = 90 * 24 * time.Hour
	// RefreshGrace is how long a replaced refresh token is still taken: the command
	// line may have lost the answer, and two of them may share one file.
	RefreshGrace = time.Minute
	// MaxSiblings is how many refresh tokens of a login may be good at once.
	MaxSiblings = 10
	// ReplacedKept is how long a replaced refresh token is remembered, to tell its
	// reuse from a text that never was a token.
	ReplacedKept = 30 * 24 * time.Hour
	// MaxDevices bounds the logins of a user.
	MaxDevices = 50
	// MaxWaiting bounds the codes that wait, in all and for one address.
	MaxWaiting, MaxWaitingPerAddress = 10_000, 20
)
