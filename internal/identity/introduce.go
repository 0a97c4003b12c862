package identity

import "context"

// introduce asks the provider who a person is when the credential does not say.
// The person gets in all the same when nobody answers, and is asked for again
// at a later request.
func (s *Service) introduce(ctx context.Context, who Identity) Identity {
	profiler, ok := s.Way.(Profiler)
	if !ok || who.Profile.Email != "" {
		return who
	}
	if profile, err := profiler.Profile(ctx, who.Subject); err == nil {
		who.Profile = profile
	}
	return who
}

// anyone returns the one person of a way in which nobody logs in. A browser
// sends nothing that could be missing, so where the request comes from is looked
// at as with a cookie.
func (s *Service) anyone(ctx context.Context, way Open, c Credential) (Principal, error) {
	who, err := way.Anyone(c)
	if err != nil {
		return Principal{}, err
	}
	p, err := s.arrive(ctx, who)
	p.Ambient, p.Admin = true, true
	return p, err
}
