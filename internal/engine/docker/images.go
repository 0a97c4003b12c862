package docker

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
)

// relayPath is the relay's program in its image, relayName the image.
const (
	relayPath = "/flowwd"
	relayName = "flowwd-relay"
)

// relayImage makes the image of the relay of its program, unless it is there.
func (e *Engine) relayImage(ctx context.Context) (string, error) {
	e.relayMu.Lock()
	defer e.relayMu.Unlock()
	if e.relay != "" {
		return e.relay, nil
	}
	program, err := os.Open(e.config.Relay)
	if err != nil {
		return "", fmt.Errorf("read the relay's program: %w", err)
	}
	defer program.Close()
	if err := standsAlone(program); err != nil {
		return "", err
	}
	hash := sha256.New()
	size, err := io.Copy(hash, program)
	if err != nil {
		return "", fmt.Errorf("read the relay's program: %w", err)
	}
	name := relayName + ":" + hex.EncodeToString(hash.Sum(nil))[:32]
	if _, err := e.api.ImageInspect(ctx, name); err == nil {
		e.relay = name
		return name, nil
	}
	if _, err := program.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("read the relay's program: %w", err)
	}
	if err := e.importProgram(ctx, name, program, size); err != nil {
		return "", fmt.Errorf("make the image of the relay: %w", err)
	}
	e.relay = name
	return name, nil
}

// standsAlone refuses a program that needs libraries, which its image has not.
func standsAlone(program *os.File) error {
	file, err := elf.NewFile(program)
	if err != nil {
		return fmt.Errorf("the relay's program %s is none of Linux: %w", program.Name(), err)
	}
	if slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return fmt.Errorf("the program %s needs libraries, so that it can't run beside containers; build it with CGO_ENABLED=0", program.Name())
	}
	_, err = program.Seek(0, io.SeekStart)
	return err
}

// importProgram makes an image that has one file.
func (e *Engine) importProgram(ctx context.Context, name string, program io.Reader, size int64) error {
	out, in := io.Pipe()
	go func() {
		files := tar.NewWriter(in)
		err := files.WriteHeader(&tar.Header{Name: relayPath[1:], Mode: 0o755, Size: size})
		if err == nil {
			_, err = io.Copy(files, program)
		}
		in.CloseWithError(errors.Join(err, files.Close()))
	}()
	answer, err := e.api.ImageImport(ctx, client.ImageImportSource{Source: out, SourceName: "-"}, name, client.ImageImportOptions{
		Changes: []string{"USER 65534:65534", `CMD ["` + relayPath + `"]`},
	})
	if err != nil {
		return errors.Join(err, out.Close())
	}
	_, err = io.Copy(io.Discard, answer)
	return errors.Join(err, answer.Close(), out.Close())
}

// image pulls an image unless it is there. The error is an
// *engine.Interrupted when the registry does not give it.
func (e *Engine) image(ctx context.Context, image string, report func(string)) error {
	_, err := e.api.ImageInspect(ctx, image)
	switch {
	case err == nil:
		return nil
	case !errdefs.IsNotFound(err):
		return fmt.Errorf("look for the image %s: %w", image, err)
	}
	if !pullable(image) {
		return e.absent(image, errors.New("a name of one word is not looked for at registries"))
	}
	report("pulling the image " + image)
	ctx, cancel := context.WithTimeout(ctx, e.config.PullTimeout)
	defer cancel()
	if err := e.pull(ctx, image, report); err != nil {
		if e.life.Err() != nil {
			return stopping()
		}
		return e.absent(image, err)
	}
	return nil
}

func (e *Engine) pull(ctx context.Context, image string, report func(string)) error {
	options := client.ImagePullOptions{}
	if e.config.Credentials != nil {
		user, password, err := e.config.Credentials.Credentials(ctx, image)
		if err != nil {
			return fmt.Errorf("get the credentials of its registry: %w", err)
		}
		if user != "" || password != "" {
			if options.RegistryAuth, err = authconfig.Encode(registry.AuthConfig{Username: user, Password: password}); err != nil {
				return fmt.Errorf("write the credentials of its registry: %w", err)
			}
		}
	}
	answer, err := e.api.ImagePull(ctx, image, options)
	if err != nil {
		return err
	}
	defer answer.Close()
	last := map[string]string{}
	for message, err := range answer.JSONMessages(ctx) {
		if err != nil {
			return err
		}
		if message.Error != nil {
			return message.Error
		}
		// Progress repeats a layer's status many times a second.
		if message.Status != "" && last[message.ID] != message.Status {
			last[message.ID] = message.Status
			report(progress(message.ID, message.Status))
		}
	}
	return nil
}

func progress(layer, status string) string {
	if layer == "" {
		return status
	}
	return layer + ": " + status
}
