package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Docker is how the program docker is run. The program rather than the daemon's
// API: it knows the user's contexts, builders and mirrors.
type Docker struct {
	// Env is its environment; nil for that of this process.
	Env []string
	// Settings is the folder of its settings; empty for none.
	Settings string

	// program is how docker is called, but for tests.
	program []string
}

// platform is that of images, as the published command line builds them, where the
// project names no other.
const platform = "linux/amd64"

// errorText bounds what is kept of what docker says.
const errorText = 4 << 10

// dockerPatience is how long docker may take to end once it was told to.
const dockerPatience = 5 * time.Second

// run runs docker. What it prints goes to out, and what it says of errors into the
// error, unless that goes to out too.
func (d Docker) run(ctx context.Context, out, errs io.Writer, args ...string) error {
	words := append(slices.Clone(d.program), args...)
	if d.program == nil {
		words = append([]string{"docker"}, args...)
	}
	command := exec.CommandContext(ctx, words[0], words[1:]...)
	command.Env, command.Stdout, command.Stderr, command.WaitDelay = d.Env, out, errs, dockerPatience
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	said := &bytes.Buffer{}
	if errs == nil {
		command.Stderr = said
	}
	err := command.Run()
	text := strings.TrimSpace(said.String())
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist):
		return errors.New("docker is not installed, or not in the PATH; the project has a Dockerfile, which docker must build (\"build: false\" in floww.yaml leaves it alone)")
	case err != nil && text != "":
		return errors.New(text[max(0, len(text)-errorText):])
	default:
		return err
	}
}

// check says whether docker can be used before anything else is done.
func (d Docker) check(ctx context.Context) error {
	err := d.run(ctx, nil, nil, "ps", "--quiet")
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("docker can't be used to build the image: %w", err)
	}
	return err
}

// image is what was built.
type image struct {
	// id names it for docker.
	id string
	// hash stands for its content: the same content has the same hash, whenever and
	// wherever it was built.
	hash string
}

// build builds an image and gives it a name. What docker says goes to out.
func (d Docker) build(ctx context.Context, out io.Writer, name string, b Build) (image, error) {
	folder, err := os.MkdirTemp("", "floww-build")
	if err != nil {
		return image{}, fmt.Errorf("build the image: %w", err)
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "id")
	args := append([]string{"build", "--iidfile", file, "--tag", name, "--file", b.Dockerfile}, b.Options...)
	if !slices.ContainsFunc(b.Options, func(o string) bool { return strings.HasPrefix(o, "--platform") }) {
		args = append(args, "--platform="+platform)
	}
	args = append(args, "--", b.Context)
	// A manifest alone, as one platform needs it; the option for that is unknown
	// without buildx.
	d.Env = append(d.environment(), "BUILDX_NO_DEFAULT_ATTESTATIONS=1")
	if err := d.run(ctx, out, out, args...); err != nil {
		if ctx.Err() != nil {
			return image{}, err
		}
		return image{}, fmt.Errorf("the image could not be built of %s (docker build: %w); what docker says about it is above", b.Dockerfile, err)
	}
	id, err := os.ReadFile(file)
	if err != nil {
		return image{}, fmt.Errorf("build the image: %w", err)
	}
	made := image{id: strings.TrimSpace(string(id))}
	made.hash, err = d.hash(ctx, made.id)
	return made, err
}

// environment is that of docker, so that it can be added to.
func (d Docker) environment() []string {
	return append([]string(nil), (&exec.Cmd{Env: d.Env}).Environ()...)
}

// content is what tells images apart: what is in them and how they are started. An
// id has the time in it, too.
type content struct {
	Os           string
	Architecture string
	RootFS       struct{ Layers []string }
	Config       struct {
		User       string
		Env        []string
		Entrypoint []string
		Cmd        []string
		WorkingDir string
	}
}

func (d Docker) hash(ctx context.Context, id string) (string, error) {
	var text bytes.Buffer
	if err := d.run(ctx, &text, nil, "image", "inspect", id); err != nil {
		return "", fmt.Errorf("look at the image that was built: %w", err)
	}
	var found []content
	if err := json.Unmarshal(text.Bytes(), &found); err != nil || len(found) != 1 || len(found[0].RootFS.Layers) == 0 {
		return "", fmt.Errorf("docker tells nothing of the image that it built: %.200s", text.String())
	}
	form, err := json.Marshal(found[0])
	if err != nil {
		return "", fmt.Errorf("look at the image that was built: %w", err)
	}
	sum := sha256.Sum256(form)
	return hex.EncodeToString(sum[:]), nil
}

// push pushes an image under a name of a registry.
func (d Docker) push(ctx context.Context, out io.Writer, id string, token PushToken) error {
	name := token.RegistryURL + ":" + token.ImageTag
	if err := d.run(ctx, nil, nil, "tag", id, name); err != nil {
		return fmt.Errorf("name the image %s: %w", name, err)
	}
	defer func() {
		// The name has served. It is of no use to its owner, nor does it harm.
		_ = d.run(context.WithoutCancel(ctx), nil, nil, "image", "rm", "--no-prune", name)
	}()
	host, _, _ := strings.Cut(token.RegistryURL, "/")
	settings, err := d.settingsFor(host, token.Password)
	if err != nil {
		return fmt.Errorf("push the image: %w", err)
	}
	defer os.RemoveAll(settings)
	if err := d.run(ctx, out, nil, "--config", settings, "push", name); err != nil {
		if ctx.Err() != nil {
			return err
		}
		return fmt.Errorf("push the image to %s: %w%s", host, err, pushAdvice(err, host))
	}
	return nil
}

// pushAdvice says what to do about a failure that docker says little of.
func pushAdvice(err error, host string) string {
	if strings.Contains(err.Error(), "HTTP response to HTTPS client") {
		return fmt.Sprintf("\ndocker insists on HTTPS for all hosts but this machine; serve %s with HTTPS, or list it in insecure-registries of the docker daemon", host)
	}
	return ""
}

// settingsFor makes a folder of docker's settings with the credential of one push,
// so that it is left nowhere else. It must be removed.
func (d Docker) settingsFor(host, password string) (folder string, err error) {
	settings := map[string]any{}
	if d.Settings != "" {
		text, err := os.ReadFile(filepath.Join(d.Settings, "config.json"))
		if err == nil {
			err = json.Unmarshal(text, &settings)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("read the settings of docker: %w", err)
		}
	}
	delete(settings, "credsStore")
	delete(settings, "credHelpers")
	settings["auths"] = map[string]any{host: map[string]any{"auth": base64.StdEncoding.EncodeToString([]byte("token:" + password))}}
	text, err := json.Marshal(settings)
	if err != nil {
		return "", err
	}
	if folder, err = os.MkdirTemp("", "floww-push"); err != nil {
		return "", err
	}
	err = os.WriteFile(filepath.Join(folder, "config.json"), text, 0o600)
	for _, part := range []string{"contexts", "cli-plugins"} {
		from, _ := filepath.Abs(filepath.Join(d.Settings, part)) // fails where there is no working folder
		if _, missing := os.Stat(from); err == nil && d.Settings != "" && missing == nil {
			err = os.Symlink(from, filepath.Join(folder, part))
		}
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(folder))
	}
	return folder, nil
}
