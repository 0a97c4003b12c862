package config

import (
	"strings"
	"time"
)

// The values of RUNTIME_TYPE.
const (
	RuntimeEmbedded = "embedded"
	RuntimeDocker   = "docker"
)

// DefaultEmbedded is the value of DEFAULT_RUNTIME_IMAGE that stands for no
// image.
const DefaultEmbedded = "embedded"

// Containers says where code runs, and how much of a docker daemon's machine the
// containers of an organization and image may use.
type Containers struct {
	Runtime           string        `name:"runtime" env:"RUNTIME_TYPE" default:"embedded" placeholder:"KIND" group:"Containers" help:"Where code runs beside this server's own processes: embedded for nowhere else, docker for containers."`
	DefaultImage      string        `name:"default-runtime-image" env:"DEFAULT_RUNTIME_IMAGE" default:"floww-runtime" placeholder:"IMAGE" group:"Containers" help:"With RUNTIME_TYPE=docker, image that deployments run in that name none; a name with a slash is pulled, one of a single word must have been built or loaded at the daemon. embedded has them run in this server's own processes."`
	DockerHost        string        `name:"docker-host" env:"DOCKER_HOST" placeholder:"URL" group:"Containers" help:"Address of the docker daemon, such as unix:///var/run/docker.sock, which is the default."`
	DockerNetwork     string        `name:"docker-network" env:"FLOWW_DOCKER_NETWORK" placeholder:"NAME" group:"Containers" help:"Network of the daemon that containers join, for code that needs more than HTTP; what it leads to is then up to that network. None unless set: code reaches what FLOWW_FETCH_ALLOW and FLOWW_FETCH_DENY let through, over HTTP."`
	DockerConcurrency int           `name:"docker-concurrency" env:"FLOWW_DOCKER_CONCURRENCY" default:"8" min:"1" max:"1024" placeholder:"N" group:"Containers" help:"Most runs at the same time in one container; an image other than flowwd's own runs one at a time."`
	DockerMemory      Size          `name:"docker-memory" env:"FLOWW_DOCKER_MEMORY" default:"1GiB" min:"64MiB" max:"1TiB" placeholder:"SIZE" group:"Containers" help:"Memory of a container, with what is in its /tmp."`
	DockerTmp         Size          `name:"docker-tmp" env:"FLOWW_DOCKER_TMP" default:"64MiB" min:"1MiB" max:"1TiB" placeholder:"SIZE" group:"Containers" help:"Size of a container's /tmp, the only place that code can write to."`
	DockerCPUs        float64       `name:"docker-cpus" env:"FLOWW_DOCKER_CPUS" default:"1" placeholder:"N" group:"Containers" help:"Processors of a container; parts of one are possible, such as 0.5."`
	DockerPids        int           `name:"docker-pids" env:"FLOWW_DOCKER_PIDS" default:"256" min:"32" max:"100000" placeholder:"N" group:"Containers" help:"Processes and threads of a container."`
	DockerSpare       int           `name:"docker-spare" env:"FLOWW_DOCKER_SPARE" default:"2" min:"0" max:"64" placeholder:"N" group:"Containers" help:"Network namespaces that are made ahead, each a container that does nothing, since they take longest of what a container needs to start; 0 for none."`
	DockerStopAfter   time.Duration `name:"docker-stop-after" env:"FLOWW_DOCKER_STOP_AFTER" default:"5m" min:"1s" max:"24h" placeholder:"TIME" group:"Containers" help:"Time without a run after which a container is stopped."`
	DockerRemoveAfter time.Duration `name:"docker-remove-after" env:"FLOWW_DOCKER_REMOVE_AFTER" default:"1h" min:"1s" max:"8760h" placeholder:"TIME" group:"Containers" help:"Time without a run after which a container is removed."`
}

// minCPUs is the least that the daemon takes.
const minCPUs = 0.01

func (c *Containers) checkContainers(add func(name, format string, args ...any)) {
	switch c.Runtime {
	case RuntimeEmbedded, RuntimeDocker:
	case "kubernetes", "lambda":
		add("RUNTIME_TYPE (--runtime)", "flowwd can't run code on %s yet; give embedded or docker", c.Runtime)
	default:
		add("RUNTIME_TYPE (--runtime)", "%q is no place to run code; give embedded or docker", c.Runtime)
	}
	if strings.ContainsAny(c.DefaultImage, " \t\r\n") || c.DefaultImage == "" {
		add("DEFAULT_RUNTIME_IMAGE (--default-runtime-image)", "%q names no image; give one, such as floww-runtime, or embedded", c.DefaultImage)
	}
	if !(c.DockerCPUs >= minCPUs && c.DockerCPUs <= 1024) {
		add("FLOWW_DOCKER_CPUS (--docker-cpus)", "%v is out of bounds; give %v to 1024", c.DockerCPUs, minCPUs)
	}
	if c.DockerRemoveAfter < c.DockerStopAfter {
		add("FLOWW_DOCKER_REMOVE_AFTER (--docker-remove-after)", "it is less than FLOWW_DOCKER_STOP_AFTER; give at least %v", c.DockerStopAfter)
	}
}
