package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"
)

// Timeout is how long sending may take.
const Timeout = 10 * time.Second

// Message is a mail with its text in two forms.
type Message struct{ To, Subject, Text, HTML string }

// Config is what a Sender needs.
type Config struct {
	// URL is the server's, such as smtp://user:password@mail.example.com:587.
	URL string
	// From is the sender, such as Floww <floww@example.com>.
	From string
	// TLS takes the place of the system's settings; nil for those.
	TLS *tls.Config
	Now func() time.Time
}

// Sender sends mails. Safe for concurrent use.
type Sender struct {
	config  Config
	host    string
	options []mail.Option
}

// New returns a Sender. It connects to no server before the first mail.
func New(c Config) (*Sender, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Hostname() == "" {
		// The text of the error would show the password.
		return nil, errors.New("the address of the mail server can't be read")
	}
	s := &Sender{config: c, host: u.Hostname(), options: []mail.Option{mail.WithTimeout(Timeout)}}
	switch {
	case u.Scheme == "smtps":
		s.options = append(s.options, mail.WithSSLPort(false))
	case local(s.host):
		s.options = append(s.options, mail.WithTLSPortPolicy(mail.TLSOpportunistic))
	default:
		s.options = append(s.options, mail.WithTLSPortPolicy(mail.TLSMandatory))
	}
	if text := u.Port(); text != "" {
		port, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("the port of the mail server: %w", err)
		}
		s.options = append(s.options, mail.WithPort(port))
	}
	if u.User != nil {
		password, _ := u.User.Password()
		s.options = append(s.options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	if c.TLS != nil {
		s.options = append(s.options, mail.WithTLSConfig(c.TLS))
	}
	if _, err := mail.NewClient(s.host, s.options...); err != nil {
		return nil, fmt.Errorf("the address of the mail server: %w", err)
	}
	if _, err := s.message(Message{To: "nobody@example.com"}); err != nil {
		return nil, err
	}
	return s, nil
}

// local reports whether a host is this machine.
func local(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// Send sends a mail and returns when the server has taken it.
func (s *Sender) Send(ctx context.Context, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	letter, err := s.message(m)
	if err != nil {
		return err
	}
	client, err := mail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("set up the way to the mail server: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, letter); err != nil {
		return fmt.Errorf("send a mail by %s: %w", s.host, err)
	}
	return nil
}

func (s *Sender) message(m Message) (*mail.Msg, error) {
	letter := mail.NewMsg()
	if err := letter.From(s.config.From); err != nil {
		return nil, fmt.Errorf("the sender of mails: %w", err)
	}
	if err := letter.To(m.To); err != nil {
		return nil, fmt.Errorf("the receiver of a mail: %w", err)
	}
	letter.Subject(m.Subject)
	letter.SetMessageID()
	letter.SetDateWithValue(s.config.Now())
	letter.SetBodyString(mail.TypeTextPlain, m.Text)
	letter.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	return letter, nil
}
