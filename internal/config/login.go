package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// AuthType is how people log in.
type AuthType string

// The ways to log in.
const (
	AuthPassword AuthType = "password"
	AuthWorkOS   AuthType = "workos"
	AuthOIDC     AuthType = "oidc"
	AuthNone     AuthType = "none"
)

// UnmarshalText reads one of the ways.
func (a *AuthType) UnmarshalText(text []byte) error {
	all := []AuthType{AuthPassword, AuthWorkOS, AuthOIDC, AuthNone}
	if got := AuthType(strings.ToLower(string(text))); slices.Contains(all, got) {
		*a = got
		return nil
	}
	return fmt.Errorf("%q is no way to log in; allowed: password, workos, oidc, none", text)
}

// Login is how people log in and who may do what then.
type Login struct {
	AuthType  AuthType `name:"auth-type" env:"AUTH_TYPE" default:"password" placeholder:"TYPE" group:"Login" help:"How people log in: password, workos, oidc, or none (one person, for this machine alone)."`
	ClientID  string   `name:"auth-client-id" env:"AUTH_CLIENT_ID" placeholder:"ID" group:"Login" help:"Client id at the OIDC provider; for WorkOS, WORKOS_CLIENT_ID says the same."`
	Secret    string   `name:"auth-client-secret" env:"AUTH_CLIENT_SECRET" placeholder:"SECRET" group:"Login" secret:"" help:"Client secret at the OIDC provider; for WorkOS, WORKOS_API_KEY says the same. A flag can be read by other users of the machine: prefer the variable or its file."`
	IssuerURL string   `name:"auth-issuer-url" env:"AUTH_ISSUER_URL" placeholder:"URL" group:"Login" help:"Address of the OIDC provider, as its tokens name it; for WorkOS, only where tokens name another issuer than WorkOS does by itself."`
	Audience  string   `name:"device-auth-audience" env:"DEVICE_AUTH_AUDIENCE" placeholder:"NAME" group:"Login" help:"Audience that command lines ask the OIDC provider for, accepted beside the client id."`
	Device    string   `name:"device-login" env:"FLOWW_DEVICE_LOGIN" default:"auto" enum:"auto,own,provider" placeholder:"WHERE" group:"Login" help:"Where command lines log in with workos and oidc: at the provider, at this server (own), or at the provider where it can do that (auto)."`

	WorkOSClientID string `name:"workos-client-id" env:"WORKOS_CLIENT_ID" placeholder:"ID" group:"Login" help:"Client id at WorkOS."`
	WorkOSAPIKey   string `name:"workos-api-key" env:"WORKOS_API_KEY" placeholder:"KEY" group:"Login" secret:"" help:"API key of WorkOS. A flag can be read by other users of the machine: prefer the variable or its file."`
	WorkOSURL      string `name:"workos-api-url" env:"WORKOS_API_URL" default:"https://api.workos.com" placeholder:"URL" group:"Login" help:"Address of the API of WorkOS."`

	AdminEmail    string   `name:"admin-email" env:"FLOWW_ADMIN_EMAIL" placeholder:"EMAIL" group:"Login" help:"E-mail of the first account, which is made at the start when there is none; with FLOWW_ADMIN_PASSWORD, for AUTH_TYPE password."`
	AdminPassword string   `name:"admin-password" env:"FLOWW_ADMIN_PASSWORD" placeholder:"PASSWORD" group:"Login" secret:"" help:"Password of that account. A flag can be read by other users of the machine: prefer the variable or its file."`
	AdminUserIDs  []string `name:"admin-user-ids" env:"ADMIN_USER_IDS" sep:"," placeholder:"ID" group:"Login" help:"Approved administrators: the subjects (sub) of their tokens or their user ids."`
	NoLoginAnyway bool     `name:"insecure-no-login" env:"FLOWW_INSECURE_NO_LOGIN" group:"Login" help:"Allow AUTH_TYPE none on an address that other machines reach: whoever reaches it owns everything."`

	SingleOrg            bool   `name:"single-org-mode" env:"SINGLE_ORG_MODE" group:"Login" help:"Have everybody join the one organization of the first start instead of getting an own one."`
	SingleOrgName        string `name:"single-org-name" env:"SINGLE_ORG_NAME" default:"default" placeholder:"NAME" group:"Login" help:"Name of that organization when the first start makes it."`
	SingleOrgDisplayName string `name:"single-org-display-name" env:"SINGLE_ORG_DISPLAY_NAME" default:"Default Organization" placeholder:"NAME" group:"Login" help:"Display name of that organization when the first start makes it."`

	EncryptionKey string `name:"encryption-key" env:"ENCRYPTION_KEY" placeholder:"KEY" group:"Login" secret:"" help:"Key that secrets in the database are encrypted with and tokens are signed with, 32 bytes in base64; several, the one in use first, with commas between them. Generated when unset; servers that share a database need the same. A flag can be read by other users of the machine: prefer the variable or its file."`
}

// OAuthClient returns client id and secret of the chosen way.
func (l *Login) OAuthClient() (id, secret string) {
	id, secret = l.ClientID, l.Secret
	if l.AuthType == AuthWorkOS {
		if l.WorkOSClientID != "" {
			id = l.WorkOSClientID
		}
		if l.WorkOSAPIKey != "" {
			secret = l.WorkOSAPIKey
		}
	}
	return id, secret
}

// Abuse bounds what clients can do to a server, and says which ones to believe.
type Abuse struct {
	TrustedProxies []string `name:"trusted-proxies" env:"TRUSTED_PROXIES" sep:"," placeholder:"NETWORK" group:"Abuse" help:"Addresses or networks of proxies whose X-Forwarded-For tells where a request comes from, such as 10.0.0.0/8."`
	CORSOrigins    []string `name:"cors-origins" env:"FLOWW_CORS_ORIGINS" sep:"," placeholder:"ORIGIN" group:"Abuse" help:"Sites whose pages may call the API with a bearer token, such as https://app.example.com."`
	RateLimit      int      `name:"rate-limit" env:"FLOWW_RATE_LIMIT" default:"500" min:"1" max:"1000000" placeholder:"N" group:"Abuse" help:"Requests each second of one principal, or of one address without a valid credential, that go on for long; bursts of ten seconds' worth are taken. Webhooks have no limit of this kind."`
	AuditDays      int      `name:"audit-days" env:"FLOWW_AUDIT_DAYS" default:"365" min:"1" max:"3650" placeholder:"DAYS" group:"Operation" help:"Days that the audit log is kept."`
	GraceDays      int      `name:"organization-grace-days" env:"FLOWW_ORGANIZATION_GRACE_DAYS" default:"7" min:"0" max:"365" placeholder:"DAYS" group:"Operation" help:"Days in which a deleted organization can be restored."`
	SMTPURL        string   `name:"smtp-url" env:"FLOWW_SMTP_URL" placeholder:"URL" group:"Mail" secret:"" help:"Mail server that sends invitations, such as smtp://user:password@mail.example.com:587; without it, links are shown instead. A flag can be read by other users of the machine: prefer the variable or its file."`
	MailFrom       string   `name:"mail-from" env:"FLOWW_MAIL_FROM" placeholder:"ADDRESS" group:"Mail" help:"Sender of mails, such as Floww <floww@example.com>."`
}

// checkLogin returns what is wrong with the settings of login and abuse.
func (s *Settings) checkLogin(add func(name, format string, args ...any)) {
	id, secret := s.OAuthClient()
	switch s.AuthType {
	case AuthOIDC:
		if id == "" || secret == "" || s.IssuerURL == "" {
			add("AUTH_TYPE (--auth-type)", "oidc needs AUTH_CLIENT_ID, AUTH_CLIENT_SECRET and AUTH_ISSUER_URL")
		} else if text := checkURL(s.IssuerURL); text != "" {
			add("AUTH_ISSUER_URL (--auth-issuer-url)", "%s", text)
		}
	case AuthWorkOS:
		if id == "" || secret == "" {
			add("AUTH_TYPE (--auth-type)", "workos needs WORKOS_CLIENT_ID and WORKOS_API_KEY")
		}
		if text := checkURL(s.WorkOSURL); text != "" {
			add("WORKOS_API_URL (--workos-api-url)", "%s", text)
		}
		if text := checkURL(s.IssuerURL); s.IssuerURL != "" && text != "" {
			add("AUTH_ISSUER_URL (--auth-issuer-url)", "%s", text)
		}
	case AuthNone:
		if !s.NoLoginAnyway && len(s.Domains) > 0 {
			add("AUTH_TYPE (--auth-type)", "none lets whoever reaches %s own everything; choose another way to log in, or allow it with FLOWW_INSECURE_NO_LOGIN=true", s.Domains[0])
		}
		if !s.NoLoginAnyway && !listensLocally(s.Listen) {
			add("AUTH_TYPE (--auth-type)", "none lets whoever reaches %s own everything; listen on 127.0.0.1, choose another way to log in, or allow it with FLOWW_INSECURE_NO_LOGIN=true", s.Listen)
		}
	}
	if (s.AdminEmail == "") != (s.AdminPassword == "") {
		add("FLOWW_ADMIN_EMAIL (--admin-email)", "FLOWW_ADMIN_EMAIL and FLOWW_ADMIN_PASSWORD go together")
	}
	for _, text := range s.TrustedProxies {
		if _, err := ParseNetwork(text); err != nil {
			add("TRUSTED_PROXIES (--trusted-proxies)", "%v", err)
		}
	}
	for _, text := range s.CORSOrigins {
		if u, err := url.Parse(text); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
			add("FLOWW_CORS_ORIGINS (--cors-origins)", "%q is no origin; give one like https://app.example.com, without a path", text)
		}
	}
	if s.SMTPURL != "" {
		if u, err := url.Parse(s.SMTPURL); err != nil || u.Host == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
			add("FLOWW_SMTP_URL (--smtp-url)", "it is no address of a mail server; give one like smtp://user:password@mail.example.com:587")
		}
		if s.MailFrom == "" {
			add("FLOWW_MAIL_FROM (--mail-from)", "it is needed with FLOWW_SMTP_URL; give a sender like Floww <floww@example.com>")
		}
	}
}

// ParseNetwork reads an address or a network.
func ParseNetwork(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no address or network; give one like 10.0.0.0/8", text)
	}
	return network.Masked(), nil
}

// listensLocally reports whether only this machine reaches an address.
func listensLocally(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
