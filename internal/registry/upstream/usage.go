package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/registry"
)

const (
	// countFor is how long a count is believed: others may remove images from the
	// upstream.
	countFor = 5 * time.Minute
	// countTime bounds a count, and asking how much is asked for at once.
	countTime = time.Minute
	asking    = 8
	// maxTags and maxLoose bound what is remembered of an organization.
	maxTags  = 5000
	maxLoose = 2000
	// maxManifests bounds those of one image.
	maxManifests = 1000
)

// count is what an organization keeps, as far as this server knows.
type count struct {
	// at is when the upstream was last asked; zero for not yet.
	at time.Time
	// images are the manifests that tags name, with what they are made of.
	images map[string]parts
	// loose is what was uploaded through this server and may be in no image.
	loose map[string]loose
}

// parts are the sizes of what an image is made of, by digest, its own included.
type parts map[string]int64

// loose is an upload, or a blob that was uploaded.
type loose struct {
	bytes int64
	at    time.Time
}

// counted names what is uploaded by a request.
func counted(q registry.Request, digest string) string {
	if q.Reference == "" {
		return digest
	}
	return q.Reference
}

// of returns the count of an organization, which is used while s.mu is held.
func (s *Storage) of(organization id.ID) *count {
	c := s.counts[organization]
	if c == nil {
		c = &count{images: map[string]parts{}, loose: map[string]loose{}}
		s.counts[organization] = c
	}
	return c
}

// uploading adds what arrives of an upload.
func (s *Storage) uploading(organization id.ID, name string, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.of(organization)
	if _, there := c.loose[name]; !there && len(c.loose) >= maxLoose {
		name = "" // too many to be told apart
	}
	c.loose[name] = loose{c.loose[name].bytes + int64(bytes), s.Now()}
}

// arrived corrects how much of an upload there is, which may have another name
// now: what was sent may have been lost, and is sent again.
func (s *Storage) arrived(organization id.ID, name, now, span string) {
	_, last, _ := strings.Cut(span, "-")
	end, err := strconv.ParseInt(last, 10, 64)
	if err != nil {
		return // the form was compared
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.of(organization)
	if l, there := c.loose[name]; there {
		delete(c.loose, name)
		c.loose[now] = loose{end + 1, l.at}
	}
}

// uploaded names an upload by what it has become.
func (s *Storage) uploaded(organization id.ID, name, digest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.of(organization)
	if l, there := c.loose[name]; there {
		delete(c.loose, name)
		c.loose[digest] = l
	}
}

// dropped forgets an upload that was given up.
func (s *Storage) dropped(organization id.ID, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of(organization).loose, name)
}

// pushed adds an image that was pushed through this server.
func (s *Storage) pushed(organization id.ID, named string, content []byte) {
	own, _ := describe(content)
	digest := digestOf(content)
	own[digest] = int64(len(content))
	s.mu.Lock()
	defer s.mu.Unlock()
	if registry.IsTag(named) {
		s.of(organization).images[digest] = own
	}
}

// describe returns what a manifest is made of, and the manifests among it.
func describe(content []byte) (of parts, manifests []string) {
	type part struct {
		Digest string
		Size   int64
	}
	var m struct {
		Config            part
		Layers, Manifests []part
	}
	of = parts{}
	if json.Unmarshal(content, &m) != nil {
		return of, nil
	}
	for _, p := range append(append(m.Layers, m.Manifests...), m.Config) {
		if digestForm.MatchString(p.Digest) {
			of[p.Digest] = p.Size
		}
	}
	for _, p := range m.Manifests {
		if digestForm.MatchString(p.Digest) {
			manifests = append(manifests, p.Digest)
		}
	}
	return of, manifests
}

// bytes is what is kept, each content once.
func (c *count) bytes(now time.Time) (total int64) {
	all := parts{}
	for _, image := range c.images {
		for digest, size := range image {
			all[digest] = size
		}
	}
	for _, size := range all {
		total += size
	}
	for name, l := range c.loose {
		switch _, known := all[name]; {
		case known || now.Sub(l.at) > registry.Grace:
			delete(c.loose, name)
		default:
			total += l.bytes
		}
	}
	return total
}

// Usage implements registry.Storage. It knows the images that tags name, and what
// was uploaded through this server within Grace.
func (s *Storage) Usage(ctx context.Context, organization id.ID) (int64, error) {
	s.mu.Lock()
	fresh := s.Now().Sub(s.of(organization).at) < countFor
	s.mu.Unlock()
	if !fresh {
		asked := s.counting.DoChan(organization.String(), func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countTime)
			defer cancel()
			return nil, s.count(ctx, organization)
		})
		select {
		case answer := <-asked:
			if answer.Err != nil {
				return 0, answer.Err
			}
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of(organization).bytes(s.Now()), nil
}

// Kept implements registry.Storage: it knows organizations that pushed through
// this server since its start.
func (s *Storage) Kept(context.Context) ([]registry.Used, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []registry.Used
	for organization, c := range s.counts {
		if bytes := c.bytes(s.Now()); bytes > 0 {
			found = append(found, registry.Used{Organization: organization, Bytes: bytes})
		}
	}
	return found, nil
}

// count asks the upstream what an organization keeps.
func (s *Storage) count(ctx context.Context, organization id.ID) error {
	begun := s.Now()
	tags, err := s.all(ctx, organization)
	if err != nil {
		return err
	}
	s.mu.Lock()
	known := make(map[string]parts, len(s.of(organization).images))
	for digest, of := range s.of(organization).images {
		known[digest] = of
	}
	s.mu.Unlock()
	var mu sync.Mutex
	images := make(map[string]parts, len(tags))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(asking)
	for _, tag := range tags {
		group.Go(func() error {
			digest, of, err := s.image(ctx, organization, tag, known)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				images[digest] = of
			}
			return ignoreGone(err)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.of(organization)
	c.at, c.images = begun, images
	return nil
}

// ignoreGone is nil for what is not there any more.
func ignoreGone(err error) error {
	var refused *registry.Error
	if errors.As(err, &refused) && slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}, refused.Status) {
		return nil
	}
	return err
}

// all returns an organization's tags, none where the upstream does not list them.
func (s *Storage) all(ctx context.Context, organization id.ID) (tags []string, err error) {
	for query := ""; len(tags) < maxTags; {
		page, next, err := s.page(ctx, nobody{}, organization, query)
		if err != nil {
			return tags, ignoreGone(err)
		}
		tags = append(tags, page...)
		if next == "" || next == query {
			return tags, nil
		}
		query = next
	}
	return tags, nil
}

// image returns what the image under a tag is made of.
func (s *Storage) image(ctx context.Context, organization id.ID, tag string, known map[string]parts) (string, parts, error) {
	f, err := s.look(ctx, nobody{}, organization, tag, http.Header{"Accept": kinds})
	if err != nil {
		return "", nil, err
	}
	if of, there := known[f.digest]; there {
		return f.digest, of, nil
	}
	of := parts{}
	return f.digest, of, s.collect(ctx, organization, f.digest, of, map[string]bool{})
}

// collect adds what a manifest and those in it are made of, each once.
func (s *Storage) collect(ctx context.Context, organization id.ID, digest string, into parts, seen map[string]bool) error {
	if seen[digest] || len(seen) >= maxManifests {
		return nil
	}
	seen[digest] = true
	f, err := s.get(ctx, nobody{}, organization, digest, http.Header{"Accept": kinds})
	if err != nil {
		return err
	}
	own, below := describe(f.content)
	for d, size := range own {
		into[d] = size
	}
	into[digest] = f.size
	for _, d := range below {
		if err := ignoreGone(s.collect(ctx, organization, d, into, seen)); err != nil {
			return err
		}
	}
	return nil
}
