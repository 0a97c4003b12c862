package dockertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Image packs the image that runs workflows and gives it to the daemon. It
// returns its id, which is a digest.
func (d *Daemon) Image(ctx context.Context) (string, error) {
	packed, err := d.packed(ctx)
	if err != nil {
		return "", err
	}
	file, err := os.Open(packed)
	if err != nil {
		return "", err
	}
	defer file.Close()
	changes := []string{"ENV PATH=/usr/local/bin", "USER 1000:1000", "WORKDIR /app", `CMD ["node", "/runtime/server.mjs"]`}
	answer, err := d.API.ImageImport(ctx, client.ImageImportSource{Source: file, SourceName: "-"}, "", client.ImageImportOptions{Changes: changes})
	if err != nil {
		return "", fmt.Errorf("import the image: %w", err)
	}
	defer answer.Close()
	text, err := io.ReadAll(answer)
	if err != nil {
		return "", fmt.Errorf("import the image: %w", err)
	}
	_, id, found := strings.Cut(string(text), "sha256:")
	if !found || len(id) < 64 {
		return "", fmt.Errorf("the daemon imports the image with %q", text)
	}
	return "sha256:" + id[:64], nil
}

// packed is the image as a tar, made once for each daemon.
func (d *Daemon) packed(ctx context.Context) (string, error) {
	path := filepath.Join(d.dir, "image.tar")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	root, err := Root(ctx)
	if err != nil {
		return "", err
	}
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	tools := filepath.Join(root, ".tools")
	node := filepath.Join(tools, "node", "node_modules", "node-linux-"+arch, "bin", "node")
	if _, err := os.Stat(node); err != nil {
		return "", fmt.Errorf("find the Node for the image (scripts/setup installs it): %w", err)
	}
	esbuild := filepath.Join(d.dir, "esbuild")
	if err := Build(ctx, root, esbuild, "github.com/evanw/esbuild/cmd/esbuild"); err != nil {
		return "", err
	}
	out, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer out.Close()
	pack := exec.CommandContext(ctx, filepath.Join(root, "runtime-image", "pack"), node, esbuild, filepath.Join(tools, "node_modules", "zod"))
	var complaint strings.Builder
	pack.Stdout, pack.Stderr = out, &complaint
	if err := pack.Run(); err != nil {
		return "", errors.Join(fmt.Errorf("pack the image: %w\n%s", err, complaint.String()), os.Remove(path))
	}
	return path, nil
}

// Relay builds the relay that the engine puts beside containers, and returns its
// path.
func (d *Daemon) Relay(ctx context.Context) (string, error) {
	root, err := Root(ctx)
	if err != nil {
		return "", err
	}
	path := filepath.Join(d.dir, "relay")
	return path, Build(ctx, root, path, "./internal/dockertest/relayer")
}

// Build builds a program that needs no libraries, with the flags of all tests, so
// that Go has compiled most of it already.
func Build(ctx context.Context, root, into, what string) error {
	command := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w", "-o", into, what)
	command.Dir, command.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if text, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", what, err, text)
	}
	return nil
}

// Root is the folder of the module.
func Root(ctx context.Context) (string, error) {
	text, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(text))), nil
}

// Variant makes another image of one that the daemon has. Each change is an
// instruction of a Dockerfile.
func (d *Daemon) Variant(ctx context.Context, image string, changes ...string) (string, error) {
	made, err := d.API.ContainerCreate(ctx, client.ContainerCreateOptions{Config: &container.Config{Image: image}, HostConfig: &container.HostConfig{NetworkMode: "none"}})
	if err != nil {
		return "", fmt.Errorf("make a container to change: %w", err)
	}
	committed, err := d.API.ContainerCommit(ctx, made.ID, client.ContainerCommitOptions{Changes: changes})
	_, removed := d.API.ContainerRemove(ctx, made.ID, client.ContainerRemoveOptions{Force: true})
	return committed.ID, errors.Join(err, removed)
}
