package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	containers "github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/moby/client"

	"github.com/usefloww/flowwd/internal/dockertest"
)

const (
	// pushed is the size of an image, pushes how often one is pushed.
	pushed = 100 << 20
	pushes = 5
	// colds and warms are how often a first line is waited for.
	colds = 10
	warms = 100
	// idle is after how long a server here removes its containers.
	idle = 2 * time.Second
)

// measureImages measures the way of an image and of what runs in one: with a
// daemon of its own, beside the same without flowwd.
func measureImages(ctx context.Context, o options, in installation, work string, r *report) (err error) {
	if in.postgres != nil {
		return nil // neither images nor containers are in the database
	}
	d, err := dockertest.Start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Stop()) }()
	image, err := d.Image(ctx)
	if err == nil {
		err = d.Tag(ctx, image, "floww-runtime")
	}
	if err != nil {
		return err
	}
	o.env = []string{"RUNTIME_TYPE=docker", "DOCKER_HOST=" + d.Host, "FLOWW_DOCKER_STOP_AFTER=" + idle.String(), "FLOWW_DOCKER_REMOVE_AFTER=" + idle.String()}
	f, err := in.start(ctx, o, filepath.Join(work, "images"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.stop(), d.Clear(ctx, "io.flowwd.role")) }()
	for _, measure := range []func(context.Context, *server, *dockertest.Daemon, *report) error{measureContainers, measureBare} {
		if err := measure(ctx, f[0], d, r); err != nil {
			return err
		}
	}
	return measurePush(ctx, f[0], work, r)
}

// measurePush pushes images that nobody has, and copies as much to the same disk.
func measurePush(ctx context.Context, s *server, work string, r *report) error {
	var took, copied latencies
	for i := range pushes {
		img, err := random.Image(pushed, 1)
		if err != nil {
			return err
		}
		begin := time.Now()
		if err := s.push(ctx, fmt.Sprint("bench", i), img); err != nil {
			return err
		}
		took = append(took, time.Since(begin))
		begin = time.Now()
		if err := copyLayer(img, filepath.Join(work, "copy")); err != nil {
			return err
		}
		copied = append(copied, time.Since(begin))
	}
	r.add("push of an image of 100 MB", "p50 %s, max %s", ms(took.at(50)), ms(took.at(100)))
	r.add("the same written to the disk and synced", "p50 %s, max %s", ms(copied.at(50)), ms(copied.at(100)))
	return nil
}

func (s *server) push(ctx context.Context, tag string, img v1.Image) error {
	var token struct{ Password, RegistryURL, ImageTag string }
	if err := s.call(ctx, http.MethodPost, "/api/runtimes/push_token", map[string]string{"imageHash": tag}, &token); err != nil {
		return err
	}
	ref, err := containers.NewTag(token.RegistryURL+":"+token.ImageTag, containers.Insecure)
	if err != nil {
		return err
	}
	return remote.Write(ref, img, remote.WithContext(ctx), remote.WithAuth(&authn.Basic{Username: "token", Password: token.Password}))
}

func copyLayer(img v1.Image, path string) error {
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	content, err := layers[0].Compressed()
	if err != nil {
		return err
	}
	defer content.Close()
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, content)
	return errors.Join(err, out.Sync(), out.Close())
}

// measureContainers follows events to their first line, with and without a
// container that is there.
func measureContainers(ctx context.Context, s *server, d *dockertest.Daemon, r *report) error {
	path, err := s.deploy(ctx, "in a container", hello)
	if err != nil {
		return err
	}
	var cold, warm latencies
	for range colds {
		if err := resting(ctx, d); err != nil {
			return err
		}
		begin := time.Now()
		if err := s.untilFirstLine(ctx, path); err != nil {
			return err
		}
		cold = append(cold, time.Since(begin))
	}
	for range warms {
		begin := time.Now()
		if err := s.untilFirstLine(ctx, path); err != nil {
			return err
		}
		warm = append(warm, time.Since(begin))
	}
	r.add("event → first line in a container that is not there yet", "p50 %s, max %s", ms(cold.at(50)), ms(cold.at(100)))
	r.add("event → first line in a container that is there", "p50 %s, p99 %s", ms(warm.at(50)), ms(warm.at(99)))
	return nil
}

// resting waits until the server has removed its containers, and has made ahead
// what it makes ahead.
func resting(ctx context.Context, d *dockertest.Daemon) error {
	filters := client.Filters{}
	filters.Add("label", "io.flowwd.role=code")
	for {
		list, err := d.API.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
		if err != nil {
			return err
		}
		time.Sleep(idle)
		if len(list.Items) == 0 {
			return nil
		}
	}
}

// measureBare measures what there is of it without flowwd: docker run to its
// first line, and a request to the same runtime in a container that is there.
func measureBare(ctx context.Context, _ *server, d *dockertest.Daemon, r *report) error {
	var run latencies
	for range colds {
		begin := time.Now()
		out, err := exec.CommandContext(ctx, "docker", "--host", d.Host, "run", "--rm", "--network", "none", "floww-runtime", "node", "-e", `console.log("here")`).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "here") {
			return fmt.Errorf("docker run: %w: %s", err, out)
		}
		run = append(run, time.Since(begin))
	}
	r.add("docker run to its end, which prints a line", "p50 %s, max %s", ms(run.at(50)), ms(run.at(100)))
	port, err := freePort()
	if err != nil {
		return err
	}
	id, err := exec.CommandContext(ctx, "docker", "--host", d.Host, "run", "--rm", "--detach", "--network", "host", "--env", "HOST=127.0.0.1", "--env", "PORT="+port, "floww-runtime").Output()
	if err != nil {
		return fmt.Errorf("docker run: %w", err)
	}
	defer func() {
		_, _ = d.API.ContainerRemove(context.WithoutCancel(ctx), strings.TrimSpace(string(id)), client.ContainerRemoveOptions{Force: true}) // the daemon ends next
	}()
	var direct latencies
	for i := range warms + 1 {
		begin := time.Now()
		if err := execute(ctx, "http://127.0.0.1:"+port+"/execute", i == 0); err != nil {
			return err
		}
		if i > 0 {
			direct = append(direct, time.Since(begin))
		}
	}
	r.add("POST /execute → first line, without flowwd", "p50 %s, p99 %s", ms(direct.at(50)), ms(direct.at(99)))
	return nil
}

// execute has a runtime run hello and returns at its first line. The first time
// it waits for the runtime.
func execute(ctx context.Context, url string, first bool) error {
	type object = map[string]any
	event := object{
		"type": "invoke_trigger", "programHash": "bench", "executionId": "bench", "providerConfigs": object{},
		"trigger": object{"provider": object{"type": "builtin", "alias": "default"}, "triggerType": "onWebhook", "input": object{"path": "hello", "method": "POST"}},
		"data":    object{"method": "POST", "path": "/hello", "body": object{"name": "bench"}},
	}
	if first {
		event["userCode"] = object{"files": object{"main.ts": hello}, "entrypoint": "main.ts"}
	}
	text, err := json.Marshal(event)
	if err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
		if err != nil {
			return err
		}
		req.Header.Set("Accept", "application/x-ndjson")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			if first && time.Now().Before(end) {
				continue
			}
			return err
		}
		defer res.Body.Close()
		line, err := bufio.NewReader(res.Body).ReadString('\n')
		if err == nil && !strings.HasPrefix(line, `{"log"`) {
			err = fmt.Errorf("the runtime says %s", line)
		}
		_, _ = io.Copy(io.Discard, res.Body) // the thread ends
		return err
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}
