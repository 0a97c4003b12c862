package identity

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/token"
)

const (
	// RunIssuer and RunAudience stand in the tokens of runs: 3.4 of
	// workflows-runtime.md of the wire contract.
	RunIssuer   = "floww-backend"
	RunAudience = "floww-workflow"
	// runSubject goes before the workflow's id.
	runSubject = "workflow:"
)

// RunIdentity is the attempt of an execution that a Run principal stands for.
// Whether it is over is for the store to say, which is asked with each use.
type RunIdentity struct {
	WorkflowID, ExecutionID, Incarnation id.ID
	Attempt                              int
}

// RunTokens signs what the code of a run shows to this server, or gives to
// others that ask on its behalf.
type RunTokens struct {
	Signer *token.Signer
	Now    func() time.Time
}

// runTokenMargin is how much longer than its attempt can go on a token is good:
// what the code asked for at the last moment may be under way.
const runTokenMargin = time.Minute

// Issue returns a token of an attempt that goes on for no longer than limit.
func (t *RunTokens) Issue(r RunIdentity, limit time.Duration) (string, error) {
	now := t.Now()
	return t.Signer.Sign(token.Claims{
		ID: r.ExecutionID.String(), Subject: runSubject + r.WorkflowID.String(),
		Family: r.Incarnation.String() + ":" + strconv.Itoa(r.Attempt), IssuedAt: now, ExpiresAt: now.Add(limit + runTokenMargin),
	})
}

// authenticate returns the principal of a token.
func (t *RunTokens) authenticate(text string) (Principal, error) {
	claims, err := t.Signer.Verify(text)
	if err != nil {
		return Principal{}, fault.Because(err, fault.Unauthenticated, "The token of the run is not valid, or has expired")
	}
	r, err := runOf(claims)
	if err != nil {
		return Principal{}, fault.Because(err, fault.Unauthenticated, "The token of the run is not valid")
	}
	return Principal{Kind: Run, ID: r.ExecutionID, Run: r, CreatedAt: claims.IssuedAt}, nil
}

func runOf(c token.Claims) (r RunIdentity, err error) {
	incarnation, attempt, _ := strings.Cut(c.Family, ":")
	for _, part := range []struct {
		into *id.ID
		text string
	}{{&r.ExecutionID, c.ID}, {&r.WorkflowID, strings.TrimPrefix(c.Subject, runSubject)}, {&r.Incarnation, incarnation}} {
		if *part.into, err = id.Parse(part.text); err != nil {
			return r, fmt.Errorf("read a run's token: %w", err)
		}
	}
	r.Attempt, err = strconv.Atoi(attempt)
	return r, err
}
