package app

import (
	"time"

	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/token"
)

// runTokenMargin is how much longer a run's token lives than a run can.
const runTokenMargin = 5 * time.Minute

// runTokens signs what the code of runs shows to this server.
func (s *Server) runTokens() *identity.RunTokens {
	now := s.config.Now
	return &identity.RunTokens{
		Signer: token.New(identity.RunIssuer, identity.RunAudience, s.keyring.Derive(secret.RunTokens), now),
		Life:   max(maxRunTimeout, s.config.Settings.RunTimeout) + runTokenMargin, Now: now,
	}
}
