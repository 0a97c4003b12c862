//go:build external

package https_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/centrifugotest"
)

// pebble is a certificate authority that asks a server of this machine, whatever
// domain it orders for.
type pebble struct {
	directory string
	// file holds the certificate that Pebble itself is trusted by, roots what it
	// signs others with.
	file  string
	roots *x509.CertPool
	stop  func()
}

// startPebble starts one that asks at those ports, and ends it with the test.
func startPebble(t *testing.T, plain, encrypted int) *pebble {
	t.Helper()
	folder, ports := t.TempDir(), centrifugotest.Ports(t, 4)
	at := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", ports[i]) }
	p := &pebble{directory: "https://" + at(0) + "/dir", file: filepath.Join(folder, "cert.pem")}
	own := selfSigned(t, p.file, filepath.Join(folder, "key.pem"))
	configuration, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": at(0), "managementListenAddress": at(1), "certificate": p.file, "privateKey": filepath.Join(folder, "key.pem"),
		"httpPort": plain, "tlsPort": encrypted,
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "pebble.json")
	if err := os.WriteFile(file, configuration, 0o600); err != nil {
		t.Fatal(err)
	}
	names := launch(t, "pebble-challtestsrv", "-dnsserver", at(2), "-management", at(3), "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "", "-defaultIPv6", "")
	authority := launch(t, "pebble", "-config", file, "-dnsserver", at(2))
	p.stop = func() { authority(); names() }
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: own}}}
	defer client.CloseIdleConnections()
	apptest.Until(t, 30*time.Second, "Pebble", func() bool {
		res, err := client.Get("https://" + at(1) + "/roots/0")
		if err != nil {
			return false
		}
		defer res.Body.Close() //nolint:errcheck // it was read
		root, err := io.ReadAll(res.Body)
		p.roots = x509.NewCertPool()
		return err == nil && p.roots.AppendCertsFromPEM(root)
	})
	return p
}

// launch starts a program of Pebble's module, and returns what ends it.
func launch(t *testing.T, name string, arguments ...string) (stop func()) {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	build := exec.Command("go", "build", "-modfile", "tools/go.mod", "-o", program, "github.com/letsencrypt/pebble/v2/cmd/"+name)
	build.Dir = "../../.."
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	var log bytes.Buffer
	c := exec.Command(program, arguments...)
	c.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		_ = c.Process.Kill() // the only way that it ends
		_ = c.Wait()
		if t.Failed() {
			t.Logf("%s: %s", name, log.Bytes())
		}
	}
	t.Cleanup(stop)
	return stop
}

// selfSigned writes a certificate of this machine and its key.
func selfSigned(t *testing.T, certificate, key string) *x509.CertPool {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.CreateCertificate(rand.Reader, template(), template(), private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made})
	for path, content := range map[string][]byte{certificate: text, key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}

func template() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Pebble"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
}
