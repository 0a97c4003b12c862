package app

import (
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/token"
)

// runTokens signs what the code of runs shows to this server.
func (s *Server) runTokens() *identity.RunTokens {
	now := s.config.Now
	return &identity.RunTokens{
		Signer: token.New(identity.RunIssuer, identity.RunAudience, s.keyring.Derive(secret.RunTokens), now),
		Now:    now,
	}
}
