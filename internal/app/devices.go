package app

import (
	"time"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/token"
)

const (
	// maxGuesses is how many user codes that are none a person or an address may
	// type within guessWindow.
	maxGuesses  = 10
	guessWindow = 15 * time.Minute
)

// devices logs command lines in.
func (s *Server) devices() *identity.Devices {
	now := s.config.Now
	return &identity.Devices{
		Store:   s.store,
		Tokens:  token.New(identity.TokenIssuer, identity.TokenAudience, s.keyring.Derive(secret.LoginTokens), now),
		Guesses: &identity.Failures{Max: maxGuesses, Window: guessWindow, Now: now},
		Closed:  s.deviceLogin() == identity.DeviceProvider,
		IDs:     s.ids, Now: now,
	}
}

// deviceLogin says where command lines log in. Only some ways to log in leave a
// choice.
func (s *Server) deviceLogin() identity.DeviceLogin {
	switch s.config.Settings.AuthType {
	case config.AuthOIDC, config.AuthWorkOS:
		return identity.DeviceLogin(s.config.Settings.Device)
	}
	return identity.DeviceOwn
}
