package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/usefloww/flowwd/internal/certificate"
	"github.com/usefloww/flowwd/internal/secret"
)

// proxyHeaderTimeout is how long a proxy may take for its header.
const proxyHeaderTimeout = 5 * time.Second

// addCertificates makes what gets certificates; nil without a domain.
func (s *Server) addCertificates() *certificate.Service {
	settings := s.config.Settings
	if len(settings.Domains) == 0 {
		return nil
	}
	made := certificate.New(certificate.Config{
		Domains: settings.Domains, Email: settings.ACMEEmail, Directory: settings.ACMEDirectory,
		Store: s.store, Ring: s.keyring.For(secret.Certificates), UserAgent: "flowwd/" + s.config.Version, Now: s.config.Now, Log: s.log,
	})
	for _, domain := range settings.Domains {
		s.metrics.certificate(domain, func() float64 {
			if ends := made.Expires(domain); !ends.IsZero() {
				return float64(ends.Unix())
			}
			return 0
		})
	}
	return made
}

// httpPart is the listeners and the server behind them: one without encryption,
// and, where there is a domain, one with it and one that leads there.
func (s *Server) httpPart() part {
	server := s.router.Server()
	server.RegisterOnShutdown(s.executions.EndAwaits)
	servers := []*http.Server{server}
	var debug *http.Server
	return part{
		name:  "HTTP",
		share: 30,
		start: func(ctx context.Context) error {
			proxies, err := networks(s.config.Settings.TrustedProxies)
			if err != nil {
				return err
			}
			var own []netip.AddrPort
			bind := func(address, setting string) (net.Listener, error) {
				l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
				if err != nil {
					return nil, fmt.Errorf("listen on %s (another address can be given with %s): %w", address, setting, err)
				}
				if at, err := netip.ParseAddrPort(l.Addr().String()); err == nil {
					own = append(own, at)
				}
				return l, nil
			}
			listen := func(address, setting string) (net.Listener, error) {
				l, err := bind(address, setting)
				if err != nil {
					return nil, err
				}
				return s.behindProxies(l, proxies), nil
			}
			if s.listener, err = listen(s.config.Settings.Listen, "--listen"); err != nil {
				return err
			}
			if s.certificates != nil {
				more, err := s.listenHTTPS(server, listen)
				if err != nil {
					return err
				}
				servers = append(servers, more)
			}
			if s.config.Settings.DebugListen != "" {
				if debug, err = s.listenDebug(bind); err != nil {
					return err
				}
			}
			s.own.Store(&own)
			s.serve(func() error { return server.Serve(s.listener) })
			return nil
		},
		stop: func(ctx context.Context) error {
			var all []error
			if debug != nil {
				all = append(all, debug.Close()) // nobody waits for a profile
			}
			for _, one := range servers {
				if err := one.Shutdown(ctx); err != nil {
					s.log.Warn("requests that did not end in time were cut off", "error", err)
					all = append(all, one.Close())
				}
			}
			return errors.Join(all...)
		},
	}
}

// serve runs a listener until it ends; the server ends with it when that is no
// shutdown.
func (s *Server) serve(run func() error) {
	go func() {
		if err := run(); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serve HTTP: %w", err)
		}
	}()
}

// listenHTTPS has the server listen with certificates, and returns another that
// leads to it.
func (s *Server) listenHTTPS(server *http.Server, listen func(address, setting string) (net.Listener, error)) (*http.Server, error) {
	encrypted, err := listen(s.config.Settings.HTTPSListen, "--https-listen")
	if err != nil {
		return nil, err
	}
	plain, err := listen(s.config.Settings.HTTPListen, "--http-listen")
	if err != nil {
		return nil, errors.Join(err, encrypted.Close())
	}
	s.encrypted, s.plain = encrypted.Addr(), plain.Addr()
	server.TLSConfig = s.certificates.TLS()
	leads := &http.Server{
		Handler: s.certificates.Challenges(http.HandlerFunc(s.toHTTPS)), ReadTimeout: server.ReadHeaderTimeout, ReadHeaderTimeout: server.ReadHeaderTimeout,
		WriteTimeout: server.ReadHeaderTimeout, IdleTimeout: server.IdleTimeout, MaxHeaderBytes: server.MaxHeaderBytes, ErrorLog: server.ErrorLog,
	}
	s.serve(func() error { return server.ServeTLS(encrypted, "", "") })
	s.serve(func() error { return leads.Serve(plain) })
	return leads, nil
}

// toHTTPS leads a request for one of the domains to HTTPS, with its method and
// body. Nobody is led to another name: a link must not send people elsewhere.
func (s *Server) toHTTPS(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	if !s.certificates.Covers(r.Host) {
		http.Error(w, "This server is reached by another name.", http.StatusMisdirectedRequest)
		return
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusPermanentRedirect)
}

// behindProxies has a listener believe those proxies' headers of the PROXY
// protocol, when the settings want that.
func (s *Server) behindProxies(l net.Listener, proxies []netip.Prefix) net.Listener {
	if !s.config.Settings.ProxyProtocol {
		return l
	}
	return &proxyproto.Listener{
		Listener: l, ReadHeaderTimeout: proxyHeaderTimeout,
		ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			from, err := netip.ParseAddrPort(o.Upstream.String())
			if err != nil {
				return proxyproto.REJECT, nil
			}
			for _, p := range proxies {
				if p.Contains(from.Addr().Unmap()) {
					return proxyproto.REQUIRE, nil
				}
			}
			return proxyproto.SKIP, nil
		},
	}
}
