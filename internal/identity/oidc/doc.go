// Package oidc is the way to log in at any provider of OpenID Connect.
//
// The provider is known by its address alone; everything else stands in its
// discovery document, which is kept and served on while the provider is down.
// Browsers log in with the authorization code flow (PKCE, nonce, state), and
// what came of it is taken from the id token. Command lines show an access token
// of the provider, which must be a JSON Web Token for this client or for the
// audience of the settings; a provider whose tokens are no such thing (Google)
// is for browsers, and command lines log in at this server.
//
// Tokens are checked by package issuer; whom they make a user is the business
// of package identity.
package oidc
