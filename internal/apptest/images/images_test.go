package images

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	containers "github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/engine/dummy"
	"github.com/usefloww/flowwd/internal/registrytest"
)

// atEnd ends what tests share.
var atEnd = func() error { return nil }

func TestMain(m *testing.M) {
	code := apptest.Main(m)
	if err := atEnd(); err != nil {
		fmt.Fprintln(os.Stderr, "end what the tests shared:", err)
		code = 1
	}
	os.Exit(code)
}

// start starts a server that runs no code.
func start(t *testing.T, o apptest.Options) *apptest.Server {
	t.Helper()
	o.Engine, o.OnDisk = dummy.New(1, time.Now), true
	return apptest.Start(t, o)
}

// wherever runs a test with images in the data folder, and with images at
// another registry, which asks for tokens.
func wherever(t *testing.T, test func(t *testing.T, start func(o apptest.Options) *apptest.Server)) {
	t.Helper()
	t.Run("folder", func(t *testing.T) {
		t.Parallel()
		test(t, func(o apptest.Options) *apptest.Server { return start(t, o) })
	})
	t.Run("upstream", func(t *testing.T) {
		t.Parallel()
		up := registrytest.Start(t, registrytest.Options{Login: registrytest.Token})
		test(t, func(o apptest.Options) *apptest.Server { return start(t, behind(up, o)) })
	})
}

// behind has a server keep its images at another registry.
func behind(up *registrytest.Registry, o apptest.Options) apptest.Options {
	change := o.Settings
	o.Settings = func(c *config.Settings) {
		c.RegistryURL, c.RegistryUser, c.RegistryPassword = up.URL, registrytest.User, registrytest.Password
		if change != nil {
			change(c)
		}
	}
	return o
}

// repository is the name of an organization's repository.
func repository(t *testing.T, c *apptest.Client) string {
	t.Helper()
	return "floww/" + c.Organization(t)
}

// reference names an image at a server.
func reference(t *testing.T, c *apptest.Client, repository, tag string) containers.Tag {
	t.Helper()
	ref, err := containers.NewTag(strings.TrimPrefix(c.URL, "http://")+"/"+repository+":"+tag, containers.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// with shows a credential as docker does.
func with(password string) remote.Option {
	return remote.WithAuth(&authn.Basic{Username: "token", Password: password})
}

func image(t *testing.T, bytes int64) v1.Image {
	t.Helper()
	img, err := random.Image(bytes, 3)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func digestOf(t *testing.T, img v1.Image) string {
	t.Helper()
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// refusal returns the status and the first message of a refused request.
func refusal(t *testing.T, err error) (status int, message string) {
	t.Helper()
	var refused *transport.Error
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want a refusal of the registry", err)
	}
	if len(refused.Errors) > 0 {
		message = refused.Errors[0].Message
	}
	return refused.StatusCode, message
}

func TestImagesArePushedAndPulled(t *testing.T) {
	t.Parallel()
	wherever(t, testImagesArePushedAndPulled)
}

func testImagesArePushedAndPulled(t *testing.T, start func(o apptest.Options) *apptest.Server) {
	s := start(apptest.Options{})
	ref, img := reference(t, s.Client, repository(t, s.Client), "v1"), image(t, 64<<10)
	if err := remote.Write(ref, img, with(s.Key)); err != nil {
		t.Fatal(err)
	}
	got, err := remote.Image(ref, with(s.Key))
	if err != nil {
		t.Fatal(err)
	}
	if digestOf(t, got) != digestOf(t, img) {
		t.Error("another image came back")
	}
	layers, err := got.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		content, err := l.Compressed()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, content); err != nil { // the library compares the digest at the end
			t.Error(err)
		}
	}
	tags, err := remote.List(ref.Repository, with(s.Key))
	if err != nil || fmt.Sprint(tags) != "[v1]" {
		t.Errorf("tags: %v, %v", tags, err)
	}
}

// A push token is for one tag of one organization and for nothing else.
func TestPushTokens(t *testing.T) {
	t.Parallel()
	wherever(t, testPushTokens)
}

func testPushTokens(t *testing.T, start func(o apptest.Options) *apptest.Server) {
	s := start(apptest.Options{})
	img := image(t, 4<<10)
	made := s.JSON(t, http.StatusOK, "POST", "/api/runtimes/push_token", map[string]any{"image_hash": "abc123"})
	token := made["password"].(string)
	address := made["registry_url"].(string) + ":" + made["image_tag"].(string)
	ref, err := containers.NewTag(address, containers.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{"abc124", "latest"} {
		if status, message := refusal(t, remote.Write(ref.Tag(other), img, with(token))); status != http.StatusForbidden || !strings.Contains(message, "abc123 alone") {
			t.Errorf("another tag: %d %s", status, message)
		}
	}
	if err := remote.Write(ref, img, with(token)); err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Image(ref, with(s.Key)); err != nil {
		t.Error(err)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	layer, err := layers[0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	pusher := &apptest.Client{URL: s.URL, HTTP: s.HTTP, Key: token}
	path := "/v2/" + repository(t, s.Client)
	for what, want := range map[string]int{
		"HEAD " + path + "/blobs/" + layer.String(): http.StatusOK,
		"GET " + path + "/blobs/" + layer.String():  http.StatusForbidden,
		"GET " + path + "/tags/list":                http.StatusForbidden,
		"GET /api/workflows":                        http.StatusUnauthorized,
		"POST /api/runtimes/push_token":             http.StatusUnauthorized,
	} {
		method, path, _ := strings.Cut(what, " ")
		if r := pusher.Do(t, method, path, nil); r.Status != want {
			t.Errorf("%s: %s, want %d", what, r, want)
		}
	}
	again := s.Do(t, "POST", "/api/runtimes/push-token", map[string]any{"imageHash": "abc123"})
	if again.Status != http.StatusConflict || !strings.Contains(string(again.Body), `"detail":"Image already exists in registry"`) {
		t.Errorf("a second push: %s", again)
	}
	if bad := s.Do(t, "POST", "/api/runtimes/push_token", map[string]any{"image_hash": "../x"}); bad.Status != http.StatusUnprocessableEntity && bad.Status != http.StatusBadRequest {
		t.Errorf("a hash that is none: %s", bad)
	}
}

// The token flow gives what the credential is for and no more.
func TestTokenFlow(t *testing.T) {
	t.Parallel()
	s := start(t, apptest.Options{})
	name := repository(t, s.Client)
	r := s.Anonymous().Do(t, "GET", "/v2/", nil)
	if challenges := r.Header.Values("WWW-Authenticate"); r.Status != http.StatusUnauthorized || len(challenges) != 2 ||
		!strings.HasPrefix(challenges[0], `Bearer realm="`+s.URL+`/v2/token"`) || !strings.HasPrefix(challenges[1], "Basic ") {
		t.Errorf("without a credential: %s %v", r, challenges)
	}
	ask := func(password, scope string) apptest.Response {
		return s.Anonymous().Do(t, "GET", "/v2/token?service=flowwd-registry&scope="+scope, nil,
			"Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("token:"+password)))
	}
	if r := ask("floww_sa_nonsense", "repository:"+name+":pull"); r.Status != http.StatusUnauthorized {
		t.Errorf("a wrong credential: %s", r)
	}
	other := s.OtherTenant(t)
	if r := ask(s.Key, "repository:"+repository(t, other)+":pull"); r.Status != http.StatusNotFound {
		t.Errorf("another organization's repository: %s", r)
	}
	push := s.JSON(t, http.StatusOK, "POST", "/api/runtimes/push_token", map[string]any{"image_hash": "one"})["password"].(string)
	for _, password := range []string{s.Key, push} {
		if r := ask(password, "repository:"+name+":pull,push"); r.Status != http.StatusOK || !strings.Contains(string(r.Body), `"expires_in":300`) {
			t.Errorf("a good credential: %s", r)
		}
	}
}

// Tokens end, and are good at the server that made them.
func TestTokensEnd(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	s := start(t, apptest.Options{Now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) }})
	name := repository(t, s.Client)
	try := func(at *apptest.Server, token string) int {
		return (&apptest.Client{URL: at.URL, HTTP: at.HTTP, Key: token}).Do(t, "HEAD", "/v2/"+name+"/manifests/one", nil).Status
	}
	push := s.JSON(t, http.StatusOK, "POST", "/api/runtimes/push_token", map[string]any{"image_hash": "one"})["password"].(string)
	if got := try(s, push); got != http.StatusNotFound {
		t.Errorf("a new token: %d", got)
	}
	if got := try(start(t, apptest.Options{}), push); got != http.StatusUnauthorized {
		t.Errorf("at another server: %d", got)
	}
	later.Store(int64(59 * time.Minute))
	if got := try(s, push); got != http.StatusNotFound {
		t.Errorf("after 59 minutes: %d", got)
	}
	later.Store(int64(62 * time.Minute))
	if got := try(s, push); got != http.StatusUnauthorized {
		t.Errorf("after 62 minutes: %d", got)
	}
}

// Who guesses credentials is held up, at both doors of the registry as at the API,
// by the same count.
func TestGuessesAreLimited(t *testing.T) {
	t.Parallel()
	s := start(t, apptest.Options{})
	guess := func(n int) apptest.Response {
		path := []string{"/v2/", "/v2/token?service=flowwd-registry"}[n%2]
		return s.Anonymous().Do(t, "GET", path, nil, "Authorization", "Basic "+base64.StdEncoding.EncodeToString(fmt.Append(nil, "token:floww_sa_", n)))
	}
	const most = 5000
	n := 0
	r := guess(n)
	for ; n < most && r.Status == http.StatusUnauthorized; n++ {
		r = guess(n)
	}
	if r.Status != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" || !strings.Contains(string(r.Body), "TOOMANYREQUESTS") {
		t.Errorf("after %d guesses: %s, Retry-After %q", n, r, r.Header.Get("Retry-After"))
	}
	limited := func(key string) bool {
		return s.Anonymous().Do(t, "GET", "/api/whoami", nil, "Authorization", "Bearer "+key).Status == http.StatusTooManyRequests
	}
	for n = 0; n < most && !limited("floww_sa_wrong"); n++ { // some tokens may have come in between
	}
	if n > most/2 {
		t.Errorf("the API let %d more pass", n)
	}
}

func TestOrganizationsSeeNothingOfEachOther(t *testing.T) {
	t.Parallel()
	wherever(t, testOrganizationsSeeNothingOfEachOther)
}

func testOrganizationsSeeNothingOfEachOther(t *testing.T, start func(o apptest.Options) *apptest.Server) {
	s := start(apptest.Options{})
	other := s.OtherTenant(t)
	own, foreign := repository(t, s.Client), repository(t, other)
	img := image(t, 4<<10)
	if err := remote.Write(reference(t, s.Client, own, "v1"), img, with(s.Key)); err != nil {
		t.Fatal(err)
	}
	theirs := reference(t, s.Client, own, "v1")
	if _, err := remote.Image(theirs, with(other.Key)); err == nil {
		t.Error("pulled another organization's image")
	}
	if status, _ := refusal(t, remote.Write(theirs, img, with(other.Key))); status != http.StatusNotFound {
		t.Errorf("overwriting another organization's image: %d", status)
	}
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	d, err := layers[0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	for _, mount := range []string{"mount=" + d.String() + "&from=" + own, "mount=" + d.String()} {
		r := other.Do(t, "POST", "/v2/"+foreign+"/blobs/uploads/?"+mount, nil)
		if r.Status != http.StatusAccepted || r.Header.Get("Location") == "" {
			t.Errorf("mounting another organization's layer by %s: %s", mount, r)
		}
	}
	if r := other.Do(t, "HEAD", "/v2/"+foreign+"/blobs/"+d.String(), nil); r.Status != http.StatusNotFound {
		t.Errorf("another organization's layer in one's own repository: %s", r)
	}
}

// blob is content with its digest.
func blob(size int) (content []byte, digest string) {
	content = bytes.Repeat([]byte("flowwd "), size/7+1)[:size]
	sum := sha256.Sum256(content)
	return content, "sha256:" + hex.EncodeToString(sum[:])
}

// An upload goes on where it was, also with another process of the server.
func TestUploadsGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	wherever(t, testUploadsGoOnAfterARestart)
}

func testUploadsGoOnAfterARestart(t *testing.T, start func(o apptest.Options) *apptest.Server) {
	s := start(apptest.Options{})
	content, digest := blob(100_000)
	path := "/v2/" + repository(t, s.Client)
	begun := s.Do(t, "POST", path+"/blobs/uploads/", nil)
	part := s.Do(t, "PATCH", begun.Header.Get("Location"), content[:60_000], "Content-Type", "application/octet-stream", "Content-Range", "0-59999")
	if part.Status != http.StatusAccepted || part.Header.Get("Range") != "0-59999" {
		t.Fatalf("the first part: %s, range %s", part, part.Header.Get("Range"))
	}
	s.Stop(t)
	again := start(apptest.Options{DataDir: s.DataDir})
	if r := again.Do(t, "PATCH", part.Header.Get("Location"), content[:10], "Content-Type", "application/octet-stream", "Content-Range", "0-9"); r.Status != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("a part that was sent already: %s", r)
	}
	last := again.Do(t, "PATCH", part.Header.Get("Location"), content[60_000:], "Content-Type", "application/octet-stream", "Content-Range", "60000-99999")
	if last.Status != http.StatusAccepted {
		t.Fatalf("the second part: %s", last)
	}
	if r := again.Do(t, "PUT", last.Header.Get("Location")+"&digest="+digest, nil); r.Status != http.StatusCreated {
		t.Fatalf("the end: %s", r)
	}
	if r := again.Do(t, "GET", path+"/blobs/"+digest, nil); r.Status != http.StatusOK || !bytes.Equal(r.Body, content) {
		t.Errorf("what comes back: %d, %d bytes", r.Status, len(r.Body))
	}
}

func TestOrganizationsKeepNoMoreThanAllowed(t *testing.T) {
	t.Parallel()
	wherever(t, testOrganizationsKeepNoMoreThanAllowed)
}

func testOrganizationsKeepNoMoreThanAllowed(t *testing.T, start func(o apptest.Options) *apptest.Server) {
	s := start(apptest.Options{Settings: func(c *config.Settings) { c.RegistryLimit = 1 << 20 }})
	name := repository(t, s.Client)
	if err := remote.Write(reference(t, s.Client, name, "small"), image(t, 100<<10), with(s.Key)); err != nil {
		t.Fatal(err)
	}
	status, message := refusal(t, remote.Write(reference(t, s.Client, name, "large"), image(t, 800<<10), with(s.Key)))
	if status != http.StatusForbidden || !strings.Contains(message, "FLOWW_REGISTRY_LIMIT") {
		t.Errorf("too much: %d %s", status, message)
	}
	if err := remote.Write(reference(t, s.Client, name, "small2"), image(t, 10<<10), with(s.Key)); err != nil {
		t.Errorf("what fits: %v", err)
	}
	// An upload that never ends is no way around the limit.
	at := s.Do(t, "POST", "/v2/"+name+"/blobs/uploads/", nil).Header.Get("Location")
	var part apptest.Response
	for range 11 {
		if part = s.Do(t, "PATCH", at, make([]byte, 100<<10)); part.Status != http.StatusAccepted {
			break
		}
		at = part.Header.Get("Location")
	}
	if part.Status != http.StatusForbidden || !strings.Contains(string(part.Body), "FLOWW_REGISTRY_LIMIT") {
		t.Errorf("a mebibyte in parts: %s", part)
	}
	if r := s.Do(t, "DELETE", at, nil); r.Status != http.StatusNoContent {
		t.Errorf("giving it up: %s", r)
	}
	if err := remote.Write(reference(t, s.Client, name, "small3"), image(t, 10<<10), with(s.Key)); err != nil {
		t.Errorf("what fits after that: %v", err)
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	wherever(t, testBadRequests)
}

func testBadRequests(t *testing.T, start func(o apptest.Options) *apptest.Server) {
	s := start(apptest.Options{})
	path := "/v2/" + repository(t, s.Client)
	content, digest := blob(1000)
	_, wrong := blob(999)
	begun := s.Do(t, "POST", path+"/blobs/uploads/", nil).Header.Get("Location")
	manifest := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"` + digest + `","size":1000},"layers":[%s]}`
	elsewhere := fmt.Sprintf(manifest, `{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"`+digest+`","size":1000,"urls":["http://169.254.169.254/"]}`)
	bomb := fmt.Sprintf(manifest, strings.Repeat(`{},`, 1000)+`{}`)
	const kind = "application/vnd.oci.image.manifest.v1+json"
	cases := []struct {
		name, method, path string
		body               []byte
		status             int
		code               string
	}{
		{"a digest that is another's", "PUT", begun + "&digest=" + wrong, content, 400, "DIGEST_INVALID"},
		{"a digest of a kind that is not known", "PUT", begun + "&digest=sha512:" + strings.Repeat("a", 128), content, 400, "DIGEST_INVALID"},
		{"an upload that never began", "PATCH", path + "/blobs/uploads/00000000-0000-4000-8000-000000000000", content, 404, "BLOB_UPLOAD_"},
		{"an upload whose state was made up", "PATCH", strings.Split(begun, "?")[0] + "?_state=AAAA", content, 404, "BLOB_UPLOAD_"},
		{"a manifest without its parts", "PUT", path + "/manifests/v1", []byte(fmt.Sprintf(manifest, "")), 400, "MANIFEST_BLOB_UNKNOWN"},
		{"a manifest with a layer from elsewhere", "PUT", path + "/manifests/v1", []byte(elsewhere), 400, "MANIFEST_INVALID"},
		{"a manifest with a thousand layers", "PUT", path + "/manifests/v1", []byte(bomb), 400, "MANIFEST_INVALID"},
		{"a manifest of five mebibytes", "PUT", path + "/manifests/v1", bytes.Repeat([]byte(" "), 5<<20), 413, "MANIFEST_INVALID"},
		{"a manifest that is none", "PUT", path + "/manifests/v1", []byte("hello"), 400, "MANIFEST_INVALID"},
		{"a tag that is none", "PUT", path + "/manifests/-x", []byte("{}"), 400, "TAG_INVALID"},
		{"a name of another form", "GET", "/v2/library/ubuntu/manifests/latest", nil, 404, "NAME_UNKNOWN"},
		{"a part of a name", "GET", "/v2/floww/manifests/latest", nil, 404, "NAME_UNKNOWN"},
		{"the catalog", "GET", "/v2/_catalog", nil, 404, "NAME_UNKNOWN"},
		{"a repository below", "GET", path + "/sub/manifests/latest", nil, 404, "UNSUPPORTED"},
		{"deleting", "DELETE", path + "/manifests/v1", nil, 405, "UNSUPPORTED"},
		{"an image that is not there", "GET", path + "/manifests/v9", nil, 404, "MANIFEST_UNKNOWN"},
		{"a blob that is not there", "GET", path + "/blobs/" + digest, nil, 404, "BLOB_UNKNOWN"},
	}
	for _, c := range cases {
		r := s.Do(t, c.method, c.path, c.body, "Content-Type", kind)
		if r.Status != c.status || !strings.Contains(string(r.Body), c.code) {
			t.Errorf("%s: %s, want %d %s", c.name, r, c.status, c.code)
		}
	}
	for _, span := range []string{"bytes 0-9/10", "x", "-1", "0-99999999999999999999"} {
		r := s.Do(t, "PATCH", begun, content, "Content-Type", "application/octet-stream", "Content-Range", span)
		if r.Status != http.StatusRequestedRangeNotSatisfiable || !strings.Contains(string(r.Body), "RANGE_INVALID") {
			t.Errorf("a part at %s: %s", span, r)
		}
	}
	for _, path := range []string{path + "/../../etc/manifests/x", "/v2/floww/%2e%2e/manifests/x", path + "/blobs/uploads/..%2f..%2fx", path + "//manifests/x"} {
		if r := s.Do(t, "GET", path, nil); r.Status < 400 || r.Status >= 500 {
			t.Errorf("%s: %s", path, r)
		}
	}
}
