package fetch

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"strings"
)

// decode takes the compression off a body.
func decode(encoding string, body io.Reader) (decoded io.Reader, changed bool, err error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return body, false, nil
	case "gzip", "x-gzip":
		return &lazy{open: func() (io.Reader, error) { return gzip.NewReader(body) }}, true, nil
	case "deflate":
		return &lazy{open: func() (io.Reader, error) { return inflate(body) }}, true, nil
	default:
		return nil, false, fmt.Errorf("the answer is compressed with %.40q, which was not asked for and is not known", encoding)
	}
}

// inflate reads both forms that servers send as deflate.
func inflate(body io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(body)
	head, err := buffered.Peek(2)
	if err != nil {
		return nil, err
	}
	if head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(buffered)
	}
	return flate.NewReader(buffered), nil
}

// lazy opens a reader when it is first read, so that the head of an answer does
// not wait for its body.
type lazy struct {
	open func() (io.Reader, error)
	from io.Reader
}

func (l *lazy) Read(p []byte) (int, error) {
	if l.from == nil {
		from, err := l.open()
		if err != nil {
			return 0, err
		}
		l.from = from
	}
	return l.from.Read(p)
}

// bounded is a body that fails when it is too long.
type bounded struct {
	from        io.Reader
	close       io.Closer
	left, limit int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.from.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("the body of the answer has more than %d bytes", b.limit)
	}
	return n, err
}

func (b *bounded) Close() error { return b.close.Close() }

func trust(roots *x509.CertPool) *tls.Config {
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}
