package identity

import (
	"context"
	"time"
)

// OwnClientID is what command lines call themselves here. Nothing depends on it.
const OwnClientID = "password-auth"

// clientTimeout bounds a question to the provider that a client waits for.
const clientTimeout = 3 * time.Second

// Client says how a command line logs in, and whether it does so here. It always
// has an answer: what a provider can't tell now is empty.
func (s *Service) Client(ctx context.Context) (c ClientConfig, own bool) {
	if s.Way != nil {
		ctx, cancel := context.WithTimeout(ctx, clientTimeout)
		defer cancel()
		c = s.Way.Client(ctx)
	}
	if c.DeviceURL == "" && s.DeviceLogin != DeviceProvider {
		return ClientConfig{ClientID: OwnClientID, Issuer: TokenIssuer}, true
	}
	return c, false
}

// ownProvider is how people log in where no Way says something else.
const ownProvider = "password"

// Provider is the value of AUTH_TYPE.
func (s *Service) Provider() string {
	if s.Way == nil {
		return ownProvider
	}
	return s.Way.Name()
}
