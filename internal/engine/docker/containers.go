package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"strconv"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/engine/docker/relay"
)

// The labels of containers.
const (
	labelInstance     = "io.flowwd.instance"
	labelOrganization = "io.flowwd.organization"
	labelImage        = "io.flowwd.image"
	labelPair         = "io.flowwd.pair"
	labelRole         = "io.flowwd.role"
	labelSettings     = "io.flowwd.settings"
)

// The roles of the two containers of a pair.
const (
	roleHolder = "holder"
	roleCode   = "code"
)

// user is whom code runs as, whatever its image says.
const user = "1000:1000"

// holderMemory and holderPids bound a relay.
const (
	holderMemory = 128 << 20
	holderPids   = 64
)

// removeTimeout bounds clearing away.
const removeTimeout = 30 * time.Second

// pair are the two containers of an organization and image.
type pair struct {
	holder, code string
	// held says that the holder runs, and running that both do.
	held, running bool
}

// fingerprint names the settings that are in a container for good.
func (c Config) fingerprint() string {
	text := fmt.Sprint("1 ", c.Memory, c.CPUs, c.Pids, c.Tmp, c.RunMemory, c.Network)
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// labels are those of a container; key is whom it is for, nil for whoever comes.
func (e *Engine) labels(relay, pair, role string, key *podKey) map[string]string {
	all := map[string]string{labelInstance: e.config.Instance, labelPair: pair, labelRole: role, labelSettings: e.settings + " " + relay}
	if key != nil {
		all[labelOrganization], all[labelImage] = key.organization.String(), key.image
	}
	return all
}

// create makes the containers of a pod, the holder running. The image is there.
func (e *Engine) create(ctx context.Context, key podKey) (*pair, error) {
	image, err := e.relayImage(ctx)
	if err != nil {
		return nil, err
	}
	h, ready := e.spare(ctx)
	if !ready {
		if h, err = e.makeHolder(ctx, &key); err != nil {
			return nil, err
		}
	}
	p := &pair{holder: h.id, held: true}
	p.code, err = e.createOne(ctx, "flowwd-code-"+h.pair, e.code(key.image, p.holder, e.labels(image, h.pair, roleCode, &key)))
	if err != nil {
		e.remove(p)
		return nil, refused("made", key.image, err)
	}
	return p, nil
}

func (e *Engine) createOne(ctx context.Context, name string, o client.ContainerCreateOptions) (string, error) {
	o.Name = name
	made, err := e.api.ContainerCreate(ctx, o)
	return made.ID, err
}

func (e *Engine) holder(image string, labels map[string]string) client.ContainerCreateOptions {
	network := container.NetworkMode(e.config.Network)
	if network == "" {
		network = "none"
	}
	host := confined()
	host.NetworkMode = network
	host.Memory, host.MemorySwap = holderMemory, holderMemory
	host.PidsLimit = new(int64(holderPids))
	return client.ContainerCreateOptions{
		Config:     &container.Config{Image: image, Cmd: []string{relayPath, relay.Word, relay.Hold}, User: "65534:65534", Labels: labels},
		HostConfig: host,
	}
}

func (e *Engine) code(image, holder string, labels map[string]string) client.ContainerCreateOptions {
	c := e.config
	host := confined()
	host.NetworkMode = container.NetworkMode("container:" + holder)
	host.Memory, host.MemorySwap = c.Memory, c.Memory
	host.NanoCPUs = int64(c.CPUs * 1e9)
	host.PidsLimit = &c.Pids
	host.Tmpfs = map[string]string{"/tmp": "rw,nosuid,nodev,noexec,uid=1000,gid=1000,mode=1777,size=" + strconv.FormatInt(c.Tmp, 10)}
	proxy := "http://" + relay.Address
	return client.ContainerCreateOptions{
		Config: &container.Config{
			Image: image, User: user, Labels: labels,
			// An image's own check would run all the time, in every container.
			Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
			Env: []string{
				"HOST=127.0.0.1", "PORT=8000", "HOME=/tmp", "BACKEND_URL=" + proxy,
				"HTTP_PROXY=" + proxy, "HTTPS_PROXY=" + proxy, "http_proxy=" + proxy, "https_proxy=" + proxy,
				"NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost", "NODE_USE_ENV_PROXY=1", "NODE_NO_WARNINGS=1",
				"FLOWWD_RUN_MEMORY=" + strconv.FormatInt(c.RunMemory, 10),
			},
		},
		HostConfig: host,
	}
}

// confined is what holds for both containers.
func confined() *container.HostConfig {
	return &container.HostConfig{
		ReadonlyRootfs: true,
		CapDrop:        []string{"ALL"},
		SecurityOpt:    []string{"no-new-privileges"},
		IpcMode:        "none",
		LogConfig:      container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "1m", "max-file": "1"}},
	}
}

// refused puts the daemon's refusal to make or start a container into words.
func refused(what, image string, err error) error {
	switch {
	case errdefs.IsNotFound(err):
		return &engine.Interrupted{Message: fmt.Sprintf("the image %s is gone: %v", image, err)}
	case errdefs.IsUnavailable(err) || client.IsErrConnectionFailed(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("a container of %s could not be %s: %w", image, what, err)
	}
	return imageFault("a container of %s can't be %s: %v", image, what, err)
}

// halt stops both containers at once: nothing runs in them.
func (e *Engine) halt(ctx context.Context, p *pair) error {
	p.held, p.running = false, false
	var all error
	for _, one := range []string{p.code, p.holder} {
		_, err := e.api.ContainerKill(ctx, one, client.ContainerKillOptions{Signal: "SIGKILL"})
		if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
			all = errors.Join(all, err)
		}
	}
	return all
}

// remove removes both containers, also when the engine is stopping.
func (e *Engine) remove(p *pair) {
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	for _, one := range []string{p.code, p.holder} {
		if one == "" {
			continue
		}
		_, err := e.api.ContainerRemove(ctx, one, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
			e.config.Logger.Warn("a container could not be removed; it is tried again", "container", one, "error", err)
		}
	}
}

// ours lists the containers of this installation.
func (e *Engine) ours(ctx context.Context) ([]container.Summary, error) {
	filters := client.Filters{}
	filters.Add("label", labelInstance+"="+e.config.Instance)
	list, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	return list.Items, err
}

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }
