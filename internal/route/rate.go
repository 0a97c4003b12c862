package route

import (
	"context"
	"net/netip"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/limit"
)

// burstSeconds is how many seconds' worth of requests may come at once.
const burstSeconds = 10

// LimitedBy says what a request was refused for.
type LimitedBy string

// The limits of rate.
const (
	// LimitedPrincipal is one of a principal, LimitedAddress one of an address
	// without a credential, and LimitedFailures one of an address whose
	// credentials are not valid.
	LimitedPrincipal LimitedBy = "principal"
	LimitedAddress   LimitedBy = "address"
	LimitedFailures  LimitedBy = "failures"
)

// rates hold clients to their limits.
type rates struct {
	principals *limit.Limiter[id.ID]
	addresses  *limit.Limiter[netip.Addr]
	failures   *limit.Limiter[netip.Addr]
}

func newRates(l Limits) rates {
	return rates{
		principals: limit.New[id.ID](l.Rate, l.Rate*burstSeconds, 0),
		addresses:  limit.New[netip.Addr](l.Rate, l.Rate*burstSeconds, 0),
		failures:   limit.New[netip.Addr](l.Failures, l.Failures*burstSeconds, 0),
	}
}

// limitAddress refuses a request without a credential.
func (rt *Router) limitAddress(q *request) error {
	wait, ok := rt.rates.addresses.Take(q.network, q.start)
	return rt.limited(ok, LimitedAddress, wait, "Too many requests come from your address; slow down")
}

// limitFailures refuses a request with a credential of an address where many
// were not valid, before anybody looks at it.
func (rt *Router) limitFailures(q *request) error {
	wait := rt.rates.failures.Empty(q.network, q.start)
	return rt.limited(wait == 0, LimitedFailures, wait, "Too many credentials that are not valid come from your address; try again later")
}

// failed counts a credential that was not valid.
func (rt *Router) failed(q *request, err error) {
	if fault.Is(err, fault.Unauthenticated) {
		rt.rates.failures.Take(q.network, q.start)
	}
}

// Trying runs the check of a credential that a public route makes by itself, within
// the limit of addresses whose credentials are not valid.
func (rt *Router) Trying(ctx context.Context, check func() error) error {
	q, ok := ctx.Value(requestKey{}).(*request)
	if !ok {
		return check() // nobody's
	}
	if err := rt.limitFailures(q); err != nil {
		return err
	}
	err := check()
	rt.failed(q, err)
	return err
}

func (rt *Router) limitPrincipal(q *request) error {
	wait, ok := rt.rates.principals.Take(q.principal.ID, q.start)
	return rt.limited(ok, LimitedPrincipal, wait, "You make too many requests; slow down")
}

func (rt *Router) limited(ok bool, by LimitedBy, wait time.Duration, text string) error {
	if ok {
		return nil
	}
	if rt.config.Limited != nil {
		rt.config.Limited(by)
	}
	f := fault.New(fault.Limited, "%s", text)
	f.RetryAfter = wait
	return f
}
