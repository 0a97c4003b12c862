package workflow

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Status is what a deployment is in.
type Status string

// The statuses of deployments.
const (
	StatusActive   Status = "active"
	StatusInactive Status = "inactive"
	StatusFailed   Status = "failed"
)

// Source is the user code of a deployment: file contents by relative path, and
// the path that is run.
type Source struct {
	Files      map[string]string
	Entrypoint string
	// Image is the reference, by digest, of the image that the code runs in;
	// empty for the embedded engine.
	Image string
}

// Hash is the content hash of a source: equal files, entrypoint and image, equal
// hash.
type Hash [sha256.Size]byte

// Hash returns the source's content hash.
func (s Source) Hash() Hash {
	h := sha256.New()
	write := func(text string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(text)))
		h.Write(n[:])
		h.Write([]byte(text))
	}
	write(s.Entrypoint)
	for _, path := range slices.Sorted(maps.Keys(s.Files)) {
		write(path)
		write(s.Files[path])
	}
	if s.Image != "" {
		write("") // no file has this path
		write(s.Image)
	}
	return Hash(h.Sum(nil))
}

// Program is a source made ready to run. It is stored with the deployment and
// never built again by an upgrade; only the bytecode is made anew when the
// engine's version differs.
type Program struct {
	// Hash is the content hash of Bundle.
	Hash Hash
	// Engine names the engine that made the program, such as "embedded".
	Engine string
	// EngineVersion is the version that Bytecode belongs to.
	EngineVersion string
	// SDKVersion is the version of the SDK inside the bundle.
	SDKVersion string
	// Bridge is the version of the calls that the bundle makes to its host.
	Bridge    int
	Bundle    []byte
	SourceMap []byte
	Bytecode  []byte
	// Secrets are what the code asks for: a provider and an alias each.
	Secrets []ProviderRef
}

// Deployment is one version of a workflow's code.
type Deployment struct {
	ID             id.ID
	OrganizationID id.ID
	WorkflowID     id.ID
	// Folders are those around its workflow, the nearest first, where it is read by
	// its id; nil in lists.
	Folders []id.ID
	Status  Status
	// SourceHash tells whether another deployment has the same content.
	SourceHash  Hash
	ProgramHash Hash
	Entrypoint  string
	// RuntimeID is the runtime of an image that the code runs in; zero for the
	// embedded one.
	RuntimeID id.ID
	// ClientSDKVersion is what the client said it was written against; empty
	// when it said nothing.
	ClientSDKVersion string
	Providers        []ProviderRef
	Triggers         []Declaration
	// ProviderMappings is what the client sent, verbatim; nil when absent.
	ProviderMappings json.RawMessage
	DeployedByID     id.ID
	DeployedAt       time.Time
	Note             *string
}

// Trigger is a declaration made real: it has an id, and a webhook when it is
// called from outside.
type Trigger struct {
	ID             id.ID
	OrganizationID id.ID
	WorkflowID     id.ID
	// Folders are those around its workflow, the nearest first, where it is read by
	// its id; nil in lists.
	Folders []id.ID
	Declaration
	CreatedAt time.Time
	Webhook   *Webhook
	// NextAt is when its schedule fires next; nil for triggers without one.
	NextAt *time.Time
	// DevOnly says that no deployment declares it: it is there for development
	// alone.
	DevOnly bool
}

// Webhook is an address that a trigger is called at.
type Webhook struct {
	ID id.ID
	// Method is an HTTP method in upper case.
	Method string
	// Path begins with "/webhook/".
	Path string
}
