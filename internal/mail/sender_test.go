package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/usefloww/flowwd/internal/mail"
)

// server is an SMTP server that keeps what it gets.
type server struct {
	mu       sync.Mutex
	from, to string
	body     string
	secure   bool
	user     string
	// refuse is answered to every mail.
	refuse *smtp.SMTPError
}

func (s *server) NewSession(c *smtp.Conn) (smtp.Session, error) { return &session{s, c}, nil }

type session struct {
	*server
	conn *smtp.Conn
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "me" || password != "s3cret/&" {
			return errors.New("wrong password")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = to
	return nil
}

func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.refuse != nil {
		return s.refuse
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body = string(b)
	_, s.secure = s.conn.TLSConnectionState()
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// serve starts a server; implicit has it speak TLS from the first byte.
func serve(t *testing.T, s *server, certificate *tls.Config, implicit bool) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	on := smtp.NewServer(s)
	on.Domain, on.AllowInsecureAuth, on.TLSConfig = "localhost", false, certificate
	_, port, _ = net.SplitHostPort(l.Addr().String())
	if implicit {
		l = tls.NewListener(l, certificate)
	}
	done := make(chan error, 1)
	go func() { done <- on.Serve(l) }()
	t.Cleanup(func() {
		_ = on.Close() // Serve says what was wrong
		if err := <-done; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return port
}

// certificate makes the two sides of a TLS connection to localhost.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: pool, ServerName: "localhost"}
}

func sender(t *testing.T, url string, trust *tls.Config) *mail.Sender {
	t.Helper()
	s, err := mail.New(mail.Config{URL: url, From: "Floww <floww@example.com>", TLS: trust, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var letter = mail.Message{To: "ada@example.org", Subject: "Grüße, Ada", Text: "Hello — open https://x.example/invite?token=abc=1", HTML: "<p>Hello</p>"}

func TestSend(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, url        string
		offers, implicit bool
		secure           bool
		user             string
	}{
		{"this machine without encryption", "smtp://localhost:", false, false, false, ""},
		{"STARTTLS and a password", "smtp://me:s3cret%2F%26@localhost:", true, false, true, "me"},
		{"TLS from the first byte", "smtps://me:s3cret%2F%26@localhost:", true, true, true, "me"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			here, trust := certificate(t)
			s := &server{}
			if !c.offers {
				here, trust = nil, nil
			}
			port := serve(t, s, here, c.implicit)
			if err := sender(t, c.url+port, trust).Send(t.Context(), letter); err != nil {
				t.Fatal(err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.from != "floww@example.com" || s.to != letter.To || s.secure != c.secure || s.user != c.user {
				t.Errorf("from %q to %q, encrypted %t, user %q", s.from, s.to, s.secure, s.user)
			}
			m, err := netmail.ReadMessage(strings.NewReader(s.body))
			if err != nil {
				t.Fatal(err)
			}
			if kind := m.Header.Get("Content-Type"); !strings.HasPrefix(kind, "multipart/alternative") {
				t.Errorf("the mail is %s", kind)
			}
			for _, want := range []string{"text/plain", "text/html", "<p>Hello</p>", "Subject: =?UTF-8?q?Gr", "Message-ID: <", "Date: "} {
				if !strings.Contains(s.body, want) {
					t.Errorf("the mail has no %q:\n%s", want, s.body)
				}
			}
		})
	}
}

func TestSendFails(t *testing.T) {
	t.Parallel()
	here, trust := certificate(t)
	_, other := certificate(t)
	refusing := serve(t, &server{refuse: &smtp.SMTPError{Code: 550, Message: "mailbox full"}}, here, false)
	working := serve(t, &server{}, here, false)
	for name, c := range map[string]struct {
		url   string
		trust *tls.Config
		says  string
	}{
		"refused by the server": {"smtp://localhost:" + refusing, trust, "mailbox full"},
		"a wrong password":      {"smtp://me:wrong@localhost:" + working, trust, ""},
		"a wrong certificate":   {"smtp://localhost:" + working, other, "certificate"},
		"nobody there":          {"smtp://localhost:1", nil, "localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := sender(t, c.url, c.trust).Send(t.Context(), letter)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want an error with %q", err, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "wrong@") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	for _, c := range []mail.Config{
		{URL: "smtp://", From: "a@example.com"},
		{URL: "smtp://me:pass word@[", From: "a@example.com"},
		{URL: "smtp://localhost:25", From: "nobody"},
	} {
		c.Now = time.Now
		if _, err := mail.New(c); err == nil || strings.Contains(err.Error(), "pass word") {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}
