package password

import (
	"context"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
)

// Name is the way's name and the provider of its users.
const Name = "password"

// Way is the way to log in. It has no bearer credentials of its own: command
// lines log in through this server, which makes their tokens.
type Way struct{}

// Name implements identity.Way.
func (Way) Name() string { return Name }

// Verify implements identity.Way.
func (Way) Verify(context.Context, string) (identity.Identity, error) {
	return identity.Identity{}, fault.New(fault.Unauthenticated, "Invalid JWT token")
}

// Client implements identity.Way: 2.1 of identity-realtime-admin.md of the wire
// contract.
func (Way) Client(context.Context) identity.ClientConfig {
	return identity.ClientConfig{ClientID: "password-auth", Issuer: "floww-password-auth"}
}
