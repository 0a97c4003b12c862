package local

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/registry"
)

func name(organization id.ID) (reference.Named, error) {
	return reference.WithName(registry.Repository(organization))
}

// Digest implements registry.Storage.
func (s *Storage) Digest(ctx context.Context, organization id.ID, tag string) (string, error) {
	repository, err := s.repository(ctx, organization)
	if err != nil {
		return "", err
	}
	found, err := repository.Tags(ctx).Get(ctx, tag)
	var unknown distribution.ErrTagUnknown
	switch {
	case errors.As(err, &unknown):
		return "", fault.New(fault.NotFound, "Image does not exist")
	case err != nil:
		return "", err
	}
	manifests, err := repository.Manifests(ctx)
	if err != nil {
		return "", err
	}
	there, err := manifests.Exists(ctx, found.Digest)
	if err != nil {
		return "", err
	}
	if !there {
		return "", fault.New(fault.NotFound, "Image does not exist")
	}
	return found.Digest.String(), s.touch(ctx, manifestLink(registry.Repository(organization), found.Digest))
}

// Kept implements registry.Storage.
func (s *Storage) Kept(ctx context.Context) (found []registry.Used, err error) {
	err = s.eachRepository(ctx, func(_ string, organization id.ID) error {
		bytes, err := s.Usage(ctx, organization)
		found = append(found, registry.Used{Organization: organization, Bytes: bytes})
		return err
	})
	return found, err
}

// Usage implements registry.Storage. What an organization has in common with
// others counts for each.
func (s *Storage) Usage(ctx context.Context, organization id.ID) (total int64, err error) {
	repository, err := s.repository(ctx, organization)
	if err != nil {
		return 0, err
	}
	err = s.each(ctx, repository, func(d digest.Digest) error {
		found, err := s.images.BlobStatter().Stat(ctx, d)
		if errors.Is(err, distribution.ErrBlobUnknown) {
			return nil
		}
		total += found.Size
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count what an organization's images take: %w", err)
	}
	begun, err := s.begun(ctx, organization)
	return total + begun, err
}

// begun is how many bytes the uploads have that an organization has not ended.
func (s *Storage) begun(ctx context.Context, organization id.ID) (total int64, err error) {
	var nothing driver.PathNotFoundError
	uploads, err := s.files.List(ctx, uploadsOf(registry.Repository(organization)))
	if err != nil && !errors.As(err, &nothing) {
		return 0, fmt.Errorf("count what an organization uploads: %w", err)
	}
	for _, u := range uploads {
		about, err := s.files.Stat(ctx, path.Join(u, "data"))
		switch {
		case errors.As(err, &nothing): // it has just ended
		case err != nil:
			return 0, fmt.Errorf("count what an organization uploads: %w", err)
		default:
			total += about.Size()
		}
	}
	return total, nil
}

// each calls visit for all that a repository has: layers, configurations and
// manifests.
func (s *Storage) each(ctx context.Context, repository distribution.Repository, visit func(digest.Digest) error) error {
	manifests, err := repository.Manifests(ctx)
	if err != nil {
		return err
	}
	if err := enumerate(ctx, repository.Blobs(ctx), visit); err != nil {
		return err
	}
	return enumerate(ctx, manifests, visit)
}
