package dockertest

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/client"
)

// Tag gives an image of the daemon a name, such as one that a Dockerfile begins
// with.
func (d *Daemon) Tag(ctx context.Context, image, name string) error {
	_, err := d.API.ImageTag(ctx, client.ImageTagOptions{Source: image, Target: name})
	return err
}

// BuildFrom makes an image of the text of a Dockerfile, with the folders that it
// copies from, by their names in it.
func (d *Daemon) BuildFrom(ctx context.Context, name, dockerfile string, folders map[string]string) error {
	out, in := io.Pipe()
	defer out.Close()
	go func() { in.CloseWithError(writeContext(in, dockerfile, folders)) }()
	answer, err := d.API.ImageBuild(ctx, out, client.ImageBuildOptions{Tags: []string{name}, Version: build.BuilderV1, Remove: true, NetworkMode: "none"})
	if err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	if _, err := d.API.ImageInspect(ctx, name); err != nil {
		return fmt.Errorf("build %s: it was not made: %w", name, err)
	}
	return nil
}

func writeContext(w io.Writer, dockerfile string, folders map[string]string) error {
	files := tar.NewWriter(w)
	err := files.WriteHeader(&tar.Header{Name: "Dockerfile", Mode: 0o644, Size: int64(len(dockerfile))})
	if err == nil {
		_, err = io.WriteString(files, dockerfile)
	}
	for name, folder := range folders {
		if err == nil {
			err = addFolder(files, name, folder)
		}
	}
	return errors.Join(err, files.Close())
}

func addFolder(files *tar.Writer, name, folder string) error {
	return filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		inside, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		mode := 0o644 | int64(info.Mode().Perm()&0o111)
		if err := files.WriteHeader(&tar.Header{Name: filepath.Join(name, inside), Mode: mode, Size: info.Size()}); err != nil {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		_, err = io.Copy(files, file)
		return err
	})
}
