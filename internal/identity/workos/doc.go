// Package workos is the way to log in at WorkOS (AuthKit, User Management).
//
// Its access tokens come in two shapes, and both are accepted exactly:
//
//	iss                                             aud
//	<api>/user_management/<client id>               none, or the client id
//	<api>                                           the client id
//
// The first is what WorkOS signs for environments made since the middle of 2025
// (https://api.workos.com/user_management/client_…, with keys of the client's
// own at /sso/jwks/<client id>); the second is that of WorkOS's emulator (npm
// package workos 0.14, dist/emulate/core/jwt.js and workos/routes/auth.js). An
// environment with another issuer, such as a custom domain, names it in
// AUTH_ISSUER_URL, which takes the place of the first.
//
// The tokens name no person: e-mail and names come with a login in a browser,
// and are asked for at the user API for somebody whom only a token is known of.
//
// WorkOS's own Go module is left out because it can't be had from the module
// proxy that this project builds with; what is used of the API is small.
package workos
