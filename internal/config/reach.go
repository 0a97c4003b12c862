package config

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// Reach is how the server is reached from outside beside its own address.
type Reach struct {
	Domains       []string `name:"domain" env:"FLOWW_DOMAIN" sep:"," placeholder:"NAME" group:"HTTPS" help:"Names under which the server is reached from outside, the first one in its links: certificates for them are got by ACME and renewed, and the server listens for HTTPS, and for HTTP, which leads there. Naming one agrees to the authority's terms of service."`
	HTTPSListen   string   `name:"https-listen" env:"FLOWW_HTTPS_LISTEN" default:":443" placeholder:"HOST:PORT" group:"HTTPS" help:"Address to listen on for HTTPS where there is a domain."`
	HTTPListen    string   `name:"http-listen" env:"FLOWW_HTTP_LISTEN" default:":80" placeholder:"HOST:PORT" group:"HTTPS" help:"Address to listen on for HTTP where there is a domain: the authority's questions are answered there, and all else is led to HTTPS."`
	ACMEEmail     string   `name:"acme-email" env:"FLOWW_ACME_EMAIL" placeholder:"ADDRESS" group:"HTTPS" help:"Address that the authority writes to when something is wrong with a certificate."`
	ACMEDirectory string   `name:"acme-directory" env:"FLOWW_ACME_DIRECTORY" default:"https://acme-v02.api.letsencrypt.org/directory" placeholder:"URL" group:"HTTPS" help:"ACME directory of the authority that gives certificates."`
	ProxyProtocol bool     `name:"proxy-protocol" env:"FLOWW_PROXY_PROTOCOL" group:"HTTPS" help:"Connections from TRUSTED_PROXIES begin with a header of the PROXY protocol (1 or 2), which says where they come from; one without it is ended."`
}

// checkReach returns what is wrong with how the server is reached.
func (s *Settings) checkReach(add func(name, format string, args ...any)) {
	for _, name := range s.Domains {
		if !isDomain(name) {
			add("FLOWW_DOMAIN (--domain)", "%q is no domain that an authority certifies; give a name like flows.example.com, without a scheme, a port or a star", name)
		}
	}
	if len(s.Domains) > 0 {
		checkListen(add, "FLOWW_HTTPS_LISTEN (--https-listen)", s.HTTPSListen)
		checkListen(add, "FLOWW_HTTP_LISTEN (--http-listen)", s.HTTPListen)
		if u, err := url.Parse(s.ACMEDirectory); err != nil || u.Scheme != "https" || u.Host == "" {
			add("FLOWW_ACME_DIRECTORY (--acme-directory)", "%q is no address of an ACME directory; give one that begins with https://", s.ACMEDirectory)
		}
	}
	if s.ProxyProtocol && len(s.TrustedProxies) == 0 {
		add("FLOWW_PROXY_PROTOCOL (--proxy-protocol)", "it needs TRUSTED_PROXIES: the header is believed of those alone")
	}
}

// HTTPS reports whether browsers reach the server by https alone.
func (s *Settings) HTTPS() bool {
	return strings.HasPrefix(strings.ToLower(s.PublicURL), "https://") || s.PublicURL == "" && len(s.Domains) > 0
}

// isDomain reports whether an authority could certify a name: labels of letters,
// digits and hyphens, in lower case, at least two.
func isDomain(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil || len(name) > 253 || !strings.Contains(name, ".") {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
				return false
			}
		}
	}
	return true
}

// checkDebug allows addresses of the machine itself alone: nobody is asked who
// they are there.
func (s *Settings) checkDebug(add func(name, format string, args ...any)) {
	const setting = "FLOWW_DEBUG_LISTEN (--debug-listen)"
	if s.DebugListen == "" {
		return
	}
	checkListen(add, setting, s.DebugListen)
	if host, _, err := net.SplitHostPort(s.DebugListen); err == nil && host != "localhost" {
		if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
			add(setting, "%q is not an address of the machine itself; give one like 127.0.0.1:6060", s.DebugListen)
		}
	}
}

// checkListen says what is wrong with an address to listen on.
func checkListen(add func(name, format string, args ...any), setting, address string) {
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		add(setting, "%q is no address to listen on; give HOST:PORT, such as 127.0.0.1:8080 or :8080", address)
	} else if _, err := net.LookupPort("tcp", port); err != nil {
		add(setting, "%q is no port; give 0 to 65535", port)
	}
}
