package local

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/registry"
)

// Where the library keeps what it has, from its documentation of the layout.
const (
	root         = "/docker/registry/v2"
	repositories = root + "/repositories"
)

func blobPath(d digest.Digest) string {
	return path.Join(root, "blobs", d.Algorithm().String(), d.Encoded()[:2], d.Encoded(), "data")
}

func layerLink(repository string, d digest.Digest) string {
	return path.Join(repositories, repository, "_layers", d.Algorithm().String(), d.Encoded(), "link")
}

func manifestLink(repository string, d digest.Digest) string {
	return path.Join(repositories, repository, "_manifests/revisions", d.Algorithm().String(), d.Encoded(), "link")
}

func uploadsOf(repository string) string { return path.Join(repositories, repository, "_uploads") }

// keep makes young again what somebody has asked for, so that it is still there
// when a push relies on it.
func (s *Storage) keep(ctx context.Context, q registry.Request) error {
	named, d := registry.Repository(q.Organization), digest.Digest(q.Reference)
	switch {
	case q.Kind == registry.Blob:
		return s.touch(ctx, layerLink(named, d))
	case registry.IsTag(q.Reference):
		_, err := s.Digest(ctx, q.Organization, q.Reference)
		return err
	default:
		return s.touch(ctx, manifestLink(named, d))
	}
}

// touch makes a file young again.
func (s *Storage) touch(ctx context.Context, link string) error {
	content, err := s.files.GetContent(ctx, link)
	if err != nil {
		return err
	}
	return s.files.PutContent(ctx, link, content)
}

// old reports whether a file was written longer ago than Grace. What is not
// there is as old as can be.
func (s *Storage) old(ctx context.Context, file string) (bool, error) {
	about, err := s.files.Stat(ctx, file)
	var nothing driver.PathNotFoundError
	if errors.As(err, &nothing) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return s.Now().Sub(about.ModTime()) > registry.Grace, nil
}

// Sweep implements registry.Storage. What images that are gone were made of goes
// too.
func (s *Storage) Sweep(ctx context.Context, needed registry.Needed) error {
	var nothing driver.PathNotFoundError
	if _, err := s.files.Stat(ctx, repositories); errors.As(err, &nothing) {
		return nil // nobody has pushed anything yet
	}
	if _, errs := storage.PurgeUploads(ctx, s.files, s.Now().Add(-registry.Grace), true); len(errs) > 0 {
		return fmt.Errorf("remove uploads that stopped: %w", errors.Join(errs...))
	}
	kept := make(map[digest.Digest]bool)
	err := s.eachRepository(ctx, func(repository string, organization id.ID) error {
		digests, err := needed(ctx, organization)
		if err != nil {
			return err
		}
		return s.sweepRepository(ctx, repository, digests, kept)
	})
	if err != nil {
		return fmt.Errorf("remove images that nothing needs: %w", err)
	}
	return s.sweepBlobs(ctx, kept)
}

// eachRepository calls visit with all repositories and whose they are.
func (s *Storage) eachRepository(ctx context.Context, visit func(repository string, organization id.ID) error) error {
	var nothing driver.PathNotFoundError
	if _, err := s.files.Stat(ctx, repositories); errors.As(err, &nothing) {
		return nil // nobody has pushed anything yet
	}
	all, ok := s.images.(distribution.RepositoryEnumerator)
	if !ok {
		return errors.New("the storage of images can't list its repositories")
	}
	return all.Enumerate(ctx, func(repository string) error {
		organization, err := id.Parse(strings.TrimPrefix(repository, registry.Namespace))
		if err != nil {
			return fmt.Errorf("the repository %q is no organization's", repository)
		}
		return visit(repository, organization)
	})
}

// sweepRepository removes a repository's images that are neither needed nor
// young, and puts what it keeps into kept.
func (s *Storage) sweepRepository(ctx context.Context, named string, needed []string, kept map[digest.Digest]bool) error {
	of, err := reference.WithName(named)
	if err != nil {
		return err
	}
	repository, err := s.images.Repository(ctx, of)
	if err != nil {
		return err
	}
	manifests, err := repository.Manifests(ctx)
	if err != nil {
		return err
	}
	own := make(map[digest.Digest]bool)
	for _, text := range needed {
		if err := mark(ctx, manifests, digest.Digest(text), own); err != nil {
			return err
		}
	}
	var found []digest.Digest
	if err := enumerate(ctx, manifests, func(d digest.Digest) error { found = append(found, d); return nil }); err != nil {
		return err
	}
	for _, d := range found {
		if own[d] {
			continue
		}
		old, err := s.old(ctx, manifestLink(named, d))
		if err != nil {
			return err
		}
		if !old {
			err = mark(ctx, manifests, d, own)
		} else {
			err = removeManifest(ctx, repository, manifests, d)
		}
		if err != nil {
			return err
		}
	}
	if err := s.sweepLayers(ctx, repository, own); err != nil {
		return err
	}
	for d := range own {
		kept[d] = true
	}
	return nil
}

// mark puts an image and all that it is made of into marked.
func mark(ctx context.Context, manifests distribution.ManifestService, d digest.Digest, marked map[digest.Digest]bool) error {
	if marked[d] {
		return nil
	}
	manifest, err := manifests.Get(ctx, d)
	var unknown distribution.ErrManifestUnknownRevision
	if errors.As(err, &unknown) {
		return nil // a layer, or an image that is gone
	}
	if err != nil {
		return err
	}
	marked[d] = true
	for _, part := range manifest.References() {
		there, err := manifests.Exists(ctx, part.Digest)
		if err != nil {
			return err
		}
		if there {
			err = mark(ctx, manifests, part.Digest, marked)
		}
		if err != nil {
			return err
		}
		marked[part.Digest] = true
	}
	return nil
}

func removeManifest(ctx context.Context, repository distribution.Repository, manifests distribution.ManifestService, d digest.Digest) error {
	tags, err := repository.Tags(ctx).Lookup(ctx, v1.Descriptor{Digest: d})
	var nothing driver.PathNotFoundError
	if err != nil && !errors.As(err, &nothing) {
		return err
	}
	for _, tag := range tags {
		if err := repository.Tags(ctx).Untag(ctx, tag); err != nil {
			return err
		}
	}
	return manifests.Delete(ctx, d)
}

// sweepLayers takes from a repository the layers that no image of it has and
// nobody has asked for lately, and marks those that stay.
func (s *Storage) sweepLayers(ctx context.Context, repository distribution.Repository, marked map[digest.Digest]bool) error {
	named := repository.Named().Name()
	var found []digest.Digest
	if err := enumerate(ctx, repository.Blobs(ctx), func(d digest.Digest) error { found = append(found, d); return nil }); err != nil {
		return err
	}
	for _, d := range found {
		if marked[d] {
			continue
		}
		old, err := s.old(ctx, layerLink(named, d))
		if err != nil {
			return err
		}
		if !old {
			marked[d] = true
			continue
		}
		if err := storage.NewVacuum(ctx, s.files).RemoveLayer(named, d); err != nil {
			return err
		}
	}
	return nil
}

// sweepBlobs removes contents that no repository keeps.
func (s *Storage) sweepBlobs(ctx context.Context, kept map[digest.Digest]bool) error {
	var found []digest.Digest
	if err := enumerate(ctx, s.images.Blobs(), func(d digest.Digest) error { found = append(found, d); return nil }); err != nil {
		return err
	}
	for _, d := range found {
		if kept[d] {
			continue
		}
		old, err := s.old(ctx, blobPath(d))
		if err == nil && old {
			err = storage.NewVacuum(ctx, s.files).RemoveBlob(d.String())
		}
		if err != nil {
			return fmt.Errorf("remove %s: %w", d, err)
		}
	}
	return nil
}

// enumerate calls visit for all that a part of the storage has, also when that is
// nothing.
func enumerate(ctx context.Context, part any, visit func(digest.Digest) error) error {
	all, ok := part.(distribution.BlobEnumerator)
	if !ok {
		return errors.New("the storage of images can't list what it has")
	}
	var nothing driver.PathNotFoundError
	if err := all.Enumerate(ctx, visit); err != nil && !errors.As(err, &nothing) {
		return err
	}
	return nil
}
