package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

func name(organization id.ID) (reference.Named, error) {
	return reference.WithName(Repository(organization))
}

// Digest returns the digest of the image that an organization has under a tag;
// fault.NotFound when there is none.
func (r *Registry) Digest(ctx context.Context, organization id.ID, tag string) (string, error) {
	if !IsTag(tag) {
		return "", fault.New(fault.Invalid, "%.100q is no image hash", tag)
	}
	repository, err := r.repository(ctx, organization)
	if err != nil {
		return "", err
	}
	found, err := repository.Tags(ctx).Get(ctx, tag)
	var unknown distribution.ErrTagUnknown
	switch {
	case errors.As(err, &unknown):
		return "", fault.New(fault.NotFound, "Image does not exist")
	case err != nil:
		return "", fmt.Errorf("look for the image %s: %w", tag, err)
	}
	manifests, err := repository.Manifests(ctx)
	if err != nil {
		return "", fmt.Errorf("look for the image %s: %w", tag, err)
	}
	there, err := manifests.Exists(ctx, found.Digest)
	if err != nil {
		return "", fmt.Errorf("look for the image %s: %w", tag, err)
	}
	if !there {
		return "", fault.New(fault.NotFound, "Image does not exist")
	}
	return found.Digest.String(), nil
}

// Used is how much an organization keeps.
type Used struct {
	Organization id.ID
	Bytes        int64
}

// Largest returns how much organizations keep, those with the most first, at most
// so many, and how many there are.
func (r *Registry) Largest(ctx context.Context, most int) (found []Used, total int, err error) {
	err = r.eachRepository(ctx, func(_ string, organization id.ID) error {
		bytes, err := r.Usage(ctx, organization)
		found = append(found, Used{organization, bytes})
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("count what all images take: %w", err)
	}
	slices.SortFunc(found, func(a, b Used) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return found[:min(most, len(found))], len(found), nil
}

// Usage is how many bytes an organization keeps. What it has in common with
// others counts for each.
func (r *Registry) Usage(ctx context.Context, organization id.ID) (total int64, err error) {
	repository, err := r.repository(ctx, organization)
	if err != nil {
		return 0, err
	}
	err = r.each(ctx, repository, func(d digest.Digest) error {
		found, err := r.images.BlobStatter().Stat(ctx, d)
		if errors.Is(err, distribution.ErrBlobUnknown) {
			return nil
		}
		total += found.Size
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count what an organization's images take: %w", err)
	}
	return total, nil
}

// each calls visit for all that a repository has: layers, configurations and
// manifests.
func (r *Registry) each(ctx context.Context, repository distribution.Repository, visit func(digest.Digest) error) error {
	manifests, err := repository.Manifests(ctx)
	if err != nil {
		return err
	}
	if err := enumerate(ctx, repository.Blobs(ctx), visit); err != nil {
		return err
	}
	return enumerate(ctx, manifests, visit)
}
